// Compressed requests are counted by what they hold, also where they look alike.

import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { bodiesOf } from '../../../bench/load/bodies.ts';
import { CompressedCounts } from '../../../bench/load/compressed_counts.ts';
import { tracesRequest } from '../../../bench/load/payload.ts';

describe('the items of a compressed request', () => {
  it('are the same however it was compressed, and when it comes again', () => {
    const counts = new CompressedCounts();
    const seven = tracesRequest(1, 7);
    for (const body of [gzipSync(seven), gzipSync(seven, { level: 1 }), gzipSync(seven)]) {
      expect(counts.itemsIn(body)).toBe(7);
    }
    expect(counts.itemsIn(gzipSync(Buffer.concat([seven, tracesRequest(2, 3)])))).toBe(10);
    for (const { bytes, items } of bodiesOf('few spans', true)) expect(counts.itemsIn(bytes)).toBe(items);
  });

  it('are not taken from another body with the same trailer, nor from memory that was written over', () => {
    const counts = new CompressedCounts();
    const body = gzipSync(tracesRequest(1, 7));
    expect(counts.itemsIn(body)).toBe(7);
    const forged = gzipSync(tracesRequest(1, 3));
    body.copy(forged, forged.length - 8, body.length - 8);
    expect(() => counts.itemsIn(forged)).toThrow();
    const again = Buffer.from(body);
    body.fill(0);
    expect(counts.itemsIn(again)).toBe(7);
  });

  it('are refused where there is no member', () => {
    expect(() => new CompressedCounts().itemsIn(Buffer.from('plain'))).toThrow();
  });
});
