// A consumer group on one stream: a committed offset per shard, kept apart from every other group's. Invariant: a
// committed offset never passes the high watermark, and goes back by an explicit seek alone.

import { ACK_WINDOW_ENTRIES, AckWindow } from './ack_window.ts';
import { type Assignment, isAssigned } from './assignment.ts';
import type { ShardBatch } from './batch.ts';
import { LogClosed, OffsetOutOfRange, UnknownGroup } from './errors.ts';
import { GroupReader } from './group_reader.ts';
import { addLags, type Lag, lagOf } from './lag.ts';
import type { GroupState } from './offsets.ts';
import { type Place, resolvePlace } from './place.ts';
import type { Clock } from './ports/clock.ts';
import { type BatchHandler, type ProcessOptions, processBatches } from './process.ts';
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
  /** How far ahead of the oldest entry that is not acknowledged others may be. Default 65,536 entries, 8 KiB. */
  readonly ackWindow_entries?: number;
  /** Which of several readers of the group this is: it gets its share of the shards. Default: all of them. */
  readonly assignment?: Assignment;
}

export interface GroupStats {
  readonly name: string;
  /** Of all shards of the group together. */
  readonly lag: Lag;
  readonly shards: readonly {
    readonly shard: string;
    readonly committed: number;
    /** Entries acknowledged above the committed offset. */
    readonly acknowledgedAhead: number;
    readonly lag: Lag;
  }[];
}

export class Group {
  readonly name: string;
  readonly #shards: readonly Shard[];
  readonly #options: GroupOptions;
  readonly #clock: Clock;

  /** Made by Stream.group and Log.group, which have put the group's state into every shard. */
  constructor(name: string, shards: readonly Shard[], options: GroupOptions, clock: Clock) {
    this.name = name;
    this.#clock = clock;
    this.#shards = shards;
    this.#options = options;
  }

  /** The shards of this group, or its share of them. */
  get shards(): readonly Shard[] {
    return this.#shards.filter((shard) => isAssigned(shard, this.#options.assignment));
  }

  /**
   * Reads from the committed offset on: one shard, or all of the group in turn. Close it when done: an open reader keeps
   * the hot tail in memory.
   */
  reader(shard: Shard): ShardReader;
  reader(): GroupReader;
  reader(shard?: Shard): ShardReader | GroupReader {
    if (!shard) {
      const readers = this.shards.map((one) => this.reader(one));
      return new GroupReader(this.name, readers, this.#clock);
    }
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

  /**
   * The entries from `offset` to `next` (exclusive) are delivered, in whatever order they are named. What is committed is
   * the low watermark: everything below it is acknowledged. On disk with the next write of offsets, or `flush`.
   * @throws OffsetOutOfRange | AckWindowExceeded | LogClosed
   */
  ack(shard: Shard, offset: number, next = offset + 1): void {
    const { highWatermark, logStart } = shard;
    if (!(Number.isInteger(offset) && Number.isInteger(next) && 0 <= offset && offset < next)) {
      throw new OffsetOutOfRange(shard.id, offset, logStart, highWatermark);
    }
    if (next > highWatermark) throw new OffsetOutOfRange(shard.id, next - 1, logStart, highWatermark);
    const state = this.#state(shard);
    if (shard.offsets.closed) throw new LogClosed(shard.id);
    state.acks ??= new AckWindow(this.#options.ackWindow_entries ?? ACK_WINDOW_ENTRIES);
    const from = Math.max(state.committed, logStart);
    const low = state.acks.ack(shard.id, from, offset, next, shard.ledger.ranges);
    const committed = Math.min(low, highWatermark);
    if (committed <= state.committed) return;
    state.committed = committed;
    void shard.offsets.changed();
  }

  /**
   * Handles the entries of all shards of the group, batch by batch, until the signal says stop or the log is closed; what was
   * acknowledged is then durable. @throws what ended it otherwise: by default what the handler threw
   */
  async process(handler: BatchHandler, options: ProcessOptions = {}): Promise<void> {
    const reader = this.reader();
    const commit = (batch: ShardBatch): void => void this.commit(batch.shard, batch.next);
    const ack = (batch: ShardBatch): void => this.ack(batch.shard, batch.first, batch.next);
    try {
      await processBatches({ reader, clock: this.#clock, commit, ack }, handler, options);
    } catch (error) {
      // What ended the loop says more than what may come of this.
      await this.#flushOpen().catch(() => {});
      throw error;
    } finally {
      reader.close();
    }
    await this.#flushOpen();
  }

  /**
   * Moves the committed offset of one shard, back as well as forward, and forgets what was acknowledged above it. Resolves
   * when that is durable. Readers that are open go on where they are. @throws OffsetOutOfRange | LogClosed
   */
  async seek(shard: Shard, place: Place): Promise<void> {
    this.#state(shard);
    const offset = await resolvePlace(shard, place);
    await this.#move(shard, offset);
  }

  /** Moves all shards; where the place does not exist on one of them, none. @throws OffsetOutOfRange | LogClosed */
  async reset(place: Place): Promise<void> {
    const { shards } = this;
    const offsets = await Promise.all(shards.map((shard) => resolvePlace(shard, place)));
    await Promise.all(shards.map((shard, index) => this.#move(shard, offsets[index]!)));
  }

  /** Makes what was committed on all shards durable now. */
  async flush(): Promise<void> {
    await Promise.all(this.shards.map((shard) => shard.offsets.flush()));
  }

  lag(shard: Shard): Lag {
    return lagOf(shard, this.#state(shard).committed);
  }

  stats(): GroupStats {
    const shards = this.shards.map((shard) => {
      const { acks, committed } = this.#state(shard);
      return {
        shard: shard.id,
        committed,
        acknowledgedAhead: acks?.pending ?? 0,
        lag: lagOf(shard, committed),
      };
    });
    return { name: this.name, lag: addLags(shards.map((one) => one.lag)), shards };
  }

  get options(): GroupOptions {
    return this.#options;
  }

  async #flushOpen(): Promise<void> {
    const open = this.shards.filter((shard) => !shard.offsets.closed);
    await Promise.all(open.map((shard) => shard.offsets.flush()));
  }

  async #move(shard: Shard, offset: number): Promise<void> {
    const state = this.#state(shard);
    if (shard.offsets.closed) throw new LogClosed(shard.id);
    state.committed = offset;
    state.acks?.clear();
    void shard.offsets.changed();
    await shard.offsets.settle();
  }

  #state(shard: Shard): GroupState {
    const state = shard.offsets.groups.get(this.name);
    if (!state) throw new UnknownGroup(this.name, shard.id);
    return state;
  }
}

/** The groups of a shard as retention sees them; limits come from the groups that are open. */
export function groupViews(shard: Shard, open: ReadonlyMap<string, Group>): GroupView[] {
  return [...shard.offsets.groups.values()].map((state) => {
    const limit = open.get(state.name)?.options.maxLag;
    return {
      committed: state.committed,
      protect: state.protect,
      maxLag_bytes: limit?.bytes,
      maxLag_ms: limit?.age_ms,
    };
  });
}
