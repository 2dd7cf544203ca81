// One damaged byte, one cut, at every place: what a segment still holds, and what it says is missing.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BlockPool } from '../../buffer/block_pool.ts';
import { Ranges } from '../../buffer/ranges.ts';
import { type RecoveredSegment, recoverSegment } from '../../buffer/recovery.ts';
import { MemoryFile } from './memory_file_system.ts';
import { frameOf, KEY, type WrittenSegment, writeSegment } from './written_segment.ts';

const BASE = 1000;
const text = (value: string): Uint8Array => Buffer.from(value, 'utf8');

/** Six frames: of one entry and of several, with empty entries and with payload that looks like a frame's beginning. */
function small(): WrittenSegment {
  return writeSegment(BASE, [
    [[text('one')]],
    [[text('two'), text(''), text('four')], [text('five')]],
    [[Buffer.from([0x48, 0x46, 1, 0, 0x48, 0x46])]],
    [[text('')]],
    [[text('a longer entry, that a few bits may hit')], [text('and one more')]],
    [[text('last')]],
  ]);
}

interface Known {
  readonly watermark?: number;
  readonly nextBase?: number;
}

async function recover(bytes: Uint8Array, known: Known = {}): Promise<RecoveredSegment> {
  const pool = new BlockPool(0);
  const file = new MemoryFile(bytes);
  const before = Buffer.from(file.bytes);
  const found = await recoverSegment(
    {
      file,
      path: 'segment',
      size: bytes.length,
      base: BASE,
      nextBase: known.nextBase,
      watermark: known.watermark ?? 0,
      key: KEY,
    },
    pool,
  );
  expect(pool.stats().in_use_bytes).toBe(0);
  expect(file.bytes.equals(before)).toBe(true);
  return found;
}

const count = (found: RecoveredSegment, kind: 'lost' | 'failed'): number =>
  new Ranges(found.ranges).count(0, Number.MAX_SAFE_INTEGER, kind);

describe('recovery of a segment', () => {
  it('finds everything where nothing is wrong', async () => {
    const whole = small();
    const found = await recover(whole.bytes, { watermark: whole.end });
    expect(found).toMatchObject({ ranges: [], damaged: [], tail_bytes: 0 });
    expect(found.segment).toMatchObject({ base: BASE, end: whole.end, bytes: whole.bytes.length });
  });

  it('of no byte at all is an empty segment', async () => {
    const found = await recover(Buffer.alloc(0));
    expect(found).toMatchObject({ ranges: [], damaged: [], tail_bytes: 0 });
    expect(found.segment).toMatchObject({ end: BASE, bytes: 0 });
  });

  it('loses exactly the frame that holds a damaged byte, whichever byte it is, where all was promised', async () => {
    const whole = small();
    for (let at = 0; at < whole.bytes.length; at++) {
      for (const mask of [0x01, 0x80, 0xff]) {
        const bytes = Buffer.from(whole.bytes);
        bytes[at]! ^= mask;
        const hit = frameOf(whole.frames, at);
        const found = await recover(bytes, { watermark: whole.end });
        expect(found.ranges).toEqual([{ from: hit.from, to: hit.to, kind: 'lost' }]);
        expect(found.damaged).toMatchObject([
          { from: hit.from, to: hit.to, position: hit.position, bytes: hit.bytes },
        ]);
        expect(found.segment.end).toBe(whole.end);
      }
    }
  });

  it('takes damage before an intact frame for a loss even where nobody remembers the watermark', async () => {
    const whole = small();
    const last = whole.frames.at(-1)!;
    for (let at = 0; at < last.position; at++) {
      const bytes = Buffer.from(whole.bytes);
      bytes[at]! ^= 0x10;
      const hit = frameOf(whole.frames, at);
      const found = await recover(bytes);
      expect(found.ranges).toEqual([{ from: hit.from, to: hit.to, kind: 'lost' }]);
      expect(found.segment.end).toBe(whole.end);
      expect(found.tail_bytes).toBe(0);
    }
  });

  it('gives up a damaged last frame that nobody was promised, and nothing before it', async () => {
    const whole = small();
    const last = whole.frames.at(-1)!;
    for (let at = last.position; at < whole.bytes.length; at++) {
      const bytes = Buffer.from(whole.bytes);
      bytes[at]! ^= 0x10;
      const found = await recover(bytes);
      expect(found.ranges).toEqual([]);
      expect(found.segment).toMatchObject({ end: last.from, bytes: last.position });
      expect(found.tail_bytes).toBe(last.bytes);
    }
  });

  it('keeps every whole frame below a cut, wherever the cut is', async () => {
    const whole = small();
    for (let length = 0; length <= whole.bytes.length; length++) {
      const kept = whole.frames.filter((frame) => frame.position + frame.bytes <= length);
      const end = kept.at(-1)?.to ?? BASE;
      const bytes = whole.bytes.subarray(0, length);
      const torn = await recover(bytes);
      expect(torn.ranges).toEqual([]);
      expect(torn.segment.end).toBe(end);
      expect(torn.segment.bytes + torn.tail_bytes).toBe(length);
      const promised = await recover(bytes, { watermark: whole.end });
      expect(count(promised, 'lost')).toBe(whole.end - end);
      expect(count(promised, 'failed')).toBe(0);
      expect(promised.segment.end).toBe(whole.end);
    }
  });

  it('keeps what is intact between two damaged frames and counts both', async () => {
    const whole = small();
    for (const first of whole.frames) {
      for (const second of whole.frames) {
        const bytes = Buffer.from(whole.bytes);
        bytes[first.position + 5]! ^= 1;
        if (second !== first) bytes[second.position + 1]! ^= 1;
        const found = await recover(bytes, { watermark: whole.end });
        const lost = first === second ? [first] : [first, second];
        expect(count(found, 'lost')).toBe(lost.reduce((sum, frame) => sum + frame.to - frame.from, 0));
        const ranges = new Ranges(found.ranges);
        for (const frame of whole.frames) {
          expect(ranges.at(frame.from) !== undefined).toBe(lost.includes(frame));
        }
      }
    }
  });

  it('overwritten in part by zeros or garbage keeps the rest', async () => {
    const whole = small();
    const range = fc.tuple(fc.nat(whole.bytes.length), fc.nat(120), fc.nat(255), fc.boolean());
    await fc.assert(
      fc.asyncProperty(range, async ([from, length, value, noise]) => {
        const bytes = Buffer.from(whole.bytes);
        const to = Math.min(bytes.length, from + length);
        for (let at = from; at < to; at++) bytes[at] = noise ? (value * (at + 7)) & 0xff : value;
        const intact = whole.frames.filter((frame) => {
          const end = frame.position + frame.bytes;
          return bytes.subarray(frame.position, end).equals(whole.bytes.subarray(frame.position, end));
        });
        const found = await recover(bytes, { watermark: whole.end });
        const ranges = new Ranges(found.ranges);
        for (const frame of whole.frames) {
          expect(ranges.count(frame.from, frame.to, 'lost')).toBe(
            intact.includes(frame) ? 0 : frame.to - frame.from,
          );
        }
      }),
      { numRuns: 200 },
    );
  });

  it('of any bytes ends, throws nothing, and never ends below its base', async () => {
    const whole = small();
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      fc
        .constantFrom(...whole.frames)
        .map((frame) => whole.bytes.subarray(frame.position, frame.position + frame.bytes)),
      fc
        .tuple(fc.constantFrom(...whole.frames), fc.nat(200))
        .map(([frame, length]) =>
          whole.bytes.subarray(frame.position, frame.position + Math.min(frame.bytes, length)),
        ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), fc.nat(20), async (pieces, promised) => {
        const bytes = Buffer.concat(pieces);
        const watermark = BASE + promised;
        const found = await recover(bytes, { watermark });
        expect(found.segment.end).toBeGreaterThanOrEqual(watermark);
        expect(found.segment.bytes).toBeLessThanOrEqual(bytes.length);
        for (const range of found.ranges) {
          expect(range.from).toBeGreaterThanOrEqual(BASE);
          expect(range.to).toBeLessThanOrEqual(found.segment.end);
        }
        // Cutting the tail off and looking again must find the same.
        const again = await recover(bytes.subarray(0, found.segment.bytes), { watermark });
        expect(new Ranges(again.ranges).list).toEqual(new Ranges(found.ranges).list);
        expect(again.segment.end).toBe(found.segment.end);
      }),
      { numRuns: 300 },
    );
  });

  it('takes no frame that belongs to another place: stale, repeated, or above the next segment', async () => {
    const whole = small();
    const [first, second] = whole.frames;
    const piece = (frame: typeof first): Buffer =>
      whole.bytes.subarray(frame!.position, frame!.position + frame!.bytes);
    const repeated = await recover(Buffer.concat([piece(first), piece(second), piece(first)]));
    expect(repeated.segment.end).toBe(second!.to);
    expect(repeated.tail_bytes).toBe(first!.bytes);
    const above = await recover(whole.bytes, { nextBase: second!.to });
    expect(above.segment.end).toBe(second!.to);
  });
});

