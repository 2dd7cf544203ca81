// What the log may take: disk, free space that must stay, memory for entries that are not yet durable; and what one shard
// of it may. Invariant: an append that was admitted is within every limit at that moment, so memory and disk are bounded.

import { LogFull } from './errors.ts';
import type { Pressure } from './retention.ts';
import type { SharedDisk } from './shared_disk.ts';

export type WhenFull = 'reject' | 'drop_oldest';

export interface BudgetLimits {
  /** Bytes of all segments together. */
  readonly maxSize_bytes: number;
  /** Bytes of the segments of one shard; infinite: no limit but the log's. */
  readonly maxShardSize_bytes: number;
  /** Bytes of the file system that must stay free for others. */
  readonly minFreeSpace_bytes: number;
  /** Bytes appended and not yet durable. */
  readonly inFlightMax_bytes: number;
  /** So near a limit retention is asked to run, and consumed data makes room: nobody is refused for its sake. */
  readonly headroom_bytes: number;
  readonly whenFull: WhenFull;
}

const RETRY_SOON_s = 1;
const RETRY_FULL_s = 5;

/** The limits of the log, which all shards share, and other logs where that was said. */
export class Budget {
  readonly limits: BudgetLimits;
  /** Where other logs are under the same limits. */
  readonly #shared: SharedDisk | undefined;
  #used_bytes = 0;
  /** While the log is being opened: what a thread that died left of it, of which not all is found yet. */
  #left_bytes: number;
  /** Of files that are kept for commits to come: they are given back before anybody is refused. */
  #unused_bytes = 0;
  #inFlight_bytes = 0;
  /** An append met a disk limit since retention last ran. */
  pressed = false;
  /** The largest append that was refused since then: so much must fit once room was made. */
  #refused_bytes = 0;
  /** Written near a limit since room was last asked for. */
  #near_bytes = 0;
  /** Free space when last asked, less what was appended since. */
  #free_bytes = Number.POSITIVE_INFINITY;
  /** What the other logs held then. */
  #othersMeasured_bytes = 0;
  /** Called when room is needed: consumed segments may go, or the oldest under drop_oldest. */
  onPressure: () => void = () => {};

  constructor(limits: BudgetLimits, shared?: SharedDisk) {
    this.limits = limits;
    this.#shared = shared;
    this.#left_bytes = shared?.held_bytes ?? 0;
  }

  /** The log is open, and all that it holds is found. */
  found(): void {
    this.#left_bytes = 0;
    this.#hold();
  }

  /** Bytes in segment files of this log. */
  get used_bytes(): number {
    return this.#used_bytes;
  }

  set used_bytes(bytes: number) {
    this.#used_bytes = bytes;
    this.#hold();
  }

  /** Bytes of this log that are appended and not yet durable. */
  get inFlight_bytes(): number {
    return this.#inFlight_bytes;
  }

  set inFlight_bytes(bytes: number) {
    this.#inFlight_bytes = bytes;
    this.#hold();
  }

