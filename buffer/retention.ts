// What may be removed, as a pure function over segments, groups, policy, sizes and running time. Invariant: unconsumed
// data of a protecting group goes only by a policy that the user wrote down. Order of precedence: buffer/README.md.

import type { DropReason } from './ledger.ts';

/** How long, and how much, is kept of what every group that counts has consumed: as far as replay can reach. */
export interface KeepConsumed {
  /** Bytes of each shard, the newest; undefined: no limit. */
  readonly bytes: number | undefined;
  /** Running time since the last entry of a segment, ms; undefined: no limit. */
  readonly age_ms: number | undefined;
}

export interface RetentionPolicy {
  /** Segments of each shard that hold anything and stay whatever else is said, the active one included. */
  readonly minSegments: number;
  /** Removes what is older (running time), consumed or not, protected or not, ms; undefined: no limit. */
  readonly forceDeleteAfter_ms: number | undefined;
  /** Removes what is older (running time, not wall clock), ms; undefined: no limit. */
  readonly maxAge_ms: number | undefined;
  /** undefined: what is consumed goes at once. */
  readonly keepConsumed: KeepConsumed | undefined;
  /** Room that what is kept for replay makes before a limit is met. */
  readonly headroom_bytes: number;
  /** Whether groups keep what they have not consumed even when it is older than maxAge. */
  readonly protectUnconsumed: boolean;
  readonly whenFull: 'reject' | 'drop_oldest';
}

export interface SegmentView {
  readonly base: number;
  readonly end: number;
  readonly bytes: number;
  readonly sealed: boolean;
  readonly lastTimestamp: number;
  /** Running time since its last entry, ms. */
  readonly age_ms: number;
}

export interface GroupView {
  readonly committed: number;
  readonly protect: boolean;
  readonly maxLag_bytes: number | undefined;
  readonly maxLag_ms: number | undefined;
}

export interface ShardView {
  /** Oldest first; the last is the active one. */
  readonly segments: readonly SegmentView[];
  readonly groups: readonly GroupView[];
  /** Of its stream: where room is needed, the lowest is shed first. */
  readonly priority: number;
  /** By how much the shard passes its own limit, below 0 where there is room. */
  readonly overflow_bytes: number;
}

/** Remove the oldest segments of a shard up to the offset `until`. */
export interface Removal {
  readonly shard: number;
  readonly until: number;
  /** Entries below were consumed by every group that counts. */
  readonly consumedBelow: number;
  /** What the rest is dropped for. */
  readonly reason: DropReason;
}

/** A limit of the whole log that is passed. */
export type Pressure = 'max_size' | 'min_free_space';

/**
 * @param overflow_bytes by how much the disk limits of the log are passed, below 0 where there is room; `pressure` names the
 * limit that is passed, if one is
 */
export function decideRetention(
  shards: readonly ShardView[],
  policy: RetentionPolicy,
  overflow_bytes: number,
  pressure: Pressure | undefined,
): Removal[] {
  const plans = shards.map((shard) => new ShardPlan(shard, policy));
  for (const plan of plans) {
    plan.removeByPolicy();
    plan.removeOverflow();
  }
  let missing = overflow_bytes - sum(plans.map((plan) => plan.freed_bytes));
  for (;;) {
    const first = firstToShed(plans);
    const needed = pressure !== undefined && missing > 0;
    const spared = missing + policy.headroom_bytes > 0 && first?.nextIsConsumed;
    if (!first || !(needed || spared)) break;
    missing -= first.removeNext(pressure ?? 'unprotected');
  }
  return plans.flatMap((plan, shard) => plan.removals.map((removal) => ({ shard, ...removal })));
}

class ShardPlan {
  readonly removals: Omit<Removal, 'shard'>[] = [];
  readonly priority: number;
  freed_bytes = 0;
  #next = 0;
  /** Index of the first segment that has to stay whatever else is said. */
  readonly #stayFrom: number;
  readonly #shard: ShardView;
  readonly #policy: RetentionPolicy;
  readonly #consumedBelow: number;
  /** Nothing at or above this offset may go but by drop_oldest. */
  readonly #protectedFrom: number;
  /** Without any group nobody has said that the data may go: dead letters, or a group that is still to come. */
  readonly #nobodyYet: boolean;
  /** Bytes of the consumed sealed segments that are left. */
  #consumed_bytes: number;

