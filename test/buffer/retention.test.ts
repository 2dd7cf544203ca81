// What may be removed, rule by rule as buffer/README.md lists them, and what never may, for any input.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  decideRetention,
  type GroupView,
  type Removal,
  type RetentionPolicy,
  type SegmentView,
  type ShardView,
} from '../../buffer/retention.ts';

const reject: RetentionPolicy = { maxAge_ms: undefined, protectUnconsumed: true, whenFull: 'reject' };
const dropOldest: RetentionPolicy = { ...reject, whenFull: 'drop_oldest' };

/** Five segments of ten entries and 100 bytes; the last is active. Ages 400, 300 … 0. */
function shard(groups: readonly Partial<GroupView>[], lastTimestamp = 0): ShardView {
  const segments: SegmentView[] = Array.from({ length: 5 }, (_, index) => ({
    base: 10 * index,
    end: 10 * index + 10,
    bytes: 100,
    sealed: index < 4,
    lastTimestamp: lastTimestamp + index,
    age_ms: 400 - 100 * index,
  }));
  const complete = groups.map((group) => ({
    committed: 0,
    protect: true,
    maxLag_bytes: undefined,
    maxLag_ms: undefined,
    ...group,
  }));
  return { segments, groups: complete };
}

function decide(
  view: ShardView,
  policy: RetentionPolicy = reject,
  overflow = 0,
  pressure: 'max_size' | 'min_free_space' | undefined = overflow > 0 ? 'max_size' : undefined,
): Removal[] {
  return decideRetention([view], policy, overflow, pressure);
}

const until = (removals: readonly Removal[]): number =>
  Math.max(0, ...removals.map((removal) => removal.until));

describe('consumed data', () => {
  it('goes at once, up to what the slowest protecting group has consumed', () => {
    expect(until(decide(shard([{ committed: 30 }, { committed: 25 }])))).toBe(20);
    expect(until(decide(shard([{ committed: 20 }])))).toBe(20);
    expect(decide(shard([{ committed: 9 }]))).toEqual([]);
  });

  it('is not kept for a group that does not protect, unless there is no other', () => {
    expect(until(decide(shard([{ committed: 30 }, { committed: 0, protect: false }])))).toBe(30);
    expect(until(decide(shard([{ committed: 10, protect: false }])))).toBe(10);
  });

  it('leaves the active segment where it is', () => {
    expect(until(decide(shard([{ committed: 50 }])))).toBe(40);
  });
});

describe('max_age', () => {
  const policy = { ...reject, maxAge_ms: 250 };

  it('removes what nobody protects once it is older', () => {
    const removals = decide(shard([{ committed: 0, protect: false }]), policy);
    expect(until(removals)).toBe(20);
    expect(removals.every((removal) => removal.reason === 'max_age')).toBe(true);
  });

  it('leaves what a protecting group has not consumed', () => {
    expect(decide(shard([{ committed: 0 }]), policy)).toEqual([]);
    expect(until(decide(shard([{ committed: 12 }]), policy))).toBe(10);
  });

  it('removes unconsumed data where the user took the protection away', () => {
    expect(until(decide(shard([{ committed: 0 }]), { ...policy, protectUnconsumed: false }))).toBe(20);
  });

  it('applies to data of no group at all', () => {
    expect(until(decide(shard([]), policy))).toBe(20);
  });

  it('keeps what is exactly as old', () => {
    expect(until(decide(shard([]), { ...reject, maxAge_ms: 400 }))).toBe(0);
    expect(until(decide(shard([]), { ...reject, maxAge_ms: 399 }))).toBe(10);
  });
});

describe('max_lag', () => {
  it('ends the protection of a group that is too many bytes behind', () => {
    const removals = decide(shard([{ committed: 0, maxLag_bytes: 250 }]));
    expect(until(removals)).toBe(30);
    expect(removals.every((removal) => removal.reason === 'max_lag')).toBe(true);
    expect(decide(shard([{ committed: 0, maxLag_bytes: 500 }]))).toEqual([]);
  });

  it('ends the protection of a group that is too long behind', () => {
    expect(until(decide(shard([{ committed: 0, maxLag_ms: 150 }])))).toBe(30);
    expect(decide(shard([{ committed: 0, maxLag_ms: 400 }]))).toEqual([]);
  });

  it('takes nothing from another group that still protects', () => {
    const dead = { committed: 0, maxLag_bytes: 1 };
    expect(decide(shard([dead, { committed: 5 }]))).toEqual([]);
    expect(until(decide(shard([dead, { committed: 20 }])))).toBe(20);
  });

  it('does not count what the group has consumed', () => {
    expect(until(decide(shard([{ committed: 40, maxLag_bytes: 150 }])))).toBe(40);
    const removals = decide(shard([{ committed: 30, maxLag_bytes: 150 }]));
    expect(removals.map((removal) => removal.reason)).toEqual([
      'unprotected',
      'unprotected',
      'unprotected',
      'max_lag',
    ]);
  });
});

