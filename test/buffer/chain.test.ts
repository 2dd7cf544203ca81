// What appends become before they reach the disk: whole frames, in which every batch stands together.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BlockPool } from '../../buffer/block_pool.ts';
import { Chain } from '../../buffer/chain.ts';
import {
  bodyMatches,
  EntryCursor,
  FLAG_CONTINUED,
  FLAG_CONTINUES,
  FRAME_BODY_TARGET_BYTES,
  FRAME_HEADER_BYTES,
  type FrameHeader,
  readFrameHeader,
} from '../../buffer/frame.ts';

import { KEY } from './written_segment.ts';

interface Frame {
  readonly header: FrameHeader;
  readonly entries: readonly Buffer[];
}

function framesOf(chain: Chain): Frame[] {
  const bytes = Buffer.concat(chain.blocks.map((block) => block.memory.subarray(0, block.used)));
  expect(bytes.length).toBe(chain.bytes);
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length; ) {
    const header = readFrameHeader(bytes, at, KEY)!;
    expect(bodyMatches(bytes, at + FRAME_HEADER_BYTES, header)).toBe(true);
    const cursor = new EntryCursor();
    cursor.open(bytes, at + FRAME_HEADER_BYTES, header.bodyBytes);
    const entries: Buffer[] = [];
    while (cursor.next()) entries.push(bytes.subarray(cursor.start, cursor.end));
    expect(entries.length).toBe(header.count);
    frames.push({ header, entries });
    at += FRAME_HEADER_BYTES + header.bodyBytes;
  }
  return frames;
}

function chainFrom(first: number): { chain: Chain; pool: BlockPool } {
  const pool = new BlockPool(64 * 1024 * 1024);
  const chain = new Chain(pool, 3, KEY);
  chain.reset(first);
  return { chain, pool };
}

const continues = (frame: Frame): boolean => (frame.header.flags & FLAG_CONTINUES) !== 0;
const continued = (frame: Frame): boolean => (frame.header.flags & FLAG_CONTINUED) !== 0;

