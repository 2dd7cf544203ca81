// Which entries of a shard a group has acknowledged out of order: a ring of bits, one for each offset from the committed
// one on. Invariants: the low watermark (everything below is acknowledged or holds no entry) is all that is committed;
// memory is bounded by the window, and an acknowledgement allocates nothing.

import { AckWindowExceeded } from './errors.ts';
import type { Ranges } from './ranges.ts';

export const ACK_WINDOW_ENTRIES = 65_536;
const MAX_ENTRIES = 2 ** 24;

export class AckWindow {
  readonly #entries: number;
  #bits: Int32Array | undefined;
  /** Everything below is committed; bits stand for the offsets from here on. */
  #low = 0;
  #pending = 0;

  /** @param entries rounded up to a power of two; made when something first comes out of order */
  constructor(entries: number) {
    this.#entries = 2 ** Math.ceil(Math.log2(Math.min(Math.max(entries, 32), MAX_ENTRIES)));
  }

  /** Acknowledged above the low watermark. */
  get pending(): number {
    return this.#pending;
  }

  clear(): void {
    this.#bits?.fill(0);
    this.#pending = 0;
  }

  /**
   * Notes that [from, to) is done and returns the low watermark. `committed` is where it stood, `holes` hold no entries.
   * @throws AckWindowExceeded, and nothing has changed then
   */
  ack(shard: string, committed: number, from: number, to: number, holes: Ranges): number {
    this.#moveTo(committed);
    this.#passHoles(holes);
    if (to <= this.#low) return this.#low;
    if (from <= this.#low) {
      this.#moveTo(to);
      return this.#advance(holes);
    }
    if (to - this.#low > this.#entries) throw new AckWindowExceeded(shard, to - 1, this.#low, this.#entries);
    this.#bits ??= new Int32Array(this.#entries / 32);
    this.#set(this.#bits, from, to);
    return this.#low;
  }

  /** Forward: what was noted above stays. Back: somebody else moved the committed offset, so nothing of it holds. */
  #moveTo(offset: number): void {
    if (offset === this.#low) return;
    if (this.#pending > 0) {
      if (offset < this.#low || offset - this.#low >= this.#entries) this.clear();
      else this.#unset(this.#bits!, this.#low, offset);
    }
    this.#low = offset;
  }

  #passHoles(holes: Ranges): void {
    if (holes.list.length === 0) return;
    for (let hole = holes.at(this.#low); hole; hole = holes.at(this.#low)) this.#moveTo(hole.to);
  }

  /** Moves the low watermark over everything that is done from it on. */
  #advance(holes: Ranges): number {
    for (;;) {
      this.#passHoles(holes);
      if (this.#pending === 0) return this.#low;
      const bits = this.#bits!;
      const at = this.#low % this.#entries;
      const bit = at & 31;
      const open = ~(bits[at >>> 5]! >> bit);
      const run = open === 0 ? 32 - bit : Math.min(32 - bit, 31 - Math.clz32(open & -open));
      if (run === 0) return this.#low;
      this.#moveTo(this.#low + run);
    }
  }

  #set(bits: Int32Array, from: number, to: number): void {
    let left = to - from;
    for (let at = from % this.#entries; left > 0; at = (at + 32 - (at & 31)) % this.#entries) {
      const count = Math.min(left, 32 - (at & 31));
      const mask = maskOf(at & 31, count);
      const word = at >>> 5;
      this.#pending += ones(mask & ~bits[word]!);
      bits[word] = bits[word]! | mask;
      left -= count;
    }
  }

  #unset(bits: Int32Array, from: number, to: number): void {
    let left = to - from;
    for (let at = from % this.#entries; left > 0; at = (at + 32 - (at & 31)) % this.#entries) {
      const count = Math.min(left, 32 - (at & 31));
      const mask = maskOf(at & 31, count);
      const word = at >>> 5;
      this.#pending -= ones(mask & bits[word]!);
      bits[word] = bits[word]! & ~mask;
      left -= count;
    }
  }
}

/** `count` ones from bit `first` on; like all of these words signed, since an unsigned one may need an object. */
function maskOf(first: number, count: number): number {
  return ~(-2 << (count - 1)) << first;
}

function ones(word: number): number {
  let rest = (word - ((word >>> 1) & 0x55555555)) | 0;
  rest = (rest & 0x33333333) + ((rest >>> 2) & 0x33333333);
  return Math.imul((rest + (rest >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
