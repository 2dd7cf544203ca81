// The codec of committed offsets.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { TooManyGroups } from '../../buffer/errors.ts';
import { decodeOffsets, encodeOffsets, type GroupState } from '../../buffer/offsets.ts';
import { SLOT_PAYLOAD_MAX_BYTES } from '../../buffer/two_slot.ts';

const name = fc.string({ unit: fc.constantFrom(...'abcxyz/_-.~!0189'), minLength: 1, maxLength: 120 });
const state: fc.Arbitrary<GroupState> = fc.record({
  name,
  committed: fc.maxSafeNat(),
  protect: fc.boolean(),
});

describe('committed offsets', () => {
  it('are given back as they were, in the same order', () => {
    const groups = fc.uniqueArray(state, { selector: (group) => group.name, maxLength: 25 });
    fc.assert(
      fc.property(groups, (some) => {
        expect([...decodeOffsets(encodeOffsets(some, 's/0')).values()]).toEqual(some);
      }),
    );
  });

  it('of no group are no bytes', () => {
    expect(encodeOffsets([], 's/0').length).toBe(0);
    expect(decodeOffsets(Buffer.alloc(0)).size).toBe(0);
  });

  it('are refused with the shard named where they do not fit one slot', () => {
    const groups = Array.from({ length: 100 }, (_, index) => ({
      name: `group-${index}`.padEnd(120, 'x'),
      committed: 1,
      protect: true,
    }));
    expect(() => encodeOffsets(groups, 'traces/3')).toThrow(TooManyGroups);
    expect(() => encodeOffsets(groups, 'traces/3')).toThrow(/traces\/3/);
    const most = Math.floor(SLOT_PAYLOAD_MAX_BYTES / 130);
    expect(decodeOffsets(encodeOffsets(groups.slice(0, most), 's/0')).size).toBe(most);
  });
});