describe('Chain', () => {
  it('is empty until an entry comes, and again after reset', () => {
    const { chain } = chainFrom(5);
    expect(chain.empty).toBe(true);
    chain.appendBatch([Buffer.from('a')], 10, 5);
    expect(chain.empty).toBe(false);
    chain.seal();
    chain.reset(6);
    expect(chain).toMatchObject({ empty: true, first: 6, end: 6, bytes: 0 });
    expect(chain.blocks).toEqual([]);
  });

  it('puts consecutive small batches into one frame', () => {
    const { chain } = chainFrom(100);
    chain.appendBatch([Buffer.from('a'), Buffer.from('b')], 1000, 90);
    chain.appendParts([Buffer.from('c'), Buffer.alloc(0), Buffer.from('d')], 2, 1007, 90);
    chain.seal();
    const frames = framesOf(chain);
    expect(frames).toHaveLength(1);
    expect(frames[0]!.header).toMatchObject({
      baseOffset: 100,
      count: 3,
      flags: 0,
      timestamp: 1000,
      watermark: 90,
      epoch: 3,
    });
    expect(frames[0]!.entries.map(String)).toEqual(['a', 'b', 'cd']);
    expect(chain).toMatchObject({ first: 100, end: 103, firstTimestamp: 1000, lastTimestamp: 1007 });
  });

  it('takes entries without bytes, and as many of them as come', () => {
    const { chain } = chainFrom(0);
    const nothing = Array.from({ length: 70_000 }, () => new Uint8Array(0));
    chain.appendBatch(nothing, 1, 0);
    chain.seal();
    const frames = framesOf(chain);
    expect(frames.reduce((sum, frame) => sum + frame.entries.length, 0)).toBe(70_000);
    for (const frame of frames) expect(frame.header.count).toBeLessThanOrEqual(0xffff);
    expect(continued(frames[0]!)).toBe(false);
    expect(continues(frames.at(-1)!)).toBe(false);
  });

  it('gives an entry larger than a frame, or than a block, a frame of its own', () => {
    const { chain } = chainFrom(0);
    const sizes = [10, FRAME_BODY_TARGET_BYTES + 1, 20, 5 * 1024 * 1024, 30];
    for (const size of sizes) chain.appendBatch([Buffer.alloc(size, size % 251)], 1, 0);
    chain.seal();
    const frames = framesOf(chain);
    expect(frames.map((frame) => frame.entries.map((entry) => entry.length))).toEqual(
      sizes.map((size) => [size]),
    );
    expect(frames.every((frame) => frame.header.flags === 0)).toBe(true);
  });

  it('begins a new frame for a batch that does not fit the open one, rather than split it', () => {
    const { chain } = chainFrom(0);
    chain.appendBatch([Buffer.alloc(40_000)], 1, 0);
    chain.appendBatch([Buffer.alloc(20_000), Buffer.alloc(20_000)], 1, 0);
    chain.seal();
    const frames = framesOf(chain);
    expect(frames.map((frame) => frame.header.count)).toEqual([1, 2]);
    expect(frames.map((frame) => frame.header.flags)).toEqual([0, 0]);
  });

  it('marks the pieces of a batch larger than a frame, first, middle and last', () => {
    const { chain } = chainFrom(0);
    chain.appendBatch([Buffer.from('before')], 1, 0);
    chain.appendBatch(
      Array.from({ length: 5 }, () => Buffer.alloc(40_000)),
      1,
      0,
    );
    chain.appendBatch([Buffer.from('after')], 1, 0);
    chain.seal();
    const frames = framesOf(chain);
    expect(frames.map((frame) => [frame.header.baseOffset, continues(frame), continued(frame)])).toEqual([
      [0, false, false],
      [1, true, false],
      [2, true, true],
      [3, true, true],
      [4, true, true],
      [5, false, true],
    ]);
    // A small batch may share the frame in which the large one ends.
    expect(frames.at(-1)!.header.count).toBe(2);
  });

  it('holds every entry once, in order, and splits no batch that fits a frame, whatever the sizes', () => {
    const size = fc.oneof(
      fc.nat(50),
      fc.nat(3000),
      fc.constantFrom(65_000, 65_526, 65_527, 65_536, 70_000, 300_000),
    );
    const batches = fc.array(fc.array(size, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(batches, fc.maxSafeNat(), (sizes, start) => {
        const first = Math.min(start, Number.MAX_SAFE_INTEGER - 1000);
        const { chain, pool } = chainFrom(first);
        const sent: Buffer[] = [];
        const batchOf: number[] = [];
        sizes.forEach((batch, index) => {
          const entries = batch.map((bytes) => Buffer.alloc(bytes, sent.length % 256));
          chain.appendBatch(entries, 1, first);
          for (const entry of entries) {
            sent.push(entry);
            batchOf.push(index);
          }
        });
        chain.seal();
        const frames = framesOf(chain);
        const received = frames.flatMap((frame) => frame.entries);
        expect(received.length).toBe(sent.length);
        expect(received.every((entry, index) => entry.equals(sent[index]!))).toBe(true);
        let offset = first;
        frames.forEach((frame, index) => {
          expect(frame.header.baseOffset).toBe(offset);
          // Flags say exactly where a batch goes over the border of two frames.
          const at = offset - first;
          expect(continued(frame)).toBe(at > 0 && batchOf[at] === batchOf[at - 1]);
          expect(continued(frame)).toBe(index > 0 && continues(frames[index - 1]!));
          offset += frame.header.count;
          if (continued(frame)) {
            const batch = sizes[batchOf[at]!]!;
            const most = batch.reduce((sum, bytes) => sum + bytes + 10, 0);
            expect(most).toBeGreaterThan(FRAME_BODY_TARGET_BYTES);
          }
        });
        expect(chain.end).toBe(offset);
        for (const block of chain.blocks) block.release();
        expect(pool.stats().in_use_bytes).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it('never sends time back below the first entry of a frame when the wall clock jumps', () => {
    const { chain } = chainFrom(0);
    chain.appendBatch([Buffer.from('a')], 5000, 0);
    chain.appendBatch([Buffer.from('b')], 10, 0);
    chain.appendBatch([Buffer.from('c')], 5000 + 2 ** 40, 0);
    chain.seal();
    expect(framesOf(chain).map((frame) => frame.entries.length)).toEqual([3]);
  });
});
