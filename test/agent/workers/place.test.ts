import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { adoptedBy, diskFor } from '../../../agent/workers/place.ts';
import { SharedDisk } from '../../../buffer/index.ts';

test('every log on disk is drained by exactly one worker, whatever their number was before', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 64 }),
      fc.uniqueArray(fc.integer({ min: 1, max: 99 })),
      (count, onDisk) => {
        const drained = Array.from({ length: count }, (_, worker) => [
          worker,
          ...adoptedBy(worker, count, onDisk),
        ]).flat();
        expect(new Set(drained).size).toBe(drained.length);
        expect(drained).toEqual(expect.arrayContaining(onDisk));
        const memory = diskFor(count, onDisk);
        for (const log of drained) expect(() => new SharedDisk(memory, log)).not.toThrow();
      },
    ),
  );
});
