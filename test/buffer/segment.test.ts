// The index beside a sealed segment: believed only where it is whole and fits the data.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeIndex, encodeIndex, INDEX_INTERVAL_BYTES, Segment } from '../../buffer/segment.ts';

function sealed(): Segment {
  const segment = new Segment(1000);
  segment.end = 1900;
  segment.bytes = 5 * INDEX_INTERVAL_BYTES;
  segment.sealed = true;
  segment.firstTimestamp = 1_700_000_000_000;
  segment.lastTimestamp = 1_700_000_009_000;
  segment.lastRunning_ms = 77;
  for (let point = 0; point < 5; point++)
    segment.addPoint(1000 + 100 * point, point * INDEX_INTERVAL_BYTES, INDEX_INTERVAL_BYTES);
  return segment;
}

describe('Segment', () => {
  it('keeps one point an interval, and finds the last at or before an offset', () => {
    const segment = new Segment(10);
    expect(segment.pointBefore(50)).toEqual({ offset: 10, position: 0 });
    for (let position = 0; position < 3 * INDEX_INTERVAL_BYTES; position += INDEX_INTERVAL_BYTES / 4) {
      segment.addPoint(10 + position / 1024, position, INDEX_INTERVAL_BYTES);
    }
    expect(segment.points.length).toBe(3);
    const [, second, third] = segment.points;
    expect(segment.pointBefore(second!.offset - 1)).toEqual({ offset: 10, position: 0 });
    expect(segment.pointBefore(second!.offset)).toBe(second);
    expect(segment.pointBefore(third!.offset + 1_000_000)).toBe(third);
  });
});

describe('an index', () => {
  it('gives back the segment that it was made of', () => {
    const segment = sealed();
    expect(decodeIndex(encodeIndex(segment), 1000, segment.bytes)).toEqual(segment);
  });

  it('is refused at every flipped bit, at every length but its own, and for other data', () => {
    const segment = sealed();
    const index = encodeIndex(segment);
    for (let bit = 0; bit < index.length * 8; bit++) {
      const bytes = Buffer.from(index);
      bytes[bit >>> 3]! ^= 1 << (bit & 7);
      // Two bytes are reserved and not read; the checksum covers them all the same.
      expect(decodeIndex(bytes, 1000, segment.bytes)).toBeUndefined();
    }
    for (let length = 0; length < index.length; length++) {
      expect(decodeIndex(index.subarray(0, length), 1000, segment.bytes)).toBeUndefined();
    }
    expect(decodeIndex(Buffer.concat([index, Buffer.alloc(1)]), 1000, segment.bytes)).toBeUndefined();
    expect(decodeIndex(index, 1001, segment.bytes)).toBeUndefined();
    expect(decodeIndex(index, 1000, segment.bytes - 1)).toBeUndefined();
  });

  it('that is random bytes is refused without a throw', () => {
    const head = encodeIndex(sealed());
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(64), (random, keep) => {
        const bytes = Buffer.concat([head.subarray(0, keep), random]);
        expect(decodeIndex(bytes, 1000, 5 * INDEX_INTERVAL_BYTES)).toBeUndefined();
      }),
    );
  });
});
