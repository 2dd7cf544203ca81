// O_DIRECT into recycled segments, before the product does it: recovery as it is tells the frames of the former life apart.

import { describe, expect, it } from '@jest/globals';
import { exhaustDirect } from './direct.ts';

describe('commits past the page cache into a segment full of stale frames', () => {
  it.each([
    [['small', 'several'], ['small']],
    [['large'], ['several']],
    [['small', 'large'], ['small']],
  ] as const)(
    'of %j, recovered and gone on with by %j, show nothing stale and lose nothing promised',
    async (first, second) => {
      const settings = { first, second, subsetsMax: 6 };
      expect(await exhaustDirect({ ...settings, cuts: true })).toBeGreaterThan(100);
      // Whoever could not cut the tail off finds the pieces of batches that were never complete, and must not take them up.
      expect(await exhaustDirect({ ...settings, cuts: false })).toBeGreaterThan(100);
    },
  );

  // Shards share the key, and their offsets overlap: that is why a segment may be recycled within its shard alone.
  it('could not be told from those of another shard', async () => {
    const settings = { first: ['small'], second: ['small'], cuts: true, subsetsMax: 6 } as const;
    await expect(exhaustDirect({ ...settings, staleFrom: 1_000_000 })).rejects.toThrow('invariant 3');
  });
});
