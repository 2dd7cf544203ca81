// What a log can be told when it is opened, and what that means for its parts. Invariant: what is not said gets a default
// that loses nothing, and what cannot be is refused before anything is touched.

import type { BudgetLimits, WhenFull } from './budget.ts';
import { type CommitOptions, type CommitPolicy, commitPolicy, type Durability } from './commit_policy.ts';
import { type CompressionOptions, checkCompression } from './compression.ts';
import { InvalidOption } from './errors.ts';
import type { LogParts } from './log_parts.ts';
import { OPEN_FILES_MIN } from './ports/bounded_files.ts';
import type { Clock } from './ports/clock.ts';
import type { Codec } from './ports/codec.ts';
import type { FileSystem } from './ports/file_system.ts';
import type { Random } from './ports/random.ts';
import type { RetentionPolicy } from './retention.ts';
import { INDEX_INTERVAL_BYTES } from './segment.ts';
import type { SegmentLimits } from './segment_writer.ts';
import type { SharedDisk } from './shared_disk.ts';

const MiB = 1024 * 1024;
/** Removal goes by whole segments, so a small log, or shard, has small ones. */
const SEGMENTS_MIN = 8;
const INDEX_INTERVAL_MIN_BYTES = 4096;

export interface RetentionOptions {
  /** Bytes that all segments together may take. Default 1 GiB. */
  readonly maxSize_bytes?: number;
  /** Bytes that the segments of one shard may take. Default: no limit but `maxSize_bytes`. */
  readonly maxShardSize_bytes?: number;
  /** Segments of each shard that stay whatever else is said, the active one included. Default 0. */
  readonly minSegments?: number;
  /** Keeps what is consumed for replay: the newest bytes of each shard, for so long. Room that is needed comes first. Default: it goes at once. */
  readonly keepConsumed?: { readonly bytes?: number; readonly age_ms?: number };
  /** Age (running time) above which data is removed. Default: none. */
  readonly maxAge_ms?: number;
  /** Age (running time) above which data is removed though nobody has consumed it, whatever protects it. Default: none. */
  readonly forceDeleteAfter_ms?: number;
  /** Bytes of the file system that stay free. Default 64 MiB. */
  readonly minFreeSpace_bytes?: number;
  /** What happens to appends when a limit is reached. Default `reject`. */
  readonly whenFull?: WhenFull;
  /** Whether age leaves alone what a protecting group has not consumed. Default true. */
  readonly protectUnconsumed?: boolean;
  /** How often policies are applied. Default 5 s. */
  readonly interval_ms?: number;
}

export interface SegmentOptions {
  /** A segment ends before it grows beyond. Default 64 MiB, an eighth of `maxSize_bytes` at most. */
  readonly maxBytes?: number;
  /** A segment that holds anything ends at this age. Default 1 h. */
  readonly maxAge_ms?: number;
  /** The index of a sealed segment has a point for each so many bytes, at least 4 KiB. Default 1 MiB. */
  readonly indexInterval_bytes?: number;
}

export interface LogOptions {
  readonly directory: string;
  /** Default: the real ones. A simulator passes its own. */
  readonly fileSystem?: FileSystem;
  readonly clock?: Clock;
  /** Where the key of a new log comes from. */
  readonly random?: Random;
  /** Called with what an operator should see. */
  readonly report?: LogParts['report'];
  readonly segment?: SegmentOptions;
  readonly retention?: RetentionOptions;
  /** How frames are stored, where a stream says nothing else. Default: as they are. */
  readonly compression?: CompressionOptions;
  /** What compresses. Default: zstd in libuv's pool of threads. */
  readonly codec?: Codec;
  /** Bytes appended and not yet durable; beyond it appends throw LogFull. Default 64 MiB. */
  readonly inFlightMax_bytes?: number;
  /** Other logs, in this thread or others, that `retention.maxSize_bytes` and `minFreeSpace_bytes` hold for together with this one. */
  readonly sharedDisk?: SharedDisk;
  /** Largest entry. Default 64 MiB. */
  readonly entryMax_bytes?: number;
  /** How often committed offsets are written. Default 1 s. */
  readonly offsetsInterval_ms?: number;
  /** How long a commit may take before its waiters are refused. Default 30 s. */
  readonly commitDeadline_ms?: number;
  /** What a resolved `durable` means: synced, written and synced within `commit.syncInterval_ms`, or written. Default `fsync`. */
  readonly durability?: Durability;
  /** When blocks are switched and commits begin. */
  readonly commit?: CommitOptions;
  /** Bytes of just written data kept in memory for readers that have caught up, all shards together. Default 16 MiB. */
  readonly hotTail_bytes?: number;
  readonly files?: {
    /** Descriptors that the log holds at a time, but for its lock; files that rest are closed and opened again. Default 256. */
    readonly maxOpen?: number;
  };
  /** Opens by reading every segment, whatever its index says, and keeps a copy of all that is cut off. Default false. */
  readonly readEverything?: boolean;
}