describe('a full disk', () => {
  it('takes nothing that a group protects under reject', () => {
    expect(decide(shard([{ committed: 0 }]), reject, 300)).toEqual([]);
  });

  it('takes nothing of a stream without any group under reject, for nobody said that it may go', () => {
    expect(decide(shard([]), reject, 300)).toEqual([]);
    expect(decide(shard([]), reject, 300, 'min_free_space')).toEqual([]);
  });

  it('takes what only unprotecting groups have not consumed', () => {
    const removals = decide(shard([{ committed: 0, protect: false }]), reject, 150, 'min_free_space');
    expect(until(removals)).toBe(20);
    expect(removals[0]!.reason).toBe('min_free_space');
  });

  it('takes unconsumed data under reject where the user took the protection away', () => {
    expect(until(decide(shard([{ committed: 0 }]), { ...reject, protectUnconsumed: false }, 50))).toBe(10);
  });

  it('takes the oldest under drop_oldest, as many segments as are needed and not one more', () => {
    expect(until(decide(shard([{ committed: 0 }]), dropOldest, 1))).toBe(10);
    expect(until(decide(shard([{ committed: 0 }]), dropOldest, 100))).toBe(10);
    expect(until(decide(shard([{ committed: 0 }]), dropOldest, 101))).toBe(20);
  });

  it('never takes the active segment, however much is missing', () => {
    expect(until(decide(shard([{ committed: 0 }]), dropOldest, 1e9))).toBe(40);
  });

  it('takes less where consumed data goes anyway', () => {
    expect(until(decide(shard([{ committed: 20 }]), dropOldest, 200))).toBe(20);
    expect(until(decide(shard([{ committed: 20 }]), dropOldest, 201))).toBe(30);
  });

  it('takes the oldest of all shards first', () => {
    const removals = decideRetention(
      [shard([{ committed: 0 }], 100), shard([{ committed: 0 }], 2)],
      dropOldest,
      250,
      'max_size',
    );
    expect(removals.map((removal) => [removal.shard, removal.until])).toEqual([
      [1, 10],
      [1, 20],
      [1, 30],
    ]);
  });
});

describe('any decision', () => {
  const group: fc.Arbitrary<GroupView> = fc.record({
    committed: fc.nat(60),
    protect: fc.boolean(),
    maxLag_bytes: fc.option(fc.nat(600), { nil: undefined }),
    maxLag_ms: fc.option(fc.nat(500), { nil: undefined }),
  });
  const policy: fc.Arbitrary<RetentionPolicy> = fc.record({
    maxAge_ms: fc.option(fc.nat(500), { nil: undefined }),
    protectUnconsumed: fc.boolean(),
    whenFull: fc.constantFrom('reject' as const, 'drop_oldest' as const),
  });
  const input = fc.tuple(fc.array(fc.array(group, { maxLength: 3 }), { maxLength: 4 }), policy, fc.nat(1500));

  it('removes whole sealed segments, oldest first, each once', () => {
    fc.assert(
      fc.property(input, ([shards, rules, overflow]) => {
        const views = shards.map((groups) => shard(groups));
        const removals = decideRetention(views, rules, overflow, overflow > 0 ? 'max_size' : undefined);
        for (const [index, view] of views.entries()) {
          const own = removals.filter((removal) => removal.shard === index).map((removal) => removal.until);
          expect(own).toEqual(view.segments.slice(0, own.length).map((segment) => segment.end));
          expect(own.length).toBeLessThanOrEqual(4);
        }
      }),
    );
  });

  it('keeps what a protecting group has not consumed unless the user wrote a rule that takes it', () => {
    fc.assert(
      fc.property(input, ([shards, rules, overflow]) => {
        const views = shards.map((groups) => shard(groups));
        const strict = { ...rules, protectUnconsumed: true, whenFull: 'reject' as const };
        const removals = decideRetention(views, strict, overflow, overflow > 0 ? 'max_size' : undefined);
        for (const removal of removals) {
          for (const one of views[removal.shard]!.groups) {
            const limited = one.maxLag_bytes !== undefined || one.maxLag_ms !== undefined;
            if (one.protect && !limited) expect(removal.until).toBeLessThanOrEqual(one.committed);
          }
        }
      }),
    );
  });
});
