// One size class of a pool: equal slots, one behind the other, in a slab that is given. Invariant: a slot is in the free
// stack exactly when it is lent to nobody.

export interface TierOptions {
  /** Size of a slot: a power of two from 16 B to 256 KiB. */
  readonly bytes: number;
  readonly slots: number;
}

export interface TierStats {
  readonly bytes: number;
  readonly slots: number;
  readonly inUse: number;
  /** The most that were in use at a time. */
  readonly inUse_max: number;
  readonly gets: number;
  readonly puts: number;
  /** Times that somebody found the tier empty, tries of those who wait included. */
  readonly exhausted: number;
}

export class Tier {
  readonly bytes: number;
  readonly slots: number;
  /** Number of its first slot among all slots of the pool, and where that begins in the slab. */
  readonly firstSlot: number;
  readonly start: number;
  gets = 0;
  exhausted = 0;
  readonly #free: Uint32Array;
  #freeCount: number;
  #freeMin: number;

  constructor(options: TierOptions, firstSlot: number, start: number) {
    this.bytes = options.bytes;
    this.slots = options.slots;
    this.firstSlot = firstSlot;
    this.start = start;
    // The lowest slots are on top, so a pool that is used little touches little of its slab.
    this.#free = Uint32Array.from(
      { length: options.slots },
      (_, index) => firstSlot + options.slots - 1 - index,
    );
    this.#freeCount = options.slots;
    this.#freeMin = options.slots;
  }

  /** A free slot, or -1. The one that was given back last comes first: it is still in the processor's cache. */
  take(): number {
    if (this.#freeCount === 0) {
      this.exhausted += 1;
      return -1;
    }
    this.gets += 1;
    this.#freeCount -= 1;
    if (this.#freeCount < this.#freeMin) this.#freeMin = this.#freeCount;
    return this.#free[this.#freeCount]!;
  }

  /** The pool has checked that the slot is lent. */
  giveBack(slot: number): void {
    this.#free[this.#freeCount] = slot;
    this.#freeCount += 1;
  }

  stats(): TierStats {
    const inUse = this.slots - this.#freeCount;
    return {
      bytes: this.bytes,
      slots: this.slots,
      inUse,
      inUse_max: this.slots - this.#freeMin,
      gets: this.gets,
      puts: this.gets - inUse,
      exhausted: this.exhausted,
    };
  }
}