  /**
   * Throws LogFull unless `bytes` may be appended now.
   * @param reserve_bytes how far beyond the disk limits this stream may go (dead letters).
   */
  admit(bytes: number, reserve_bytes: number): void {
    this.reserveMemory(bytes);
    const over = this.overflow_bytes(bytes) - reserve_bytes;
    if (over <= 0 || this.mayExceed(over)) return;
    this.#refused_bytes = Math.max(this.#refused_bytes, bytes - reserve_bytes);
    this.#shared?.want(this.#refused_bytes);
    throw new LogFull(this.#fullReason(bytes), RETRY_FULL_s);
  }

  /** Throws LogFull unless so many bytes more may wait to be written. One that waits alone may be larger than the limit. */
  reserveMemory(bytes: number): void {
    const { inFlightMax_bytes } = this.limits;
    if (this.inFlight_bytes + bytes > inFlightMax_bytes && this.inFlight_bytes > 0) {
      throw new LogFull(
        `${this.inFlight_bytes} bytes wait to be written, ${inFlightMax_bytes} may; the disk is slower than the senders`,
        RETRY_SOON_s,
      );
    }
  }

  /** Asks for room, and says whether an append may pass a disk limit by `over` bytes until there is. @throws LogFull */
  mayExceed(over: number): boolean {
    this.pressed = true;
    this.onPressure();
    if (this.limits.whenFull !== 'drop_oldest') return false;
    // Dropping takes a moment; appends go on meanwhile, but not without bound.
    if (over <= this.limits.inFlightMax_bytes) return true;
    throw new LogFull('the disk budget is exceeded and the oldest data is being dropped', RETRY_SOON_s);
  }

  /** By how many bytes the limits would be passed; 0 or less: not at all. */
  overflow_bytes(bytes = 0): number {
    const wanted = this.#inFlight_bytes + bytes;
    const bySize = this.#held_bytes + wanted - this.limits.maxSize_bytes;
    const byFree = this.limits.minFreeSpace_bytes - (this.free_bytes + this.#unused_bytes - wanted);
    return Math.max(bySize, byFree);
  }

  /** Which limit is passed now, if any, with `bytes` more. */
  pressure(bytes = 0): Pressure | undefined {
    const wanted = this.#inFlight_bytes + bytes;
    if (this.#held_bytes + wanted > this.limits.maxSize_bytes) return 'max_size';
    const free_bytes = this.free_bytes + this.#unused_bytes - wanted;
    if (free_bytes < this.limits.minFreeSpace_bytes) return 'min_free_space';
    return undefined;
  }

  /** For retention: whether an append met a limit since it was last asked, and how large the largest refused one was. */
  takePressure(): { readonly pressed: boolean; readonly refused_bytes: number } {
    const others_bytes = this.#shared?.othersWanted_bytes ?? 0;
    const refused_bytes = Math.max(this.#refused_bytes, others_bytes);
    const taken = { pressed: this.pressed || others_bytes > 0, refused_bytes };
    this.pressed = false;
    this.#refused_bytes = 0;
    this.#shared?.want(0);
    return taken;
  }

  /** Whether this log may make room at the cost of data now; where several share the limits, one does at a time. */
  takeTurn(): boolean {
    return this.#shared?.takeTurn() ?? true;
  }

  endTurn(): void {
    this.#shared?.endTurn();
  }

  /** Bytes that may still be written before a disk limit is met. */
  get room_bytes(): number {
    return Math.max(0, -this.overflow_bytes());
  }

  written(bytes: number): void {
    this.used_bytes += bytes;
    this.#free_bytes -= bytes;
    this.approached(this.overflow_bytes(), bytes);
    if (this.#unused_bytes > 0 && this.crowded) this.onPressure();
  }

  get unused_bytes(): number {
    return this.#unused_bytes;
  }

  set unused_bytes(bytes: number) {
    this.#free_bytes -= bytes - this.#unused_bytes;
    this.#unused_bytes = bytes;
  }

  /** Whether what is unused stands in the way of a limit. */
  get crowded(): boolean {
    const { maxSize_bytes, minFreeSpace_bytes } = this.limits;
    const held_bytes = this.#held_bytes + this.#unused_bytes + this.#inFlight_bytes;
    return held_bytes > maxSize_bytes || this.free_bytes - this.#inFlight_bytes < minFreeSpace_bytes;
  }

  /** `bytes` were written, which leaves -`overflow_bytes` of a limit: near it, room is asked for before it is met. */
  approached(overflow_bytes: number, bytes: number): void {
    const { headroom_bytes } = this.limits;
    if (headroom_bytes === 0 || overflow_bytes + headroom_bytes <= 0) return;
    this.#near_bytes += bytes;
    if (this.#near_bytes < headroom_bytes / 4) return;
    this.#near_bytes = 0;
    this.onPressure();
  }

  removed(bytes: number): void {
    this.used_bytes -= bytes;
    this.#free_bytes += bytes;
  }

  measured(free_bytes: number): void {
    this.#free_bytes = free_bytes;
    this.#othersMeasured_bytes = this.#shared?.others_bytes ?? 0;
  }

  get free_bytes(): number {
    if (!this.#shared) return this.#free_bytes;
    return this.#free_bytes - (this.#shared.others_bytes - this.#othersMeasured_bytes);
  }

  /** In segment files, and what other logs hold. */
  get #held_bytes(): number {
    return this.#shared ? this.#used_bytes + this.#shared.others_bytes : this.#used_bytes;
  }

  #hold(): void {
    this.#shared?.hold(Math.max(this.#left_bytes, this.#used_bytes + this.#inFlight_bytes));
  }

  #fullReason(bytes: number): string {
    const { maxSize_bytes, minFreeSpace_bytes } = this.limits;
    if (this.#held_bytes + this.#inFlight_bytes + bytes > maxSize_bytes) {
      return `the log is full: ${this.#held_bytes} of ${maxSize_bytes} bytes are in use and not yet delivered`;
    }
    return `the disk is nearly full: ${this.free_bytes} bytes free, ${minFreeSpace_bytes} must stay free`;
  }
}

/** One shard's part of the budget: what it takes counts against its own limit and against the log's. */
export class ShardBudget {
  used_bytes: number;
  readonly #log: Budget;
  readonly #shard: string;
  #inFlight_bytes = 0;
  #unused_bytes = 0;
  #refused_bytes = 0;

  /** @param used_bytes of its segments, which the log's budget knows already or learns from its opener. */
  constructor(log: Budget, shard: string, used_bytes: number) {
    this.#log = log;
    this.#shard = shard;
    this.used_bytes = used_bytes;
  }

  /** Throws LogFull unless `bytes` may be appended to this shard now. */
  admit(bytes: number, reserve_bytes: number): void {
    const over = this.#overflow_bytes(bytes) - reserve_bytes;
    if (over > 0 && !this.#log.mayExceed(over)) {
      this.#refused_bytes = Math.max(this.#refused_bytes, bytes - reserve_bytes);
      const { maxShardSize_bytes } = this.#log.limits;
      throw new LogFull(
        `${this.#shard} is full: ${this.used_bytes} of ${maxShardSize_bytes} bytes are in use and not yet delivered`,
        RETRY_FULL_s,
      );
    }
    this.#log.admit(bytes, reserve_bytes);
  }

  get inFlight_bytes(): number {
    return this.#inFlight_bytes;
  }

  set inFlight_bytes(bytes: number) {
    this.#log.inFlight_bytes += bytes - this.#inFlight_bytes;
    this.#inFlight_bytes = bytes;
  }

  /** For retention: how much must go for the shard to be within its limit, with the largest append that was refused. */
  takeOverflow_bytes(): number {
    const refused_bytes = this.#refused_bytes;
    this.#refused_bytes = 0;
    return this.#overflow_bytes(refused_bytes);
  }

  /** What the shard keeps for commits to come. */
  get unused_bytes(): number {
    return this.#unused_bytes;
  }

  set unused_bytes(bytes: number) {
    this.#log.unused_bytes += bytes - this.#unused_bytes;
    this.#unused_bytes = bytes;
  }

  /** Whether what is unused stands in the way of a limit, of the shard or of the log. */
  get crowded(): boolean {
    const held_bytes = this.used_bytes + this.#unused_bytes + this.#inFlight_bytes;
    return held_bytes > this.#log.limits.maxShardSize_bytes || this.#log.crowded;
  }

  /** Room is wanted, if only for the next segment: retention looks for what is done with. */
  ask(): void {
    this.#log.onPressure();
  }

  written(bytes: number): void {
    this.used_bytes += bytes;
    if (this.#unused_bytes > 0 && this.crowded) this.#log.onPressure();
    this.#log.approached(this.#overflow_bytes(0), bytes);
    this.#log.written(bytes);
  }

  removed(bytes: number): void {
    this.used_bytes -= bytes;
    this.#log.removed(bytes);
  }

  #overflow_bytes(bytes: number): number {
    return this.used_bytes + this.#inFlight_bytes + bytes - this.#log.limits.maxShardSize_bytes;
  }
}
