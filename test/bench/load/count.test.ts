// The backend of the benchmark knows when all of the work has come, whatever was done to the requests on their way.

import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { bodiesOf } from '../../../bench/load/bodies.ts';
import { itemsIn } from '../../../bench/load/count.ts';
import { logsRequest, tracesRequest } from '../../../bench/load/payload.ts';

describe('the items of a request', () => {
  it('are counted plain, compressed, compressed again and merged', () => {
    const [seven, three] = [tracesRequest(1, 7), tracesRequest(2, 3)];
    expect(itemsIn(seven, false)).toBe(7);
    expect(itemsIn(gzipSync(seven), true)).toBe(7);
    expect(itemsIn(gzipSync(seven, { level: 1 }), true)).toBe(7);
    expect(itemsIn(Buffer.concat([seven, three]), false)).toBe(10);
    expect(itemsIn(gzipSync(Buffer.concat([seven, three])), true)).toBe(10);
    expect(itemsIn(gzipSync(three), true)).toBe(3);
    expect(itemsIn(logsRequest(1, 5), false)).toBe(5);
    expect(itemsIn(Buffer.alloc(0), false)).toBe(0);
  });

  it('are as many as the generator says that it sent', () => {
    for (const [kind, gzip] of [
      ['records', false],
      ['few spans', false],
      ['few spans', true],
    ] as const) {
      for (const { bytes, items } of bodiesOf(kind, gzip)) expect(itemsIn(bytes, gzip)).toBe(items);
    }
  });
});
