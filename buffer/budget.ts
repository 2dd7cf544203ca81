// What the whole log may take: disk, free space that must stay, memory for entries that are not yet durable. All shards
// share it. Invariant: an append that was admitted is within every limit at that moment, so memory and disk are bounded.

import { LogFull } from './errors.ts';

export type WhenFull = 'reject' | 'drop_oldest';

export interface BudgetLimits {
  /** Bytes of all segments together. */
  readonly maxSize_bytes: number;
  /** Bytes of the file system that must stay free for others. */
  readonly minFreeSpace_bytes: number;
  /** Bytes appended and not yet durable. */
  readonly inFlightMax_bytes: number;
  readonly whenFull: WhenFull;
}

const RETRY_SOON_s = 1;
const RETRY_FULL_s = 5;

export class Budget {
  readonly limits: BudgetLimits;
  /** Bytes in segment files. */
  used_bytes = 0;
  inFlight_bytes = 0;
  /** An append met a disk limit since retention last ran. */
  pressed = false;
  /** Free space when last asked, less what was appended since. */
  #free_bytes = Number.POSITIVE_INFINITY;
  /** Called when room is needed: consumed segments may go, or the oldest under drop_oldest. */
  onPressure: () => void = () => {};

  constructor(limits: BudgetLimits) {
    this.limits = limits;
  }

  /**
   * Throws LogFull unless `bytes` may be appended now.
   * @param reserve_bytes how far beyond the disk limits this stream may go (dead letters).
   */
  admit(bytes: number, reserve_bytes: number): void {
    const limits = this.limits;
    if (this.inFlight_bytes + bytes > limits.inFlightMax_bytes && this.inFlight_bytes > 0) {
      throw new LogFull(
        `${this.inFlight_bytes} bytes wait to be written, ${limits.inFlightMax_bytes} may; the disk is slower than the senders`,
        RETRY_SOON_s,
      );
    }
    const over = this.overflow_bytes(bytes) - reserve_bytes;
    if (over <= 0) return;
    this.pressed = true;
    this.onPressure();
    if (limits.whenFull === 'drop_oldest') {
      // Dropping takes a moment; appends go on meanwhile, but not without bound.
      if (over <= limits.inFlightMax_bytes) return;
      throw new LogFull('the disk budget is exceeded and the oldest data is being dropped', RETRY_SOON_s);
    }
    throw new LogFull(this.#fullReason(bytes), RETRY_FULL_s);
  }

  /** By how many bytes the limits would be passed; 0 or less: not at all. */
  overflow_bytes(bytes = 0): number {
    const wanted = this.inFlight_bytes + bytes;
    const bySize = this.used_bytes + wanted - this.limits.maxSize_bytes;
    const byFree = this.limits.minFreeSpace_bytes - (this.#free_bytes - wanted);
    return Math.max(bySize, byFree);
  }

  /** Which limit is passed now, if any. */
  pressure(): 'max_size' | 'min_free_space' | undefined {
    if (this.used_bytes + this.inFlight_bytes > this.limits.maxSize_bytes) return 'max_size';
    if (this.#free_bytes - this.inFlight_bytes < this.limits.minFreeSpace_bytes) return 'min_free_space';
    return undefined;
  }

  written(bytes: number): void {
    this.used_bytes += bytes;
    this.#free_bytes -= bytes;
  }

  removed(bytes: number): void {
    this.used_bytes -= bytes;
    this.#free_bytes += bytes;
  }

  measured(free_bytes: number): void {
    this.#free_bytes = free_bytes;
  }

  get free_bytes(): number {
    return this.#free_bytes;
  }

  #fullReason(bytes: number): string {
    const { maxSize_bytes, minFreeSpace_bytes } = this.limits;
    if (this.used_bytes + this.inFlight_bytes + bytes > maxSize_bytes) {
      return `the log is full: ${this.used_bytes} of ${maxSize_bytes} bytes are in use and not yet delivered`;
    }
    return `the disk is nearly full: ${this.#free_bytes} bytes free, ${minFreeSpace_bytes} must stay free`;
  }
}
