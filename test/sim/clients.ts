// The clients of a drain run: they append entries of every stream, wait for all of them, and tell the model what they were
// promised. Invariant: what was acknowledged is owed from that moment on.

import { signalOf } from '../../agent/outlet.ts';
import { LogFull } from '../../buffer/errors.ts';
import type { DrainModel, ModelEntry } from './drain_model.ts';
import type { DrainOptions } from './drain_options.ts';
import type { DrainSubject } from './drain_subject.ts';
import type { World } from './machine.ts';
import type { SeededRandom } from './random.ts';

/** No other entry has as many items: it is no poison to anybody. */
const CANARY_ITEMS = 7;
const CANARY_BYTES = 10;

export function isCanary(entry: ModelEntry): boolean {
  return entry.items === CANARY_ITEMS;
}

export class Clients {
  readonly counts = { appended: 0, acknowledged: 0, refused: 0, full: 0 };
  readonly #world: World;
  readonly #options: DrainOptions;
  readonly #model: DrainModel;
  readonly #random: SeededRandom;
  readonly #pending = new Set<Promise<void>>();
  #ids = 0;

  constructor(world: World, options: DrainOptions, model: DrainModel, random: SeededRandom) {
    this.#world = world;
    this.#options = options;
    this.#model = model;
    this.#random = random;
  }

  append(subject: DrainSubject): void {
    const random = this.#random;
    for (let count = random.pick([1, 3, 20]); count > 0; count--) {
      const stream = random.integer(this.#options.streams.length);
      const undecodable = random.chance(this.#options.undecodable);
      const items = random.between(1, 5);
      this.#append(subject, stream, items, random.integer(this.#options.entry_bytes), undecodable);
    }
  }

  /** Undefined where the log was full. */
  appendCanary(subject: DrainSubject, stream: number): ModelEntry | undefined {
    return this.#append(subject, stream, CANARY_ITEMS, CANARY_BYTES, false);
  }

  /** Resolves when all who wait have their answer. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }

  /** The process that they waited for is no more. */
  forget(): void {
    this.#pending.clear();
  }

  #append(
    subject: DrainSubject,
    stream: number,
    items: number,
    content_bytes: number,
    undecodable: boolean,
  ): ModelEntry | undefined {
    const id = this.#ids++;
    const name = this.#options.streams[stream]!;
    const shard = subject.streams[stream]!.shardOf(this.#random.integer(2 ** 32));
    const bytes = this.#model.bytesOf(id, content_bytes, signalOf(name)!, items, undecodable);
    let offset: number;
    try {
      offset = shard.append([bytes]);
    } catch (error) {
      if (!(error instanceof LogFull)) throw error;
      this.counts.full += 1;
      return undefined;
    }
    // The caller's memory is the caller's again.
    bytes.fill(0xee);
    this.counts.appended += 1;
    const entry = this.#model.appended({
      id,
      shard: shard.id,
      offset,
      content_bytes,
      items,
      undecodable,
      appended_ms: this.#world.clock.time_ms,
    });
    this.#await(entry, shard.durable(offset));
    return entry;
  }

  #await(entry: ModelEntry, durable: Promise<void>): void {
    const seen = durable.then(
      () => {
        this.counts.acknowledged += 1;
        this.#model.owe(entry, this.#world.clock.time_ms);
      },
      () => {
        this.counts.refused += 1;
      },
    );
    this.#pending.add(seen);
    void seen.finally(() => this.#pending.delete(seen));
  }
}
