// One batch on its way: its entries, their offsets, and which of them are resolved, that is delivered, dead-lettered
// or dropped. Invariant: `unresolved` is the number of entries not yet resolved, and an entry is resolved once.

import assert from 'node:assert';
import type { Batch } from '../../buffer/batch.ts';
import { decodeEntry, type Entry } from '../../otlp/entry.ts';
import type { Signal } from '../../otlp/signal.ts';
import type { ExportBatch } from '../exporter.ts';
import { ownCopies } from './own_copies.ts';

export class Slot implements ExportBatch {
  readonly signal: Signal;
  readonly entries: Entry[] = [];
  /** The entries as they stand in the log, header included. */
  readonly raw: Uint8Array[] = [];
  readonly offsets: number[] = [];
  items = 0;
  rawBytes = 0;
  /** Bytes as stored, which is what passes a link when nothing is compressed on the way. */
  storedBytes = 0;
  /** What to commit when all is resolved. */
  next: number;
  unresolved = 0;
  /** Set when the only entry of this slot is none that this version can read: why. */
  undecodable: string | undefined;
  #resolved: Uint8Array | undefined;
  #firstUnresolved = 0;
  #leases: Batch[] = [];

  constructor(signal: Signal, next: number) {
    this.signal = signal;
    this.next = next;
  }

  add(entry: Entry, raw: Uint8Array, offset: number, next: number, lease: Batch | undefined): void {
    this.entries.push(entry);
    this.#addRaw(raw, offset, next, lease);
    this.items += entry.items;
    this.rawBytes += entry.rawLength;
  }

  addUndecodable(raw: Uint8Array, offset: number, next: number, lease: Batch | undefined, why: string): void {
    this.undecodable = why;
    this.#addRaw(raw, offset, next, lease);
  }

  #addRaw(raw: Uint8Array, offset: number, next: number, lease: Batch | undefined): void {
    this.raw.push(raw);
    this.offsets.push(offset);
    this.storedBytes += raw.length;
    this.next = next;
    this.unresolved += 1;
    if (lease !== undefined && this.#leases.at(-1) !== lease) {
      lease.retain();
      this.#leases.push(lease);
    }
  }

  /** Marks entries `from` up to `to` (exclusive) as resolved; gives the memory back with the last of them. */
  resolve(from: number, to: number): void {
    if (from === 0 && to === this.raw.length && this.#resolved === undefined) {
      this.#firstUnresolved = to;
      this.unresolved = 0;
    } else {
      this.#resolved ??= new Uint8Array(this.raw.length);
      for (let i = from; i < to; i += 1) {
        assert(this.#resolved[i] === 0, 'an entry is resolved once');
        this.#resolved[i] = 1;
      }
      this.unresolved -= to - from;
      while (this.#resolved[this.#firstUnresolved] === 1) this.#firstUnresolved += 1;
    }
    if (this.unresolved > 0) return;
    this.letGo();
    // It may have to wait in the window for others: then only `next` is needed of it.
    this.entries.length = 0;
    this.raw.length = 0;
    this.offsets.length = 0;
  }

  /** What may be committed: the first offset that is not resolved, or `next`. */
  frontier(): number {
    return this.unresolved === 0 ? this.next : this.offsets[this.#firstUnresolved]!;
  }

  /** Copies what it holds and gives the log's memory back. Not while a request is under way. */
  detach(): void {
    if (this.#leases.length === 0) return;
    const copies = ownCopies(this.raw);
    for (let i = 0; i < copies.length; i += 1) {
      this.raw[i] = copies[i]!;
      if (this.undecodable === undefined) this.entries[i] = decodeEntry(copies[i]!);
    }
    this.letGo();
  }

  letGo(): void {
    for (const lease of this.#leases) lease.release();
    this.#leases = [];
  }
}
