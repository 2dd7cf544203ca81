// A bounded pool of memory: tiers of equal slots in one page-aligned slab, lent and given back by index. One pool belongs
// to one thread, so there is no lock. Invariants: a slot is lent to one holder at a time; an index that was put back, or
// that is of another pool, is refused whatever it is used for.

import { type Clock, sleep } from '../ports/clock.ts';
import { alignedMemory } from './aligned_memory.ts';
import { ForeignIndex, PoolExhausted, SlotTooLarge, StaleIndex } from './errors.ts';
import { Tier, type TierOptions, type TierStats } from './tier.ts';

const TIER_MIN_BYTES = 16;
const TIER_MAX_BYTES = 256 * 1024;
/** 16 B, 32 B, … 256 KiB with 256 KiB each: 3.75 MiB, resident as far as it is used. */
export const DEFAULT_TIERS: readonly TierOptions[] = Array.from({ length: 15 }, (_, step) => ({
  bytes: TIER_MIN_BYTES << step,
  slots: (256 * 1024) / (TIER_MIN_BYTES << step),
}));

export interface PoolOptions {
  /** Ascending sizes. Default: DEFAULT_TIERS. */
  readonly tiers?: readonly TierOptions[];
  /** What the slab, each tier and each slot of at least this size is aligned to. Default 4,096. */
  readonly page_bytes?: number;
}

export interface WaitOptions {
  /** How long to wait for a slot, ms. Default: until there is one. */
  readonly wait_ms?: number;
  /** Ends the wait early, as if its time were over. */
  readonly signal?: AbortSignal;
}

export interface PoolStats {
  readonly slab_bytes: number;
  readonly inUse_bytes: number;
  readonly tiers: readonly TierStats[];
}

const BACK_OFF_MIN_ms = 1;
const BACK_OFF_MAX_ms = 64;
/** An index holds the slot in its lowest 20 bits, then how often that was lent (16), then the number of the pool (17). */
const SLOTS_MAX = 2 ** 20;
const SLOT_MASK = SLOTS_MAX - 1;
const LENDING = 2 ** 20;
const POOL = 2 ** 36;
const POOLS_MAX = 2 ** 17 - 2;
let poolsMade = 0;

export class Pool {
  readonly #slab: Buffer;
  readonly #tiers: Tier[] = [];
  /** By the number of bits of (size - 1): the first tier that may fit. */
  readonly #tierByBits: Tier[] = [];
  /** From 1 on, so that no index is 0; and what lies behind all its indexes. */
  readonly #number: number;
  readonly #behind: number;
  /** Of each slot: the index under which it is lent, or, while it is free, the negative of the one to lend it under next. */
  readonly #lentAs: Float64Array;
  /** Of each slot: its tier, and the length of its value. */
  readonly #tierOf: Uint8Array;
  readonly #length: Uint32Array;
  /** Views of slots, made once when first asked for. */
  readonly #views: (Buffer | undefined)[];

  /** @throws AlignedMemoryUnavailable */
  constructor(options: PoolOptions = {}) {
    const { tiers = DEFAULT_TIERS, page_bytes = 4096 } = options;
    checkTiers(tiers);
    let slots = 0;
    let bytes = 0;
    for (const each of tiers) {
      this.#tiers.push(new Tier(each, slots, bytes));
      slots += each.slots;
      bytes += Math.ceil((each.bytes * each.slots) / page_bytes) * page_bytes;
    }
    for (let bits = 0; bits <= 18; bits++) {
      this.#tierByBits.push(this.#tiers.find((tier) => tier.bytes >= 2 ** bits) ?? this.#tiers.at(-1)!);
    }
    this.#slab = alignedMemory(bytes, page_bytes);
    poolsMade = (poolsMade % POOLS_MAX) + 1;
    this.#number = poolsMade;
    this.#behind = (this.#number + 1) * POOL;
    this.#lentAs = Float64Array.from({ length: slots }, (_, slot) => -(this.#number * POOL + slot));
    this.#tierOf = new Uint8Array(slots);
    this.#length = new Uint32Array(slots);
    this.#views = new Array(slots);
    for (const [at, tier] of this.#tiers.entries()) {
      this.#tierOf.fill(at, tier.firstSlot, tier.firstSlot + tier.slots);
    }
  }

  /**
   * Lends a slot of at least `bytes`; what it holds is undefined and its value is empty. Only the tier that fits is asked:
   * small things never use up the room of large ones.
   * @throws PoolExhausted | SlotTooLarge
   */
  get(bytes: number): number {
    const index = this.tryGet(bytes);
    if (index !== undefined) return index;
    const tier = this.#tierFor(bytes);
    throw new PoolExhausted(bytes, tier.bytes, tier.slots);
  }

  /** As `get`, but undefined where the tier has no slot left. @throws SlotTooLarge */
  tryGet(bytes: number): number | undefined {
    const slot = this.#tierFor(bytes).take();
    if (slot === -1) return undefined;
    const index = -this.#lentAs[slot]!;
    this.#lentAs[slot] = index;
    this.#length[slot] = 0;
    return index;
  }

