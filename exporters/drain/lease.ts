// Keeps the memory under the entries of one read: released when the last slot that uses it lets go, exactly once.
// Who has to wait long copies instead, so that an outage pins none of the log's blocks.

import type { Batch } from '../../buffer/batch.ts';

export class Lease {
  readonly #batch: Batch;
  #holders = 0;

  constructor(batch: Batch) {
    this.#batch = batch;
  }

  hold(): void {
    this.#holders += 1;
  }

  letGo(): void {
    this.#holders -= 1;
    if (this.#holders === 0) this.#batch.release();
  }
}

/** The same entries in memory of our own: one allocation for all of them. */
export function ownCopies(entries: readonly Uint8Array[]): Uint8Array[] {
  let total = 0;
  for (const entry of entries) total += entry.length;
  const memory = new Uint8Array(total);
  let at = 0;
  return entries.map((entry) => {
    memory.set(entry, at);
    at += entry.length;
    return memory.subarray(at - entry.length, at);
  });
}