/** What retention, budget, segments and commits are told. */
export interface Limits {
  readonly policy: RetentionPolicy;
  readonly budget: BudgetLimits;
  readonly segment: SegmentLimits;
  readonly openFiles: number;
  readonly commit: CommitPolicy;
}

/** @throws InvalidOption */
export function limitsOf(options: LogOptions): Limits {
  checkCompression(options.compression);
  const retention = options.retention ?? {};
  const { maxSize_bytes = 1024 * MiB, maxShardSize_bytes = Number.POSITIVE_INFINITY } = retention;
  const { keepConsumed, minSegments = 0, whenFull = 'reject' } = retention;
  const least_bytes = Math.min(maxSize_bytes, maxShardSize_bytes);
  const segment_bytes = Math.min(
    options.segment?.maxBytes ?? 64 * MiB,
    Math.ceil(least_bytes / SEGMENTS_MIN),
  );
  if (!(maxShardSize_bytes > 0)) {
    throw new InvalidOption('maxShardSize_bytes', maxShardSize_bytes, 'a number of bytes above 0 is');
  }
  // Segments that stay and fill the whole room would keep appends out for ever.
  const segmentsMax = Math.floor(least_bytes / segment_bytes) - 1;
  if (!Number.isInteger(minSegments) || minSegments < 0 || minSegments > segmentsMax) {
    const expected = `a whole number from 0 to ${segmentsMax} is, at ${segment_bytes} bytes a segment`;
    throw new InvalidOption('minSegments', minSegments, expected);
  }
  const openFiles = options.files?.maxOpen ?? 256;
  if (!Number.isInteger(openFiles) || openFiles < OPEN_FILES_MIN) {
    throw new InvalidOption('files.maxOpen', openFiles, `a whole number from ${OPEN_FILES_MIN} on is`);
  }
  return {
    openFiles,
    policy: {
      minSegments,
      forceDeleteAfter_ms: retention.forceDeleteAfter_ms,
      maxAge_ms: retention.maxAge_ms,
      keepConsumed: keepConsumed && { bytes: keepConsumed.bytes, age_ms: keepConsumed.age_ms },
      headroom_bytes: keepConsumed ? segment_bytes : 0,
      protectUnconsumed: retention.protectUnconsumed ?? true,
      whenFull,
    },
    budget: {
      maxSize_bytes,
      maxShardSize_bytes,
      minFreeSpace_bytes: retention.minFreeSpace_bytes ?? 64 * MiB,
      inFlightMax_bytes: options.inFlightMax_bytes ?? 64 * MiB,
      headroom_bytes: segment_bytes,
      whenFull,
    },
    commit: commitPolicy(options.durability, options.commit, options.inFlightMax_bytes),
    segment: {
      maxBytes: segment_bytes,
      maxAge_ms: options.segment?.maxAge_ms ?? 3_600_000,
      indexInterval_bytes: indexIntervalOf(options.segment),
    },
  };
}

function indexIntervalOf({ indexInterval_bytes = INDEX_INTERVAL_BYTES }: SegmentOptions = {}): number {
  if (Number.isInteger(indexInterval_bytes) && indexInterval_bytes >= INDEX_INTERVAL_MIN_BYTES) {
    return indexInterval_bytes;
  }
  const expected = `a whole number from ${INDEX_INTERVAL_MIN_BYTES} on is`;
  throw new InvalidOption('segment.indexInterval_bytes', indexInterval_bytes, expected);
}
