// The other ways to read, over `read`: async iteration and a callback. Invariant: a batch is given back when whoever got
// it asks for the next one, leaves or throws, and never before.

import type { ReadLimits, ShardBatch } from './batch.ts';
import { LogClosed } from './errors.ts';

export abstract class ReadForms implements AsyncIterable<ShardBatch> {
  abstract read(limits?: ReadLimits): Promise<ShardBatch | undefined>;

  /** Waits for batches until the reader or the log is closed. The loop gives each batch back; do not release it. */
  [Symbol.asyncIterator](): AsyncGenerator<ShardBatch, void, undefined> {
    return this.batches();
  }

  /** Ends when a wait does: by `wait_ms` without an entry, by `signal`, or when reader or log are closed. */
  async *batches(limits: ReadLimits = {}): AsyncGenerator<ShardBatch, void, undefined> {
    for (;;) {
      const batch = await this.#next(limits);
      if (!batch) return;
      try {
        yield batch;
      } finally {
        batch.release();
      }
    }
  }

  /** Calls back with each batch, one at a time, and ends as `batches` does, or with what the callback throws. */
  async each(callback: (batch: ShardBatch) => unknown, limits: ReadLimits = {}): Promise<void> {
    for await (const batch of this.batches(limits)) await callback(batch);
  }

  async #next(limits: ReadLimits): Promise<ShardBatch | undefined> {
    if (limits.signal?.aborted) return undefined;
    try {
      return await this.read(limits);
    } catch (error) {
      if (error instanceof LogClosed) return undefined;
      throw error;
    }
  }
}
