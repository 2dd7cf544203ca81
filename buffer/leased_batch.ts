// What a reader hands out: entries, and the lease on the memory under them, counted by references. Invariant: from the
// last release on nobody gets at a view through the batch, so reused memory is never taken for an entry.

import type { ShardBatch } from './batch.ts';
import type { Block } from './block_pool.ts';
import { LeaseReleased } from './errors.ts';
import { Lease, type Leases } from './leases.ts';
import type { Shard } from './shard.ts';

export class LeasedBatch implements ShardBatch {
  readonly shard: Shard;
  readonly offsets: number[] = [];
  next = 0;
  timestamp = 0;
  bytes = 0;
  readonly #entries: Uint8Array[] = [];
  readonly #lease = new Lease();
  readonly #leases: Leases;
  #references = 1;

  constructor(shard: Shard, leases: Leases) {
    this.shard = shard;
    this.#leases = leases;
  }

  get length(): number {
    return this.offsets.length;
  }

  get first(): number {
    return this.offsets[0]!;
  }

  /** Copies stay when the lease has ended; where all entries are copies there is none. */
  get entries(): readonly Uint8Array[] {
    if (this.#references === 0 && !this.#lease.empty) {
      throw new LeaseReleased(`entries of ${this.shard.id}, offsets from ${this.first} on,`);
    }
    return this.#entries;
  }

  retain(): void {
    if (this.#references === 0) throw new LeaseReleased(`a batch of ${this.shard.id}`);
    this.#references += 1;
  }

  release(): void {
    if (this.#references === 0) throw new LeaseReleased(`a batch of ${this.shard.id}`);
    this.#references -= 1;
    if (this.#references > 0 || this.#lease.empty) return;
    this.#lease.release();
    this.#leases.end(this.#lease);
  }

  // What follows is for the reader that fills the batch.

  keep(block: Block): void {
    if (this.#lease.empty) this.#leases.begin(this, this.#lease);
    this.#lease.keep(block);
  }

  add(entry: Uint8Array, offset: number, timestamp: number): void {
    if (this.#entries.length === 0) this.timestamp = timestamp;
    this.#entries.push(entry);
    this.offsets.push(offset);
    this.bytes += entry.length;
    this.next = offset + 1;
  }
}
