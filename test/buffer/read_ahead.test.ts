// Decompressing ahead: three at a time, only what is intact, nothing twice, and nothing left over where the reader goes
// elsewhere.

import { describe, expect, it } from '@jest/globals';
import type { Codec } from '../../buffer/ports/codec.ts';
import { zstdInLine } from '../../buffer/ports/codec.ts';
import { appendDurably, openedOnMemory, readAll } from './log_on_memory.ts';
import { placesOf } from './written_segment.ts';

const SEGMENT = '/log/s/0/00000000000000000000.log';
const line = (index: number): string => `${index} ${'lazy dog '.repeat(200)}`;

async function written(frames: number) {
  const calls = { total: 0, running: 0, most: 0 };
  const codec: Codec = {
    ...zstdInLine,
    decompress: async (packed, raw_bytes) => {
      calls.total += 1;
      calls.running += 1;
      calls.most = Math.max(calls.most, calls.running);
      await Promise.resolve();
      calls.running -= 1;
      return zstdInLine.decompress(packed, raw_bytes);
    },
  };
  const opened = await openedOnMemory({ codec, compression: { codec: 'zstd' } });
  for (let index = 0; index < frames; index++) await appendDurably(opened.shard, line(index));
  const reader = (await opened.stream.group('g')).reader(opened.shard);
  return { ...opened, calls, reader };
}

describe('reading ahead', () => {
  it('decompresses three at a time, and each once', async () => {
    const { log, reader, calls } = await written(10);
    expect((await readAll(reader)).map(({ text }) => text)).toEqual(
      Array.from({ length: 10 }, (_, index) => line(index)),
    );
    expect(calls).toEqual({ total: 10, running: 0, most: 3 });
    await log.close();
  });

  it('ends before a damaged frame, which costs itself alone', async () => {
    const { on, log, reader, shard } = await written(6);
    const bytes = on.disk.bytes(SEGMENT);
    const place = placesOf(bytes)[1]!;
    bytes[place.position + place.bytes - 1]! ^= 1;
    expect((await readAll(reader)).map(({ offset }) => offset)).toEqual([0, 2, 3, 4, 5]);
    expect(shard.account().quarantined).toBe(1);
    await log.close();
  });

  it('keeps nothing for a place that the reader has left', async () => {
    const { log, reader } = await written(6);
    for (const offset of [0, 3, 1, 5, 0]) {
      reader.seek(offset);
      const batch = (await reader.read({ maxEntries: 1 }))!;
      expect(Buffer.from(batch.entries[0]!).toString()).toBe(line(offset));
      batch.release();
    }
    await log.close();
  });
});
