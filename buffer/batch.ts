// What a read hands out: views of entries in log order, and the lease that keeps the memory under them.

import type { Shard } from './shard.ts';

export interface ReadLimits {
  /** Stop before the entry that would pass this many bytes; the first entry is handed out however large. Default 1 MiB. */
  readonly maxBytes?: number;
  /** Default 8,192. */
  readonly maxEntries?: number;
  /** How long to wait for the first entry, ms; 0 returns at once; default: until there is one. */
  readonly wait_ms?: number;
  /** Ends the wait early; the read then returns undefined. */
  readonly signal?: AbortSignal;
  /**
   * Entries of up to this many bytes are copied, so that they stay valid after `release`; larger ones are views. `true`:
   * all are copied, and the batch holds no memory of the log. Default false: all are views.
   */
  readonly safe?: boolean | number;
}

export interface Batch {
  /** Views, valid until the last `release`, or copies where the read was `safe`. @throws LeaseReleased after that */
  readonly entries: readonly Uint8Array[];
  /** Offset of each entry: ascending, dense but where entries were lost. */
  readonly offsets: readonly number[];
  /** Offset of the first entry. */
  readonly first: number;
  /** What to commit once all entries of the batch are delivered: the offset to read next. */
  readonly next: number;
  /** Wall-clock time of append of the first entry, ms since the Unix epoch. */
  readonly timestamp: number;
  /** Bytes of all entries together. */
  readonly bytes: number;
  /** Keeps the entries for one more holder: it takes one more `release` to let them go. @throws LeaseReleased */
  retain(): void;
  /** Gives the memory back; a view that is kept longer shows whatever comes there next. @throws LeaseReleased when it was given back before */
  release(): void;
}

/** A batch that says where it came from. */
export interface ShardBatch extends Batch {
  readonly shard: Shard;
}

/** One consumer group's place in one shard. */
export interface Reader {
  /** The next entries at and after the reader's position (not the committed offset), or undefined when the wait ended without any. One call at a time. */
  read(limits?: ReadLimits): Promise<Batch | undefined>;
  /** Continues from `offset`. */
  seek(offset: number): void;
  close(): void;
}
