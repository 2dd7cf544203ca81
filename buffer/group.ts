// A consumer group on one stream: a committed offset per shard, kept apart from every other group's. Invariant: a
// committed offset moves forward only, never past the high watermark, and only by `commit` or an explicit seek.

import type { Lag, Reader } from './batch.ts';
import { OffsetOutOfRange } from './errors.ts';
import type { GroupState } from './offsets.ts';
import { ShardReader } from './reader.ts';
import type { GroupView } from './retention.ts';
import type { Shard } from './shard.ts';

export interface GroupOptions {
  /** Whether retention keeps what this group has not consumed. Default true. */
  readonly protect?: boolean;
  /** Where a group begins that is not on disk yet. Default `earliest`. */
  readonly start?: 'earliest' | 'latest';
  /** Bounds how long a dead group may pin the disk. */
  readonly maxLag?: { readonly bytes?: number; readonly age_ms?: number };
}

export class Group {
  readonly name: string;
  readonly #shards: readonly Shard[];
  readonly #options: GroupOptions;

  /** Made by Stream.group, which has put the group's state into every shard. */
  constructor(name: string, shards: readonly Shard[], options: GroupOptions) {
    this.name = name;
    this.#shards = shards;
    this.#options = options;
  }

  /** Reads from the committed offset on. Close it when done: an open reader keeps the hot tail in memory. */
  reader(shard: Shard): Reader {
    return new ShardReader(shard, this.#state(shard).committed);
  }

  /** The offset to read next after a restart. */
  committed(shard: Shard): number {
    return this.#state(shard).committed;
  }

  /**
   * Everything below `next` is delivered. Taken at once in memory; the promise resolves when it is on disk, at the latest
   * one offsets interval later, and need not be awaited. Going back is ignored. @throws OffsetOutOfRange
   */
  commit(shard: Shard, next: number): Promise<void> {
    if (!Number.isInteger(next) || next < 0 || next > shard.highWatermark) {
      throw new OffsetOutOfRange(shard.id, next, shard.logStart, shard.highWatermark);
    }
    const state = this.#state(shard);
    if (next <= state.committed) return Promise.resolve();
    state.committed = next;
    return shard.offsets.changed();
  }

  /** Makes what was committed on all shards durable now. */
  async flush(): Promise<void> {
    await Promise.all(this.#shards.map((shard) => shard.offsets.flush()));
  }

  lag(shard: Shard): Lag {
    const from = Math.max(this.#state(shard).committed, shard.logStart);
    const to = shard.highWatermark;
    const entries = to - from - shard.ledger.ranges.count(from, to);
    if (entries <= 0) return { entries: 0, bytes: 0, age_ms: 0 };
    let bytes = 0;
    let oldest: number | undefined;
    for (let index = shard.segments.length - 1; index >= 0; index--) {
      const segment = shard.segments[index]!;
      if (segment.end <= from) break;
      const share = segment.base >= from ? 1 : (segment.end - from) / (segment.end - segment.base);
      bytes += segment.bytes * share;
      // Within a segment the time of an offset is known to its bounds only.
      oldest = segment.firstTimestamp + (segment.lastTimestamp - segment.firstTimestamp) * (1 - share);
    }
    const age_ms = oldest === undefined ? 0 : Math.max(0, shard.parts.clock.now() - oldest);
    return { entries, bytes: Math.round(bytes), age_ms: Math.round(age_ms) };
  }

  get maxLag(): { readonly bytes?: number; readonly age_ms?: number } {
    return this.#options.maxLag ?? {};
  }

  #state(shard: Shard): GroupState {
    const state = shard.offsets.groups.get(this.name);
    if (!state) throw new RangeError(`group ${this.name} does not exist on ${shard.id}`);
    return state;
  }
}

/** The groups of a shard as retention sees them; limits come from the groups that are open. */
export function groupViews(shard: Shard, open: ReadonlyMap<string, Group>): GroupView[] {
  return [...shard.offsets.groups.values()].map((state) => {
    const limit = open.get(state.name)?.maxLag;
    return {
      committed: state.committed,
      protect: state.protect,
      maxLag_bytes: limit?.bytes,
      maxLag_ms: limit?.age_ms,
    };
  });
}