describe('recovery of a batch larger than a frame', () => {
  /** Before, a batch of four frames, after. */
  const large = (): WrittenSegment =>
    writeSegment(BASE, [
      [[text('before')]],
      [Array.from({ length: 4 }, (_, index) => Buffer.alloc(40_000, index + 1))],
      [[text('after')]],
    ]);

  it('is all or nothing where the batch is the torn end and nobody was promised it', async () => {
    const whole = large();
    const pieces = whole.frames.slice(1, 5);
    for (const piece of pieces) {
      const bytes = whole.bytes.subarray(0, piece.position + piece.bytes - 1);
      const found = await recover(bytes);
      expect(found.segment).toMatchObject({ end: BASE + 1, bytes: whole.frames[1]!.position });
      expect(found.ranges).toEqual([]);
    }
    const complete = await recover(whole.bytes.subarray(0, pieces.at(-1)!.position + pieces.at(-1)!.bytes));
    expect(complete.segment.end).toBe(BASE + 5);
  });

  it('hides its pieces where a lost sector is in the middle of what nobody was promised', async () => {
    const whole = large();
    for (const piece of whole.frames.slice(1, 5)) {
      const end = whole.frames[4]!;
      const bytes = Buffer.from(whole.bytes.subarray(0, end.position + end.bytes));
      bytes.fill(0, piece.position + 512, piece.position + 1024);
      const found = await recover(bytes);
      const ranges = new Ranges(found.ranges);
      const visible = found.segment.end - BASE - ranges.count(BASE, found.segment.end);
      expect(visible).toBe(1);
      expect(count(found, 'lost')).toBe(0);
    }
  });

  it('loses one frame and keeps the other pieces where all of it was promised', async () => {
    const whole = large();
    for (const piece of whole.frames.slice(1, 5)) {
      const bytes = Buffer.from(whole.bytes);
      bytes[piece.position + 100]! ^= 1;
      const found = await recover(bytes);
      expect(found.ranges).toEqual([{ from: piece.from, to: piece.to, kind: 'lost' }]);
      expect(found.segment.end).toBe(whole.end);
    }
  });
});
