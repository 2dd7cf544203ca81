// What one shard was asked and what it answered, without any idea of how it works: which bytes were appended at which
// offset, which of them were acknowledged, read or lost. Invariant: what was acknowledged or read once is settled for
// ever; the log has to agree with it from then on.

import type { Payloads } from './payload.ts';
import { Violation } from './violation.ts';

export interface ModelEntry {
  readonly id: number;
  readonly bytes: number;
  readonly batch: ModelBatch;
}

export interface ModelBatch {
  readonly first: number;
  readonly entries: ModelEntry[];
  acknowledged: boolean;
}

interface Slot {
  /** Entries that may stand at the offset: several, where a crash made the log forget what was never promised. */
  candidates: ModelEntry[];
  /** The one that was acknowledged or read. */
  settled: ModelEntry | undefined;
  /** Damaged at rest by the simulator, and found missing. */
  lost: boolean;
}

export class ShardModel {
  readonly name: string;
  readonly #payloads: Payloads;
  readonly #slots = new Map<number, Slot>();
  /** Behind the last offset that this life of the log handed out. */
  end = 0;
  /** The log start as last told. */
  #start = 0;
  /** How many bits were flipped in the shard's segments. */
  flips = 0;
  /** Whether one of them was flipped while the log was open. */
  damagedLive = false;
  lost = 0;
  #late: string | undefined;
  /** Offsets whose file somebody cut, emptied or removed. */
  readonly #harmed: { readonly from: number; readonly to: number }[] = [];

  constructor(name: string, payloads: Payloads) {
    this.name = name;
    this.#payloads = payloads;
  }

  /** Somebody harmed the file in which [from, to) stood: any of it may be gone, and is counted. */
  harmed(from: number, to: number): void {
    this.#harmed.push({ from, to });
    this.flips += 1;
  }

  appended(first: number, ids: readonly { id: number; bytes: number }[]): ModelBatch {
    if (first < this.end) this.#fail(4, `offset ${first} handed out again, the end was ${this.end}`);
    const batch: ModelBatch = { first, entries: [], acknowledged: false };
    for (const [index, { id, bytes }] of ids.entries()) {
      const entry = { id, bytes, batch };
      batch.entries.push(entry);
      const slot = this.#slot(first + index);
      if (slot.settled)
        this.#fail(4, `offset ${first + index} holds entry ${slot.settled.id} and was reused`);
      slot.candidates.push(entry);
    }
    this.end = first + ids.length;
    return batch;
  }

  acknowledged(batch: ModelBatch): void {
    batch.acknowledged = true;
    for (const [index, entry] of batch.entries.entries()) {
      const offset = batch.first + index;
      // An owner whose place another took says so after that one's recovery: nobody may wait for what he did not see.
      const there = this.#slots.get(offset)?.candidates.includes(entry) ?? offset < this.#start;
      if (there) this.#settle(offset, entry);
      else this.#late ??= `entry ${entry.id} at ${offset} was acknowledged when it was gone`;
    }
  }

