// What may be removed, as a pure function over segments, groups, policy, sizes and running time. Invariant: unconsumed
// data of a protecting group goes only by a policy that the user wrote down. Order of precedence: buffer/README.md.

import type { DropReason } from './ledger.ts';

export interface RetentionPolicy {
  /** Removes what is older (running time, not wall clock), ms; undefined: no limit. */
  readonly maxAge_ms: number | undefined;
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

/** @param overflow_bytes how much must go to be within the disk limits; `pressure` names the limit. */
export function decideRetention(
  shards: readonly ShardView[],
  policy: RetentionPolicy,
  overflow_bytes: number,
  pressure: 'max_size' | 'min_free_space' | undefined,
): Removal[] {
  const plans = shards.map((shard) => new ShardPlan(shard, policy));
  for (const plan of plans) plan.removeByPolicy();
  let missing = pressure ? overflow_bytes - sum(plans.map((plan) => plan.freed_bytes)) : 0;
  while (missing > 0 && pressure) {
    const oldest = oldestRemovable(plans);
    if (!oldest) break;
    missing -= oldest.removeNext(pressure);
  }
  return plans.flatMap((plan, shard) => plan.removals.map((removal) => ({ shard, ...removal })));
}

class ShardPlan {
  readonly removals: Omit<Removal, 'shard'>[] = [];
  freed_bytes = 0;
  #next = 0;
  readonly #shard: ShardView;
  readonly #policy: RetentionPolicy;
  readonly #consumedBelow: number;
  /** Nothing at or above this offset may go but by drop_oldest. */
  readonly #protectedFrom: number;
  /** Without any group nobody has said that the data may go: dead letters, or a group that is still to come. */
  readonly #nobodyYet: boolean;

  constructor(shard: ShardView, policy: RetentionPolicy) {
    this.#shard = shard;
    this.#policy = policy;
    const logStart = shard.segments[0]?.base ?? 0;
    const protecting = shard.groups.filter((group) => group.protect);
    const counting = protecting.length > 0 ? protecting : shard.groups;
    this.#consumedBelow =
      counting.length > 0 ? Math.min(...counting.map((group) => group.committed)) : logStart;
    this.#protectedFrom = Math.min(
      ...protecting.map((group) => protectedFrom(group, shard.segments)),
      Number.POSITIVE_INFINITY,
    );
    this.#nobodyYet = shard.groups.length === 0;
  }

  /** The oldest segment that is left, unless it is the active one. */
  get next(): SegmentView | undefined {
    const segment = this.#shard.segments[this.#next];
    return segment?.sealed ? segment : undefined;
  }

  removeByPolicy(): void {
    for (let segment = this.next; segment; segment = this.next) {
      const reason = this.#policyReason(segment);
      if (!reason) return;
      this.removeNext(reason);
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
    this.removals.push({ until: segment.end, consumedBelow: this.#consumedBelow, reason });
    this.#next += 1;
    this.freed_bytes += segment.bytes;
    return segment.bytes;
  }

  /** Why policy alone removes the segment; consumed data needs no reason, `unprotected` stands for it. */
  #policyReason(segment: SegmentView): DropReason | undefined {
    if (segment.end <= this.#consumedBelow) return 'unprotected';
    const { maxAge_ms, protectUnconsumed } = this.#policy;
    const free = segment.end <= this.#protectedFrom;
    if (maxAge_ms !== undefined && segment.age_ms > maxAge_ms && (free || !protectUnconsumed))
      return 'max_age';
    // Some group had a limit and is past it: only such a group stands in the way of others that consumed all.
    const limited = this.#shard.groups.some(
      (group) => group.protect && group.committed < segment.end && hasLimit(group),
    );
    return limited && free ? 'max_lag' : undefined;
  }
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

function oldestRemovable(plans: readonly ShardPlan[]): ShardPlan | undefined {
  let oldest: ShardPlan | undefined;
  for (const plan of plans) {
    if (!plan.yields) continue;
    if (!oldest || plan.next!.lastTimestamp < oldest.next!.lastTimestamp) oldest = plan;
  }
  return oldest;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
