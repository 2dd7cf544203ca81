// Reads the shards of a group in turn, whichever has something. Invariant: order holds within each shard, and no shard
// that has entries waits for longer than one batch of each other one.

import type { ReadLimits, ShardBatch } from './batch.ts';
import { LeaseMisuse, LogClosed } from './errors.ts';
import type { Clock } from './ports/clock.ts';
import { ReadForms } from './read_forms.ts';
import type { ShardReader } from './reader.ts';
import { Wait } from './wait.ts';

export class GroupReader extends ReadForms {
  readonly #group: string;
  readonly #readers: readonly ShardReader[];
  readonly #wait: Wait;
  #turn = 0;
  #reading = false;
  #closed = false;

  /** Takes over the readers. */
  constructor(group: string, readers: readonly ShardReader[], clock: Clock) {
    super();
    this.#group = group;
    this.#readers = readers;
    this.#wait = new Wait(clock);
    for (const reader of readers) reader.onWake = () => this.#wait.wake();
  }

  /** The next entries of one shard, as a reader of that shard gives them. @throws LogClosed, or what the disk said */
  async read(limits: ReadLimits = {}): Promise<ShardBatch | undefined> {
    if (this.#reading) throw new LeaseMisuse(`two reads at a time by one reader of group ${this.#group}`);
    this.#reading = true;
    try {
      for (;;) {
        if (this.#closed) {
          this.#ended('closed');
          throw new LogClosed(`a reader of group ${this.#group}`);
        }
        const batch = await this.#readOne({ ...limits, wait_ms: 0 });
        if (batch) return batch;
        if (!(await this.#waitForMore(limits))) {
          this.#ended(limits.signal?.aborted ? 'aborted' : 'empty');
          return undefined;
        }
      }
    } finally {
      this.#reading = false;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const reader of this.#readers) reader.close();
    this.#wait.wake();
  }

  /** A read that ended without any shard having been read counts at each of them: each had nothing to give. */
  #ended(how: 'aborted' | 'closed' | 'empty'): void {
    for (const { reads } of this.#readers) reads[how] += 1;
  }

  async #readOne(limits: ReadLimits): Promise<ShardBatch | undefined> {
    for (let step = 0; step < this.#readers.length; step++) {
      const reader = this.#readers[this.#turn]!;
      this.#turn = (this.#turn + 1) % this.#readers.length;
      if (!reader.ready) continue;
      const batch = await reader.read(limits);
      if (batch) return batch;
    }
    return undefined;
  }

  /** True when there is something to read or to fail with; false when the wait ended otherwise. */
  async #waitForMore(limits: ReadLimits): Promise<boolean> {
    if (this.#ready) return true;
    if (limits.wait_ms === 0 || limits.signal?.aborted) return false;
    const meters = this.#readers.map((reader) => reader.reads);
    await this.#wait.begin(limits, meters);
    return this.#ready;
  }

  get #ready(): boolean {
    return this.#closed || this.#readers.some((reader) => reader.ready);
  }
}