  /** Told where it can be dealt with: answers come in the middle of anything. */
  check(): void {
    if (this.#late !== undefined) this.#fail(1, this.#late);
  }

  /** An entry that a reader handed out. */
  read(offset: number, bytes: Uint8Array): void {
    const slot = this.#slots.get(offset);
    if (!slot) {
      this.#fail(3, `offset ${offset} was read and never written`);
      return;
    }
    const known = slot.settled ? [slot.settled] : slot.candidates;
    const holds = ({ id, bytes: size }: ModelEntry): boolean => this.#payloads.is(bytes, id, size);
    const entry = known.find(holds);
    if (!entry) {
      this.#fail(slot.settled ? 4 : 3, `offset ${offset} was read with bytes that it never had`);
      return;
    }
    // What one reader found damaged on disk another may still get from memory.
    if (slot.lost && !this.damagedLive) this.#fail(4, `offset ${offset} was lost and came back`);
    // Two owners may each have put an entry of no or few bytes there: which one this is its bytes do not say.
    if (known.findLast(holds) === entry) this.#settle(offset, entry);
  }

  /**
   * A new life of the log ends at `end`: what was never promised and lies behind it is gone for good. `landing`: an owner before
   * it lives, and what he had begun to write may land where this one has not written yet.
   */
  recovered(end: number, landing = false): void {
    for (const [offset, slot] of this.#slots) {
      if (offset < end) continue;
      if (slot.settled)
        this.#fail(1, `entry ${slot.settled.id} at ${offset} is gone: the log ends at ${end}`);
      if (!landing) this.#slots.delete(offset);
    }
    this.end = end;
  }

  /** The entries that a reader must not leave out of [from, to). */
  owed(from: number, to: number): number[] {
    const offsets: number[] = [];
    for (let offset = Math.max(from, this.#start); offset < to; offset++) {
      const slot = this.#slots.get(offset);
      if (slot?.settled && !slot.lost) offsets.push(offset);
    }
    return offsets;
  }

  /** Checks what a group was given of [from, to): nothing that is owed may be left out. */
  delivered(from: number, to: number, present: ReadonlySet<number>): void {
    this.#checkMissing(this.owed(from, to), present);
  }

  /** Checks a full read of [from, end): `present` are the offsets that it gave. */
  audited(from: number, end: number, present: ReadonlySet<number>): void {
    const batches = new Set<ModelBatch>();
    for (const offset of present) {
      const settled = this.#slots.get(offset)?.settled;
      if (settled) batches.add(settled.batch);
    }
    if (this.flips > 0) for (const batch of batches) this.#settleAll(batch, from);
    this.#checkMissing(this.owed(from, end), present);
    for (const batch of batches) this.#checkWhole(batch, from, present);
    // What is not there now will never be: it was not promised, and the log has made up its mind. But what was damaged under
    // an open log another reader may still get from memory.
    if (this.damagedLive) return;
    for (let offset = from; offset < end; offset++) {
      const slot = this.#slots.get(offset);
      if (slot && !slot.settled && !present.has(offset)) slot.candidates = [];
    }
  }

  /** Counts what the log says it has removed. It may come back: a removal counts once the log's account is durable. */
  removedBelow(start: number): { settled: number; lost: number; unknown: number } {
    const counts = { settled: 0, lost: 0, unknown: 0 };
    for (const [offset, slot] of this.#slots) {
      if (offset >= start) continue;
      if (slot.lost) counts.lost += 1;
      else if (slot.settled) counts.settled += 1;
      else if (slot.candidates.length > 0) counts.unknown += 1;
    }
    this.#start = start;
    return counts;
  }

  #checkMissing(owed: readonly number[], present: ReadonlySet<number>): void {
    const missing: [number, number][] = [];
    let last: [number, number] | undefined;
    for (const offset of owed) {
      if (present.has(offset)) last = undefined;
      else if (this.#harmed.some(({ from, to }) => offset >= from && offset < to))
        this.#lose(offset, offset + 1);
      else if (last) last[1] = offset + 1;
      else {
        last = [offset, offset + 1];
        missing.push(last);
      }
    }
    if (missing.length === 0) return;
    const fresh: [number, number][] = [];
    for (const run of missing) {
      // Whoever begins within a damaged frame misses less of it than who begins before, and what was not promised yet is missed
      // by nobody until it is: that is one loss.
      const known = this.#lostWithin(run) || this.#lostBeside(run[0], -1) || this.#lostBeside(run[1] - 1, 1);
      if (known) this.#lose(run[0], run[1]);
      else fresh.push(run);
    }
    this.#loseFresh(fresh);
  }

  /** The least number of frames that entries in a row stand in: what is larger than a frame's body has one to itself. */
  #frames(from: number, to: number): number {
    let large = 0;
    let shared_bytes = 0;
    for (let offset = from; offset < to; offset++) {
      const bytes = this.#slots.get(offset)?.settled?.bytes ?? 0;
      if (bytes > FRAME_BODY_MAX_BYTES) large += 1;
      else shared_bytes += bytes;
    }
    return large + Math.ceil(shared_bytes / FRAME_BODY_MAX_BYTES);
  }

  #lostWithin([from, to]: readonly [number, number]): boolean {
    for (let offset = from; offset < to; offset++) if (this.#slots.get(offset)?.lost) return true;
    return false;
  }

  /** Whether the next entry in that direction that anybody was promised is lost. */
  #lostBeside(offset: number, direction: 1 | -1): boolean {
    for (let at = offset + direction; at >= this.#start && at < this.end; at += direction) {
      const slot = this.#slots.get(at);
      if (slot?.settled) return slot.lost;
    }
    return false;
  }

  #loseFresh(runs: readonly [number, number][]): void {
    if (runs.length === 0) return;
    if (runs.length > this.flips - this.lost) {
      const shown = runs.map(([a, b]) => `${a}…${b - 1}`).join(', ');
      this.#fail(1, `acknowledged or delivered entries are gone: ${shown}; ${this.flips} bits were flipped`);
    }
    this.lost += runs.length;
    for (const [from, to] of runs) {
      const flips = this.flips - this.lost + 1;
      if (this.#frames(from, to) > flips)
        this.#fail(9, `more than ${flips} frames are gone for ${flips} flipped bits: ${from}…${to - 1}`);
      this.#lose(from, to);
    }
  }

  #lose(from: number, to: number): void {
    for (let offset = from; offset < to; offset++) {
      const slot = this.#slots.get(offset);
      if (slot?.settled) slot.lost = true;
    }
  }

  #checkWhole(batch: ModelBatch, from: number, present: ReadonlySet<number>): void {
    for (const [index, entry] of batch.entries.entries()) {
      const offset = batch.first + index;
      if (offset < from || present.has(offset) || this.#slots.get(offset)?.lost) continue;
      this.#fail(2, `entry ${entry.id} at ${offset} is missing while others of its batch are there`);
    }
  }

  /** Who has seen one entry of a batch is owed all of it: what a flip took of the others is lost like any promised entry. */
  #settleAll(batch: ModelBatch, from: number): void {
    for (const [index, entry] of batch.entries.entries()) {
      const offset = batch.first + index;
      if (offset >= from && !this.#slots.get(offset)?.settled) this.#settle(offset, entry);
    }
  }

  #settle(offset: number, entry: ModelEntry): void {
    const slot = this.#slots.get(offset);
    if (!slot) return;
    if (slot.settled && slot.settled !== entry)
      this.#fail(4, `offset ${offset} named entry ${slot.settled.id}, now ${entry.id}`);
    slot.settled = entry;
    slot.candidates = [entry];
  }

  #slot(offset: number): Slot {
    let slot = this.#slots.get(offset);
    if (!slot) {
      slot = { candidates: [], settled: undefined, lost: false };
      this.#slots.set(offset, slot);
    }
    return slot;
  }

  #fail(invariant: 1 | 2 | 3 | 4 | 9, message: string): void {
    throw new Violation(invariant, `${this.name}: ${message}`);
  }
}

const FRAME_BODY_MAX_BYTES = 64 * 1024;
