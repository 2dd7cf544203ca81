// The search for the next frame behind damage, over the borders of the window, on any bytes.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BlockPool } from '../../buffer/block_pool.ts';
import { DIRECT_BLOCK_BYTES } from '../../buffer/ports/file_system.ts';
import { findNextFrame, frameAt, loadFrame, WINDOW_BYTES, Window } from '../../buffer/scan.ts';
import { MemoryFile } from './memory_file_system.ts';
import { KEY, writeSegment } from './written_segment.ts';

const frame = writeSegment(50, [[[Buffer.from('the frame to find')]]]).bytes;

async function find(
  bytes: Buffer,
  from: number,
  min = 0,
  max = Number.MAX_SAFE_INTEGER,
): Promise<number | undefined> {
  const pool = new BlockPool(0);
  const window = new Window(pool, KEY);
  try {
    return await findNextFrame(window, { file: new MemoryFile(bytes), end: bytes.length }, from, min, max);
  } finally {
    window.release();
    expect(pool.stats().in_use_bytes).toBe(0);
  }
}

describe('findNextFrame', () => {
  it('finds a frame wherever the border of the window cuts it', async () => {
    for (const before of [-60, -41, -40, -39, -2, -1, 0, 1]) {
      const position = WINDOW_BYTES + before;
      const bytes = Buffer.concat([Buffer.alloc(position, 0x48), frame, Buffer.alloc(10)]);
      expect(await find(bytes, 0)).toBe(position);
    }
  });

  it('passes over headers whose body is damaged, whose body is cut off, and whose offsets do not fit', async () => {
    const damaged = Buffer.from(frame);
    damaged[damaged.length - 1]! ^= 1;
    const bytes = Buffer.concat([damaged, frame.subarray(0, 45), frame]);
    expect(await find(bytes, 0)).toBe(damaged.length + 45);
    expect(await find(frame.subarray(0, frame.length - 1), 0)).toBeUndefined();
    expect(await find(frame, 0, 51)).toBeUndefined();
    expect(await find(frame, 0, 0, 50)).toBeUndefined();
    expect(await find(frame, 0, 50, 51)).toBe(0);
  });

  it('ends where the file is shorter than was said', async () => {
    const pool = new BlockPool(0);
    const window = new Window(pool, KEY);
    const file = new MemoryFile(Buffer.alloc(100, 0x48));
    expect(await findNextFrame(window, { file, end: 10_000_000 }, 0, 0, 1e9)).toBeUndefined();
    window.release();
  });

  it('never finds a frame in bytes that hold none, and ends', async () => {
    const bytes = fc.array(
      fc.oneof(fc.uint8Array({ maxLength: 80 }), fc.constant(Buffer.from('HF\x01\0', 'latin1'))),
      {
        maxLength: 20,
      },
    );
    await fc.assert(
      fc.asyncProperty(bytes, fc.nat(50), async (pieces, from) => {
        expect(await find(Buffer.concat(pieces), from)).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });
});

describe('loadFrame', () => {
  it('loads a frame larger than the window whole', async () => {
    const { bytes } = writeSegment(0, [[[Buffer.alloc(3 * WINDOW_BYTES, 7)]]]);
    const pool = new BlockPool(0);
    const window = new Window(pool, KEY);
    const loaded = await loadFrame(window, { file: new MemoryFile(bytes), end: bytes.length }, 0);
    expect(loaded.bodyIntact).toBe(true);
    expect(frameAt(window, 0)).toEqual(loaded.header);
    window.release();
    expect(pool.stats().in_use_bytes).toBe(0);
  });

  it('gives its block back where the disk fails', async () => {
    const pool = new BlockPool(0);
    const window = new Window(pool, KEY);
    const file = new MemoryFile(frame);
    await file.close();
    await expect(loadFrame(window, { file, end: frame.length }, 0)).rejects.toThrow('EBADF');
    expect(pool.stats().in_use_bytes).toBe(0);
  });
});

describe('a window', () => {
  it('that moves on asks a file for each byte once, and for whole blocks', async () => {
    const bytes = Buffer.from(Array.from({ length: 4 * WINDOW_BYTES + 700 }, (_, at) => (at * 31) >> 8));
    const asked: { from: number; to: number }[] = [];
    const file = new MemoryFile(bytes);
    const read = file.read.bind(file);
    Object.assign(file, {
      read: (into: Uint8Array, position: number) => {
        asked.push({ from: position, to: position + into.length });
        return read(into, position);
      },
    });
    const pool = new BlockPool(0);
    const window = new Window(pool, KEY);
    const begin = 100;
    // Every window but the first begins so far before the end of the one before.
    for (const [before, need] of [
      [0, 0],
      [7000, 9000],
      [400_000, 0],
      [8000, WINDOW_BYTES + 8300],
      [39, 0],
    ] as const) {
      const position = Math.max(begin, window.start + window.length - before);
      await window.load(file, position, bytes.length, need);
      const there = window.available(position);
      expect(there).toBeGreaterThanOrEqual(need);
      const at = position - window.start;
      const shown = window.block!.memory.subarray(at, at + there);
      expect(shown.equals(bytes.subarray(position, position + there))).toBe(true);
    }
    window.release();
    expect(pool.stats().in_use_bytes).toBe(0);
    expect(asked[0]!.from).toBe(begin);
    for (const [index, { from }] of asked.slice(1).entries()) expect(from).toBe(asked[index]!.to);
    for (const { to } of asked.slice(0, 3)) expect(to % DIRECT_BLOCK_BYTES).toBe(0);
  });
});