  /** As `get`, but waits where the tier has no slot left, trying again after 1, 2, 4 … 64 ms. @throws PoolExhausted | SlotTooLarge */
  async getWhenFree(bytes: number, clock: Clock, options: WaitOptions = {}): Promise<number> {
    const { wait_ms = Number.POSITIVE_INFINITY, signal } = options;
    const until_ms = clock.monotonic() + wait_ms;
    for (let pause_ms = BACK_OFF_MIN_ms; ; pause_ms = Math.min(BACK_OFF_MAX_ms, pause_ms * 2)) {
      const left_ms = until_ms - clock.monotonic();
      if (left_ms <= 0 || signal?.aborted) return this.get(bytes);
      const index = this.tryGet(bytes);
      if (index !== undefined) return index;
      await sleep(clock, Math.min(pause_ms, left_ms), signal);
    }
  }

  /** Gives the slot back; views of it must not be used any more. @throws StaleIndex | ForeignIndex */
  put(index: number): void {
    const slot = this.#slotOf(index, 'put');
    // The next holder gets another index, so that this one stays recognisable.
    const next = index + LENDING;
    this.#lentAs[slot] = -(next < this.#behind ? next : this.#number * POOL + slot);
    this.#tiers[this.#tierOf[slot]!]!.giveBack(slot);
  }

  /** The whole slot, to be written into. The same view each time. @throws StaleIndex | ForeignIndex */
  memory(index: number): Buffer {
    const slot = this.#slotOf(index, 'memory');
    const made = this.#views[slot];
    if (made) return made;
    const view = this.#view(slot);
    this.#views[slot] = view;
    return view;
  }

  /** What was set: a view of the slot's first bytes. @throws StaleIndex | ForeignIndex */
  value(index: number): Buffer {
    const slot = this.#slotOf(index, 'value');
    return this.memory(index).subarray(0, this.#length[slot]!);
  }

  /** Copies `bytes` into the slot, which hold from now on as its value. @throws SlotTooLarge | StaleIndex | ForeignIndex */
  setValue(index: number, bytes: Uint8Array): void {
    this.setLength(index, bytes.length);
    this.memory(index).set(bytes);
  }

  /** Says that the first `bytes` of the slot are its value, after they were written into `memory`. @throws SlotTooLarge | StaleIndex | ForeignIndex */
  setLength(index: number, bytes: number): void {
    const slot = this.#slotOf(index, 'setLength');
    const { bytes: limit_bytes } = this.#tiers[this.#tierOf[slot]!]!;
    if (bytes > limit_bytes) throw new SlotTooLarge(bytes, limit_bytes);
    this.#length[slot] = bytes;
  }

  /** Makes the whole slot the value, every byte of it `byte`. @throws StaleIndex | ForeignIndex */
  fill(index: number, byte: number): void {
    const memory = this.memory(index);
    memory.fill(byte);
    this.setLength(index, memory.length);
  }

  stats(): PoolStats {
    const tiers = this.#tiers.map((tier) => tier.stats());
    const inUse_bytes = tiers.reduce((sum, tier) => sum + tier.inUse * tier.bytes, 0);
    return { slab_bytes: this.#slab.length, inUse_bytes, tiers };
  }

  #tierFor(bytes: number): Tier {
    const largest = this.#tiers[this.#tiers.length - 1]!;
    if (!(bytes <= largest.bytes)) throw new SlotTooLarge(bytes, largest.bytes);
    return this.#tierByBits[bytes <= 1 ? 0 : 32 - Math.clz32(bytes - 1)]!;
  }

  #view(slot: number): Buffer {
    const tier = this.#tiers[this.#tierOf[slot]!]!;
    const start = tier.start + (slot - tier.firstSlot) * tier.bytes;
    return this.#slab.subarray(start, start + tier.bytes);
  }

  /** The slot of an index that is lent at present: one comparison for all that is right. */
  #slotOf(index: number, action: string): number {
    const slot = index & SLOT_MASK;
    if (index > 0 && this.#lentAs[slot] === index) return slot;
    const ours = Number.isSafeInteger(index) && Math.floor(index / POOL) === this.#number;
    if (ours && slot < this.#lentAs.length) throw new StaleIndex(action);
    throw new ForeignIndex(action);
  }
}

function checkTiers(tiers: readonly TierOptions[]): void {
  if (tiers.length === 0) throw new RangeError('a pool needs a tier');
  let before = 0;
  let slots = 0;
  for (const { bytes, slots: count } of tiers) {
    const power = Number.isInteger(bytes) && (bytes & (bytes - 1)) === 0;
    if (!power || bytes < TIER_MIN_BYTES || bytes > TIER_MAX_BYTES) {
      throw new RangeError(`a tier of ${bytes} bytes: a power of two from 16 to 262,144 is needed`);
    }
    if (bytes <= before) throw new RangeError('tiers must ascend in size');
    if (!Number.isInteger(count) || count < 1) throw new RangeError(`a tier of ${count} slots`);
    before = bytes;
    slots += count;
  }
  if (slots > SLOTS_MAX) throw new RangeError(`${slots} slots: ${SLOTS_MAX} at most`);
}
