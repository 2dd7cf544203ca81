// The producers of a run: they append batches of all sizes, wait for some at once, ask about others late or never, and tell
// the model what they were promised. Invariant: the model learns of every append, and of every promise that was kept.

import { LogFull } from '../../buffer/errors.ts';
import type { ShardTrack } from './checks.ts';
import type { ModelBatch } from './model.ts';
import { entryBytes, type RunOptions } from './options.ts';
import type { Payloads } from './payload.ts';
import type { SeededRandom } from './random.ts';
import type { Subject } from './subject.ts';

export class Producers {
  readonly counts = { appended: 0, acknowledged: 0, refused: 0, full: 0 };
  readonly #options: RunOptions;
  readonly #tracks: readonly ShardTrack[];
  readonly #payloads: Payloads;
  /** Promises of durability that nobody has seen settle, and batches nobody has asked about yet. */
  readonly #pending = new Set<Promise<void>>();
  #unasked: (() => void)[] = [];
  #ids = 0;

  constructor(options: RunOptions, tracks: readonly ShardTrack[], payloads: Payloads) {
    this.#options = options;
    this.#tracks = tracks;
    this.#payloads = payloads;
  }

  /** How many promises of durability have not settled. */
  get waiting(): number {
    return this.#pending.size;
  }

  append(subject: Subject, random: SeededRandom): void {
    const shard = subject.stream.shardOf(random.integer(0x100000000));
    const { index } = shard;
    const wanted = random.between(1, this.#options.batch_entries);
    const ids = Array.from({ length: wanted }, () => ({
      id: this.#ids++,
      bytes: entryBytes(random, this.#options.entry_bytes),
    }));
    const entries = ids.map(({ id, bytes }) => this.#payloads.bytes(id, bytes));
    let first: number;
    try {
      first =
        wanted === 1 && random.chance(0.3)
          ? shard.appendParts([entries[0]!.subarray(0, 3), entries[0]!.subarray(3)])
          : shard.append(entries);
    } catch (error) {
      if (!(error instanceof LogFull)) throw error;
      this.counts.full += 1;
      return;
    }
    this.counts.appended += wanted;
    const batch = this.#tracks[index]!.model.appended(first, ids);
    const offset = first + (random.chance(0.5) ? 0 : wanted - 1);
    const ask = (): void => this.#await(index, batch, shard.durable(offset));
    if (random.chance(0.2)) this.#unasked.push(ask);
    else ask();
  }

  /** Some ask late whether their entry is durable: when the commit has long succeeded or failed. */
  ask(): void {
    for (const ask of this.#unasked.splice(0)) ask();
  }

  /** Resolves when all who wait have their answer. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }

  /** The process that they waited for is no more. */
  forget(): void {
    this.#pending.clear();
    this.#unasked = [];
  }

  #await(index: number, batch: ModelBatch, durable: Promise<void>): void {
    const { model } = this.#tracks[index]!;
    const seen = durable.then(
      () => {
        this.counts.acknowledged += batch.entries.length;
        model.acknowledged(batch);
      },
      () => {
        this.counts.refused += batch.entries.length;
      },
    );
    this.#pending.add(seen);
    void seen.finally(() => this.#pending.delete(seen));
  }
}