  constructor(shard: ShardView, policy: RetentionPolicy) {
    this.#shard = shard;
    this.#policy = policy;
    this.priority = shard.priority;
    this.#stayFrom = lastFilled(shard.segments, policy.minSegments);
    this.#consumedBelow = consumedBelow(shard.groups) ?? shard.segments[0]?.base ?? 0;
    this.#protectedFrom = Math.min(
      ...shard.groups.filter((group) => group.protect).map((group) => protectedFrom(group, shard.segments)),
      Number.POSITIVE_INFINITY,
    );
    this.#nobodyYet = shard.groups.length === 0;
    this.#consumed_bytes = sum(
      shard.segments
        .filter((segment) => segment.sealed && this.#isConsumed(segment))
        .map((segment) => segment.bytes),
    );
  }

  /** The oldest segment that is left, unless it has to stay. */
  get next(): SegmentView | undefined {
    const { segments } = this.#shard;
    if (this.#next >= this.#stayFrom) return undefined;
    const segment = segments[this.#next];
    return segment?.sealed ? segment : undefined;
  }

  /** Whether the next segment is kept for replay alone. */
  get nextIsConsumed(): boolean {
    const segment = this.next;
    return segment !== undefined && this.#isConsumed(segment);
  }

  removeByPolicy(): void {
    for (let segment = this.next; segment; segment = this.next) {
      const reason = this.#policyReason(segment);
      if (!reason) return;
      this.removeNext(reason);
    }
  }

  /** Brings the shard within its own limit, as far as its segments yield. */
  removeOverflow(): void {
    while (this.yields) {
      const missing = this.#shard.overflow_bytes - this.freed_bytes;
      const spared = this.nextIsConsumed ? this.#policy.headroom_bytes : 0;
      if (missing + spared <= 0) return;
      this.removeNext('max_shard_size');
    }
  }

  /** Whether pressure may take the next segment. */
  get yields(): boolean {
    const segment = this.next;
    if (!segment) return false;
    const free = this.#protectedFrom >= segment.end && !this.#nobodyYet;
    return free || !this.#policy.protectUnconsumed || this.#policy.whenFull === 'drop_oldest';
  }

  removeNext(reason: DropReason): number {
    const segment = this.next!;
    if (this.#isConsumed(segment)) this.#consumed_bytes -= segment.bytes;
    this.removals.push({ until: segment.end, consumedBelow: this.#consumedBelow, reason });
    this.#next += 1;
    this.freed_bytes += segment.bytes;
    return segment.bytes;
  }

  #isConsumed(segment: SegmentView): boolean {
    return segment.end <= this.#consumedBelow;
  }

  /** Why policy alone removes the segment; consumed data needs no reason, `unprotected` stands for it. */
  #policyReason(segment: SegmentView): DropReason | undefined {
    const { forceDeleteAfter_ms, maxAge_ms, protectUnconsumed } = this.#policy;
    if (forceDeleteAfter_ms !== undefined && segment.age_ms > forceDeleteAfter_ms)
      return 'force_delete_after';
    if (this.#isConsumed(segment) && !this.#keptForReplay(segment)) return 'unprotected';
    const free = segment.end <= this.#protectedFrom;
    if (maxAge_ms !== undefined && segment.age_ms > maxAge_ms && (free || !protectUnconsumed))
      return 'max_age';
    // Some group had a limit and is past it: only such a group stands in the way of others that consumed all.
    const limited = this.#shard.groups.some(
      (group) => group.protect && group.committed < segment.end && hasLimit(group),
    );
    return limited && free ? 'max_lag' : undefined;
  }

  #keptForReplay(segment: SegmentView): boolean {
    const keep = this.#policy.keepConsumed;
    if (!keep) return false;
    const young = keep.age_ms === undefined || segment.age_ms <= keep.age_ms;
    return young && (keep.bytes === undefined || this.#consumed_bytes <= keep.bytes);
  }
}

/** Where the last `count` segments begin that hold anything: one that a failed commit left empty serves nobody. */
function lastFilled(segments: readonly SegmentView[], count: number): number {
  let at = segments.length;
  for (let left = count; left > 0 && at > 0; ) {
    at -= 1;
    if (segments[at]!.bytes > 0) left -= 1;
  }
  return at;
}

/** What every protecting group has consumed; every group, where none protects; undefined where there is no group. */
export function consumedBelow(
  groups: readonly Pick<GroupView, 'committed' | 'protect'>[],
): number | undefined {
  const protecting = groups.filter((group) => group.protect);
  const counting = protecting.length > 0 ? protecting : groups;
  return counting.length > 0 ? Math.min(...counting.map((group) => group.committed)) : undefined;
}

/** From which offset on a group protects: its committed offset, or later where its max_lag is exceeded. */
function protectedFrom(group: GroupView, segments: readonly SegmentView[]): number {
  if (!hasLimit(group)) return group.committed;
  let from = group.committed;
  let behind_bytes = 0;
  for (let index = segments.length - 1; index >= 0; index--) {
    const segment = segments[index]!;
    if (segment.end <= group.committed) break;
    behind_bytes += segment.bytes;
    const tooMuch = group.maxLag_bytes !== undefined && behind_bytes > group.maxLag_bytes;
    const tooOld = group.maxLag_ms !== undefined && segment.age_ms > group.maxLag_ms;
    if (tooMuch || tooOld) {
      from = Math.max(from, segment.end);
      break;
    }
  }
  return from;
}

function hasLimit(group: GroupView): boolean {
  return group.maxLag_bytes !== undefined || group.maxLag_ms !== undefined;
}

function firstToShed(plans: readonly ShardPlan[]): ShardPlan | undefined {
  let first: ShardPlan | undefined;
  for (const plan of plans) if (plan.yields && (!first || goesBefore(plan, first))) first = plan;
  return first;
}

/** What is kept for replay alone costs nobody anything; then the lowest priority, then the oldest. */
function goesBefore(a: ShardPlan, b: ShardPlan): boolean {
  if (a.nextIsConsumed !== b.nextIsConsumed) return a.nextIsConsumed;
  if (!a.nextIsConsumed && a.priority !== b.priority) return a.priority < b.priority;
  return a.next!.lastTimestamp < b.next!.lastTimestamp;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
