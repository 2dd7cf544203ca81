// The body of a request is what came, in whatever pieces; many small ones cost no more memory than their bytes.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BlockPool } from '../../../buffer/index.ts';
import { Body } from '../../../receivers/server/body.ts';

const pool = new BlockPool(2 ** 20);

describe('Body', () => {
  it('holds what came, whatever its pieces', () => {
    const piece = fc.record({
      bytes: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(16_383, 16_384, 65_536, 70_000)),
      times: fc.integer({ min: 1, max: 60 }),
    });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 5 }), fc.boolean(), (kinds, declared) => {
        const pieces = kinds.flatMap(({ bytes, times }, kind) =>
          Array.from({ length: Math.min(times, bytes > 9 ? 3 : 60) }, (_, i) =>
            Buffer.alloc(bytes, kind * 60 + i),
          ),
        );
        const whole = Buffer.concat(pieces);
        const body = new Body(declared ? whole.length : undefined, pool);
        for (const each of pieces) body.add(each);
        body.finish();
        expect(body.length).toBe(whole.length);
        expect(body.bytes.equals(whole)).toBe(true);
        body.release();
      }),
    );
  });

  it('lets go of small pieces once there are many', () => {
    const body = new Body(undefined, pool);
    for (let index = 0; index < 40; index++) body.add(Buffer.from('kept'));
    const small = Buffer.from('copied');
    body.add(small);
    // It is of no use to the body any more: a million like it would cost a hundred times what they hold.
    small.fill('x');
    body.finish();
    expect(body.bytes.toString()).toBe(`${'kept'.repeat(40)}copied`);
  });
});
