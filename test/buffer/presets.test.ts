// Row "presets (edge-small, gateway, throughput)".

import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { presets } from '../../buffer/presets.ts';
import { appendDurably, LogOnMemory } from './log_on_memory.ts';

const MiB = 1024 * 1024;
const readme = fs.readFileSync(path.join(import.meta.dirname, '../../buffer/README.md'), 'utf8');
const size = (bytes: number): string =>
  bytes % (1024 * MiB) === 0 ? `${bytes / 1024 / MiB} GiB` : `${bytes / MiB} MiB`;

describe.each(Object.entries(presets))('the preset %s', (name, preset) => {
  it('opens a log, holds its limits together, and decides nothing about loss', async () => {
    const log = await new LogOnMemory().open(preset);
    await appendDurably((await log.stream('s')).shardOf(0), 'a');
    expect(log.stats().maxSize_bytes).toBe(preset.retention!.maxSize_bytes);
    await log.close();
    // Removal goes by whole segments: one that is larger would silently be cut down.
    expect(preset.segment!.maxBytes! * 8).toBeLessThanOrEqual(preset.retention!.maxSize_bytes!);
    expect(preset.entryMax_bytes ?? 64 * MiB).toBeLessThanOrEqual(preset.inFlightMax_bytes!);
    for (const policy of ['whenFull', 'protectUnconsumed', 'maxAge_ms']) {
      expect(preset.retention).not.toHaveProperty(policy);
    }
  });

  it('is described as it is', () => {
    const row = readme.split('\n').find((line) => line.startsWith(`| \`${name}\``))!;
    const cells = row.split('|').map((cell) => cell.trim());
    const { retention, segment, inFlightMax_bytes, hotTail_bytes } = preset;
    const told = [
      retention!.maxSize_bytes,
      retention!.minFreeSpace_bytes,
      segment!.maxBytes,
      inFlightMax_bytes,
    ];
    expect(cells.slice(2, 7)).toEqual([...told, hotTail_bytes].map((bytes) => size(bytes!)));
  });
});
