// Row "acknowledging one entry, a range, or out of order (the low watermark is what commits)".

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { AckWindowExceeded, LogClosed, OffsetOutOfRange, UnknownGroup } from '../../buffer/errors.ts';
import { appendDurably, openedOnMemory, readAll } from './log_on_memory.ts';

/** Prints bytes of heap for each acknowledgement, round by round. */
const ALLOCATION = `
import { Log } from 'FACE';
const log = await Log.open({ directory: './log' });
const stream = await log.stream('s');
const shard = stream.shardOf(0);
const entries = 100_000;
const thousand = Array.from({ length: 1000 }, () => Buffer.from('x'));
for (let appended = 0; appended < entries; appended += 1000) shard.append(thousand);
await shard.durable(entries - 1);
const group = await stream.group('g');
const rounds = [];
for (let round = 0; round < 8; round++) {
  await group.reset('earliest');
  const before = process.memoryUsage().heapUsed;
  for (let offset = 0; offset < entries; offset += 2) {
    group.ack(shard, offset + 1);
    group.ack(shard, offset);
  }
  rounds.push((process.memoryUsage().heapUsed - before) / entries);
}
if (group.committed(shard) !== entries) throw new Error('not all was acknowledged');
console.log(JSON.stringify(rounds));
await log.close();
`;

const letters = [...'abcdefghij'];

async function withGroup() {
  const opened = await openedOnMemory();
  await appendDurably(opened.shard, ...letters);
  return { ...opened, group: await opened.stream.group('g') };
}

describe('acknowledging', () => {
  it('one entry, a range, or out of order: the low watermark is what commits', async () => {
    const { log, shard, group } = await withGroup();
    const acked = (offset: number, next?: number): number => {
      group.ack(shard, offset, next);
      return group.committed(shard);
    };
    expect(acked(0)).toBe(1);
    expect(acked(3)).toBe(1);
    expect(acked(5, 8)).toBe(1);
    expect(acked(1, 3)).toBe(4);
    expect(acked(0)).toBe(4);
    expect(acked(4)).toBe(8);
    await log.close();
  });

  it('survives a crash as far as the low watermark: what was acknowledged above comes again', async () => {
    const { on, log, shard, group } = await withGroup();
    for (const offset of [1, 0, 9, 3]) group.ack(shard, offset);
    await group.flush();
    const killed = on.killed();
    const again = await openedOnMemory({}, killed);
    const reader = (await again.stream.group('g')).reader(again.shard);
    expect((await readAll(reader)).map((one) => one.text)).toEqual(letters.slice(2));
    await again.log.close();
    await log.close();
  });

  it('passes over offsets whose commit failed, which nobody can acknowledge', async () => {
    const { on, log, shard, group } = await withGroup();
    on.disk.capacity_bytes = on.disk.used_bytes;
    await expect(appendDurably(shard, 'x', 'y')).rejects.toThrow();
    on.disk.capacity_bytes = Number.POSITIVE_INFINITY;
    on.clock.advance(1000);
    const last = await appendDurably(shard, 'z');
    expect(last).toBeGreaterThan(letters.length);
    group.ack(shard, last);
    group.ack(shard, 0, letters.length);
    expect(group.committed(shard)).toBe(last + 1);
    await log.close();
  });

  it('joins what commit does: both count, and neither goes back', async () => {
    const { log, shard, group } = await withGroup();
    group.ack(shard, 5);
    void group.commit(shard, 5);
    group.ack(shard, 4);
    expect(group.committed(shard)).toBe(5);
    group.ack(shard, 5);
    expect(group.committed(shard)).toBe(6);
    await log.close();
  });

  it('is shared by all who opened the same group, and kept when its protection changes', async () => {
    const { log, stream, shard, group } = await withGroup();
    group.ack(shard, 1);
    const same = await stream.group('g', { protect: false });
    same.ack(shard, 0);
    expect(group.committed(shard)).toBe(2);
    await log.close();
  });

  it('is bounded: beyond the window it is refused with a typed error, and works again once the oldest is done', async () => {
    const { log, stream, shard } = await openedOnMemory();
    await appendDurably(shard, ...Array.from({ length: 40 }, (_, index) => `${index}`));
    const group = await stream.group('small', { ackWindow_entries: 32 });
    group.ack(shard, 1, 32);
    expect(() => group.ack(shard, 32)).toThrow(AckWindowExceeded);
    group.ack(shard, 0);
    group.ack(shard, 32);
    expect(group.committed(shard)).toBe(33);
    await log.close();
  });

  it('allocates nothing for each acknowledgement', () => {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-'));
    try {
      // In a process of its own: within jest every look at a global allocates.
      const face = pathToFileURL(path.join(import.meta.dirname, '../../buffer/index.ts')).href;
      const program = path.join(directory, 'acknowledge.mts');
      fs.writeFileSync(program, ALLOCATION.replace('FACE', face));
      const output = execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', program], {
        cwd: directory,
        encoding: 'utf8',
      });
      const rounds = JSON.parse(output) as number[];
      // The first rounds are compiled while they run. The smallest object takes 12 bytes.
      const steady = rounds.slice(3).map(Math.abs);
      expect(Math.min(...steady)).toBeLessThan(4);
    } finally {
      fs.rmSync(directory, { recursive: true, force: true });
    }
  });

  it('refuses offsets that are none, other groups and a closed log', async () => {
    const { log, stream, shard, group } = await withGroup();
    for (const [offset, next] of [[-1], [10], [0, 11], [1.5], [3, 3], [4, 2], [Number.NaN]] as const) {
      expect(() => group.ack(shard, offset, next)).toThrow(OffsetOutOfRange);
    }
    expect(group.committed(shard)).toBe(0);
    await stream.forgetGroup('g');
    expect(() => group.ack(shard, 0)).toThrow(UnknownGroup);
    const other = await stream.group('other');
    await log.close();
    expect(() => other.ack(shard, 0)).toThrow(LogClosed);
  });
});
