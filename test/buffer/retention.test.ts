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

const reject: RetentionPolicy = {
  minSegments: 0,
  forceDeleteAfter_ms: undefined,
  maxAge_ms: undefined,
  keepConsumed: undefined,
  headroom_bytes: 0,
  protectUnconsumed: true,
  whenFull: 'reject',
};
const dropOldest: RetentionPolicy = { ...reject, whenFull: 'drop_oldest' };

/** Five segments of ten entries and 100 bytes; the last is active. Ages 400, 300 … 0. */
function shard(
  groups: readonly Partial<GroupView>[],
  lastTimestamp = 0,
  more: Partial<ShardView> = {},
): ShardView {
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
  return { segments, groups: complete, priority: 0, overflow_bytes: Number.NEGATIVE_INFINITY, ...more };
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

describe('min_segments', () => {
  it('keeps that many of each shard whatever else is said, the active one included', () => {
    const aged = { ...dropOldest, minSegments: 3, forceDeleteAfter_ms: 0, maxAge_ms: 0 };
    expect(until(decide(shard([{ committed: 50 }]), aged, 1e9))).toBe(20);
    expect(until(decide(shard([{ committed: 50 }]), { ...reject, minSegments: 1 }))).toBe(40);
    expect(decide(shard([{ committed: 50 }]), { ...reject, minSegments: 9 })).toEqual([]);
  });

  it('counts none that holds nothing: a failed commit leaves one, and the next begins another', () => {
    const all = shard([{ committed: 50 }]);
    const empty = { bytes: 0, base: 50, end: 50, age_ms: 0, lastTimestamp: 0 };
    const failed = [
      { ...empty, sealed: true },
      { ...empty, base: 55, end: 55, sealed: false },
    ];
    const behind = { ...all, segments: [...all.segments.slice(0, 4), ...failed] };
    expect(until(decide(behind, { ...reject, minSegments: 2 }))).toBe(20);
    expect(decide(behind, { ...reject, minSegments: 4 })).toEqual([]);
    expect(until(decide(behind, reject))).toBe(50);
  });
});

describe('force_delete_after', () => {
  const policy = { ...reject, forceDeleteAfter_ms: 250 };

  it('removes what is older though a group protects it, or nobody has read it', () => {
    const removals = decide(shard([{ committed: 5 }]), policy);
    expect(until(removals)).toBe(20);
    expect(removals.map((removal) => [removal.reason, removal.consumedBelow])).toEqual([
      ['force_delete_after', 5],
      ['force_delete_after', 5],
    ]);
    expect(until(decide(shard([]), policy))).toBe(20);
  });

  it('removes what is kept for replay', () => {
    const keepConsumed = { bytes: undefined, age_ms: undefined };
    expect(until(decide(shard([{ committed: 40 }]), { ...policy, keepConsumed }))).toBe(20);
  });
});

describe('keep_consumed', () => {
  const keep = (bytes?: number, age_ms?: number): RetentionPolicy => ({
    ...reject,
    keepConsumed: { bytes, age_ms },
  });

  it('keeps what is consumed for so long', () => {
    expect(until(decide(shard([{ committed: 40 }]), keep(undefined, 200)))).toBe(20);
  });

  it('keeps the newest bytes of what is consumed, whatever is not consumed yet', () => {
    expect(until(decide(shard([{ committed: 40 }]), keep(200)))).toBe(20);
    expect(until(decide(shard([{ committed: 30 }]), keep(200)))).toBe(10);
    expect(until(decide(shard([{ committed: 30 }]), keep(199)))).toBe(20);
  });

  it('keeps no longer than the stricter of both says', () => {
    expect(until(decide(shard([{ committed: 40 }]), keep(300, 100)))).toBe(30);
    expect(until(decide(shard([{ committed: 40 }]), keep(100, 300)))).toBe(30);
  });

  it('yields to a limit, before anything that somebody has not consumed', () => {
    expect(until(decide(shard([{ committed: 20 }]), keep(), 500))).toBe(20);
    const policy = { ...keep(), whenFull: 'drop_oldest' as const };
    const consumed = shard([{ committed: 20 }], 100, { priority: 9 });
    const removals = decideRetention([shard([{ committed: 0 }]), consumed], policy, 250, 'max_size');
    expect(removals.map((removal) => [removal.shard, removal.until])).toEqual([
      [0, 10],
      [1, 10],
      [1, 20],
    ]);
  });

  it('makes room ahead of a limit, of what is consumed alone', () => {
    const ahead = { ...keep(), headroom_bytes: 150 };
    expect(until(decide(shard([{ committed: 40 }]), ahead, -100))).toBe(10);
    expect(until(decide(shard([{ committed: 10 }]), ahead, 0))).toBe(10);
    expect(decide(shard([{ committed: 40 }]), ahead, -150)).toEqual([]);
    const near = shard([{ committed: 40 }], 0, { overflow_bytes: -50 });
    expect(until(decide(near, ahead, -1e9))).toBe(10);
  });

  it('lets max_age have what is older', () => {
    expect(until(decide(shard([{ committed: 40 }]), { ...keep(), maxAge_ms: 250 }))).toBe(20);
  });
});

describe('max_shard_size', () => {
  const over = (groups: readonly Partial<GroupView>[], overflow_bytes: number) =>
    shard(groups, 0, { overflow_bytes });

  it('takes the oldest of that shard alone under drop_oldest', () => {
    const removals = decideRetention([shard([{}]), over([{}], 150)], dropOldest, 0, undefined);
    expect(removals.map(({ shard: at, until: to, reason }) => [at, to, reason])).toEqual([
      [1, 10, 'max_shard_size'],
      [1, 20, 'max_shard_size'],
    ]);
  });

  it('takes nothing that a group protects under reject, and what none protects', () => {
    expect(decide(over([{}], 150))).toEqual([]);
    expect(until(decide(over([{ protect: false }], 150)))).toBe(20);
  });

  it('is content with what policy has removed', () => {
    const removals = decide(over([{ committed: 20 }], 150), dropOldest);
    expect(removals.map((removal) => removal.reason)).toEqual(['unprotected', 'unprotected']);
  });
});

describe('priority', () => {
  it('sheds the lowest first, however old the others are', () => {
    const shards = [
      shard([{}], 0, { priority: 1 }),
      shard([{}], 900, { priority: -1 }),
      shard([{}], 500, { priority: 0 }),
    ];
    const removals = decideRetention(shards, dropOldest, 550, 'max_size');
    expect(removals.map((removal) => removal.shard)).toEqual([1, 1, 1, 1, 2, 2]);
  });
});

describe('any decision', () => {
  const group: fc.Arbitrary<GroupView> = fc.record({
    committed: fc.nat(60),
    protect: fc.boolean(),
    maxLag_bytes: fc.option(fc.nat(600), { nil: undefined }),
    maxLag_ms: fc.option(fc.nat(500), { nil: undefined }),
  });
  const limit = (max: number) => fc.option(fc.nat(max), { nil: undefined });
  const policy: fc.Arbitrary<RetentionPolicy> = fc.record({
    minSegments: fc.nat(6),
    forceDeleteAfter_ms: limit(500),
    maxAge_ms: limit(500),
    keepConsumed: fc.option(fc.record({ bytes: limit(600), age_ms: limit(500) }), { nil: undefined }),
    headroom_bytes: fc.constant(0),
    protectUnconsumed: fc.boolean(),
    whenFull: fc.constantFrom('reject' as const, 'drop_oldest' as const),
  });
  const view = fc
    .record({
      groups: fc.array(group, { maxLength: 3 }),
      lastTimestamp: fc.nat(10),
      priority: fc.integer({ min: -2, max: 2 }),
      overflow_bytes: fc.integer({ min: -500, max: 500 }),
    })
    .map(({ groups, lastTimestamp, ...more }) => shard(groups, lastTimestamp, more));
  const input = fc.tuple(fc.array(view, { maxLength: 4 }), policy, fc.nat(1500));
  const decided = ([views, rules, overflow]: readonly [ShardView[], RetentionPolicy, number]): Removal[] =>
    decideRetention(views, rules, overflow, overflow > 0 ? 'max_size' : undefined);
  const removed = (removals: readonly Removal[], index: number): Removal[] =>
    removals.filter((removal) => removal.shard === index);
  /** Of the segments that are left the oldest that may go at all. */
  const nextOf = (one: ShardView, gone: number, rules: RetentionPolicy): SegmentView | undefined =>
    gone < one.segments.length - Math.max(1, rules.minSegments) ? one.segments[gone] : undefined;
  /** Some group that protects has not consumed it, or nobody has said that it may go. */
  const wanted = (one: ShardView, segment: SegmentView): boolean =>
    one.groups.length === 0 || one.groups.some((each) => each.protect && each.committed < segment.end);
  const limited = (each: GroupView): boolean =>
    each.maxLag_bytes !== undefined || each.maxLag_ms !== undefined;
  const consumed = (one: ShardView, segment: SegmentView): boolean => {
    const protecting = one.groups.filter((each) => each.protect);
    const counting = protecting.length > 0 ? protecting : one.groups;
    return counting.length > 0 && counting.every((each) => each.committed >= segment.end);
  };
  const older = (segment: SegmentView, limit_ms: number | undefined): boolean =>
    limit_ms !== undefined && segment.age_ms > limit_ms;

  it('removes whole sealed segments, oldest first, each once, and leaves min_segments', () => {
    fc.assert(
      fc.property(input, (given) => {
        const [views, rules] = given;
        const removals = decided(given);
        for (const [index, one] of views.entries()) {
          const own = removed(removals, index).map((removal) => removal.until);
          expect(own).toEqual(one.segments.slice(0, own.length).map((segment) => segment.end));
          expect(own.length).toBeLessThanOrEqual(Math.max(0, 5 - Math.max(1, rules.minSegments)));
        }
      }),
    );
  });

  it('removes what somebody still wants only by a rule that the user wrote and that says so', () => {
    fc.assert(
      fc.property(input, (given) => {
        const [views, rules, overflow] = given;
        for (const { shard: index, until: to, reason } of decided(given)) {
          const one = views[index]!;
          const segment = one.segments.find((each) => each.end === to)!;
          if (!wanted(one, segment)) continue;
          const open = !rules.protectUnconsumed;
          const sheds = open || rules.whenFull === 'drop_oldest';
          // Beyond its limit a group no longer counts; which of them are is the business of the examples above.
          const lagging = one.groups.some((each) => each.protect && limited(each));
          const allowed: Readonly<Record<string, boolean>> = {
            force_delete_after: older(segment, rules.forceDeleteAfter_ms),
            max_age: older(segment, rules.maxAge_ms) && (open || lagging || one.groups.length === 0),
            max_lag: lagging,
            max_shard_size: one.overflow_bytes > 0 && (sheds || lagging),
            max_size: overflow > 0 && (sheds || lagging),
          };
          expect([reason, allowed[reason]]).toEqual([reason, true]);
        }
      }),
    );
  });

  it('leaves nothing that force_delete_after, consumption or max_age says should go', () => {
    fc.assert(
      fc.property(input, (given) => {
        const [views, rules] = given;
        const removals = decided(given);
        for (const [index, one] of views.entries()) {
          const next = nextOf(one, removed(removals, index).length, rules);
          if (!next) continue;
          expect(older(next, rules.forceDeleteAfter_ms)).toBe(false);
          if (!rules.keepConsumed) expect(consumed(one, next)).toBe(false);
          if (!wanted(one, next) || !rules.protectUnconsumed)
            expect(older(next, rules.maxAge_ms)).toBe(false);
        }
      }),
    );
  });

  it('sheds nobody while anything is left that is kept for replay alone, or of a lower priority', () => {
    fc.assert(
      fc.property(input, ([views, rules, overflow]) => {
        const given = [views, { ...rules, whenFull: 'drop_oldest' as const }, overflow] as const;
        const removals = decided(given as [ShardView[], RetentionPolicy, number]);
        const left = views.map((one, index) => nextOf(one, removed(removals, index).length, rules));
        for (const { shard: index, until: to, reason } of removals) {
          const segment = views[index]!.segments.find((each) => each.end === to)!;
          if (reason !== 'max_size' || consumed(views[index]!, segment)) continue;
          for (const [other, next] of left.entries()) {
            if (!next) continue;
            expect(consumed(views[other]!, next)).toBe(false);
            expect(views[other]!.priority).toBeGreaterThanOrEqual(views[index]!.priority);
          }
        }
      }),
    );
  });

  it('makes the room that is needed under drop_oldest, and no more than a segment beyond it', () => {
    fc.assert(
      fc.property(input, ([views, rules, overflow]) => {
        const given = [views, { ...rules, whenFull: 'drop_oldest' as const }, overflow] as const;
        const removals = decided(given as [ShardView[], RetentionPolicy, number]);
        const freed = 100 * removals.length;
        const rest = views.some((one, index) => nextOf(one, removed(removals, index).length, rules));
        if (rest) expect(freed).toBeGreaterThanOrEqual(overflow);
        const shed = removals.filter((removal) => removal.reason === 'max_size').length;
        if (shed > 0) expect(freed).toBeLessThan(overflow + 100);
      }),
    );
  });

  it('keeps what a protecting group has not consumed unless the user wrote a rule that takes it', () => {
    fc.assert(
      fc.property(input, ([views, rules, overflow]) => {
        const strict = {
          ...rules,
          forceDeleteAfter_ms: undefined,
          protectUnconsumed: true,
          whenFull: 'reject' as const,
        };
        for (const removal of decided([views, strict, overflow])) {
          for (const one of views[removal.shard]!.groups) {
            if (one.protect && !limited(one)) expect(removal.until).toBeLessThanOrEqual(one.committed);
          }
        }
      }),
    );
  });
});
