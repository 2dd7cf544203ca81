// Frames on their own: what is sealed is read back, and nothing that was touched passes for whole.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  bodyMatches,
  EntryCursor,
  FRAME_HEADER_BYTES,
  findMagic,
  readFrameHeader,
  readOffset,
  sealFrame,
  writeOffset,
  writeVarint,
} from '../../buffer/frame.ts';
import { KEY } from './written_segment.ts';

interface Sample {
  readonly entries: readonly Uint8Array[];
  readonly deltas: readonly number[];
  readonly flags: number;
  readonly base: number;
  readonly timestamp: number;
  readonly epoch: number;
  readonly behind: number;
}

const sample: fc.Arbitrary<Sample> = fc
  .array(fc.tuple(fc.uint8Array({ maxLength: 300 }), fc.nat(0xffffffff)), { minLength: 1, maxLength: 20 })
  .chain((pairs) =>
    fc.record({
      entries: fc.constant(pairs.map(([bytes]) => bytes)),
      deltas: fc.constant(pairs.map(([, delta]) => delta)),
      flags: fc.nat(3),
      base: fc.maxSafeNat().map((offset) => Math.min(offset, Number.MAX_SAFE_INTEGER - 1000)),
      timestamp: fc.nat(2 ** 48 - 1),
      epoch: fc.nat(0xffffffff),
      behind: fc.nat(0xffffffff),
    }),
  );

function build(of: Sample, at = 0): Buffer {
  const target = Buffer.alloc(
    at + FRAME_HEADER_BYTES + of.entries.reduce((sum, e) => sum + e.length + 10, 0),
  );
  let position = at + FRAME_HEADER_BYTES;
  of.entries.forEach((entry, index) => {
    position = writeVarint(target, position, entry.length);
    position = writeVarint(target, position, of.deltas[index]!);
    target.set(entry, position);
    position += entry.length;
  });
  const body = position - at - FRAME_HEADER_BYTES;
  const watermark = Math.max(0, of.base - of.behind);
  sealFrame(target, at, of.flags, body, of.base, of.entries.length, of.timestamp, of.epoch, watermark, KEY);
  return target.subarray(0, position);
}

const one: Sample = {
  entries: [Buffer.from('first'), Buffer.alloc(0), Buffer.from('third')],
  deltas: [0, 1, 0xffffffff],
  flags: 1,
  base: 2 ** 33 + 5,
  timestamp: 1_700_000_000_000,
  epoch: 7,
  behind: 4,
};

describe('a frame', () => {
  it('gives back what was sealed into it, wherever it stands', () => {
    fc.assert(
      fc.property(sample, fc.nat(100), (of, at) => {
        const bytes = build(of, at);
        const header = readFrameHeader(bytes, at, KEY)!;
        expect(header).toMatchObject({
          flags: of.flags,
          baseOffset: of.base,
          count: of.entries.length,
          timestamp: of.timestamp,
          epoch: of.epoch,
          watermark: Math.max(0, of.base - of.behind),
          bodyBytes: bytes.length - at - FRAME_HEADER_BYTES,
        });
        expect(bodyMatches(bytes, at + FRAME_HEADER_BYTES, header)).toBe(true);
        const cursor = new EntryCursor();
        cursor.open(bytes, at + FRAME_HEADER_BYTES, header.bodyBytes);
        for (let index = 0; index < of.entries.length; index++) {
          expect(cursor.next()).toBe(true);
          expect(cursor.timeDelta_ms).toBe(of.deltas[index]);
          expect(Buffer.compare(bytes.subarray(cursor.start, cursor.end), of.entries[index]!)).toBe(0);
        }
        expect(cursor.next()).toBe(false);
      }),
    );
  });

  it('costs 40 bytes, and 2 to 4 for each small entry within', () => {
    const entries = Array.from({ length: 100 }, () => Buffer.alloc(116));
    const bytes = build({ ...one, entries, deltas: entries.map(() => 3) });
    expect(bytes.length).toBe(40 + 100 * (116 + 2));
  });

  it('shows every flipped bit, in the header by the header and in the body by the body', () => {
    const whole = build(one);
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const bytes = Buffer.from(whole);
      bytes[bit >>> 3]! ^= 1 << (bit & 7);
      const header = readFrameHeader(bytes, 0, KEY);
      if (bit >>> 3 < FRAME_HEADER_BYTES) expect(header).toBeUndefined();
      else expect(bodyMatches(bytes, FRAME_HEADER_BYTES, header!)).toBe(false);
    }
  });

  it('has no header where fewer than 40 bytes are left', () => {
    const whole = build(one);
    for (let length = 0; length < FRAME_HEADER_BYTES; length++) {
      expect(readFrameHeader(whole.subarray(0, length), 0, KEY)).toBeUndefined();
    }
    expect(readFrameHeader(whole, whole.length, KEY)).toBeUndefined();
  });

  it('does not match a body that was cut short', () => {
    const whole = build(one);
    const header = readFrameHeader(whole, 0, KEY)!;
    expect(bodyMatches(whole.subarray(0, whole.length - 1), FRAME_HEADER_BYTES, header)).toBe(false);
  });
});

describe('findMagic', () => {
  it('finds the next magic, and a lone first byte at the very end because the rest may follow', () => {
    const bytes = Buffer.from('xxHHFxxHFxH', 'latin1');
    expect(findMagic(bytes, 0)).toBe(3);
    expect(findMagic(bytes, 4)).toBe(7);
    expect(findMagic(bytes, 8)).toBe(10);
    expect(findMagic(bytes, 11)).toBe(-1);
    expect(findMagic(Buffer.from('xyz'), 0)).toBe(-1);
  });
});

/** Seven bits a byte. */
const varintBytes = (value: number): number => Math.max(1, Math.ceil(value.toString(2).length / 7));

describe('varints and offsets', () => {
  it('round-trip and take the length that was said', () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), (value) => {
        const target = Buffer.alloc(8);
        expect(writeVarint(target, 0, value)).toBe(varintBytes(value));
        const cursor = new EntryCursor();
        const body = Buffer.alloc(16);
        cursor.open(body, 0, writeVarint(body, writeVarint(body, 0, 0), value));
        expect(cursor.next()).toBe(true);
        expect(cursor.timeDelta_ms).toBe(value);
      }),
    );
    for (const value of [
      0, 0x7f, 0x80, 0x3fff, 0x4000, 0x1fffff, 0x200000, 0xfffffff, 0x10000000, 0xffffffff,
    ]) {
      expect(writeVarint(Buffer.alloc(8), 0, value)).toBe(varintBytes(value));
    }
  });

  it('keeps every offset that a number can hold exactly', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (offset) => {
        const bytes = Buffer.alloc(8);
        writeOffset(bytes, offset, 0);
        expect(readOffset(bytes, 0)).toBe(offset);
        expect(bytes.readBigUInt64LE(0)).toBe(BigInt(offset));
      }),
    );
  });
});

describe('the entry cursor', () => {
  it('ends, and never leaves the body, on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(50), (bytes, at) => {
        const from = Math.min(at, bytes.length);
        const cursor = new EntryCursor();
        cursor.open(bytes, from, bytes.length - from);
        let entries = 0;
        while (cursor.next()) {
          expect(cursor.start).toBeGreaterThanOrEqual(from);
          expect(cursor.end).toBeLessThanOrEqual(bytes.length);
          expect(cursor.start).toBeLessThanOrEqual(cursor.end);
          entries += 1;
        }
        expect(entries).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });
});
