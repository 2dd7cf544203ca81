// What the configuration means for a log. Invariant: what several workers share is divided, so that the sum over all of them
// is what the user wrote; what holds for a shard holds for each of theirs.

import type { LogOptions, RetentionOptions, SharedDisk } from '../buffer/index.ts';
import type { Logger } from '../config/logger.ts';
import type { BufferConfig } from './schema/buffer.ts';
import type { RetentionConfig } from './schema/retention.ts';

/** A log never lets its segments be larger than this part of the budget; of several logs each has its share of it. */
const SEGMENTS_MIN = 8;
const HOT_TAIL_BYTES = 16 * 2 ** 20;

export interface LogShare {
  readonly directory: string;
  /** How many logs the budget and the memory are for. */
  readonly logs: number;
  readonly maxOpen: number;
  /** Undefined: this log is alone. */
  readonly disk: SharedDisk | undefined;
}

export function logOptions(buffer: BufferConfig, share: LogShare, logger: Logger): LogOptions {
  const { directory, logs, maxOpen, disk } = share;
  const segment_bytes = Math.min(buffer.segment_size, Math.ceil(buffer.max_size / (SEGMENTS_MIN * logs)));
  return {
    directory,
    report: (level, message, fields) => logger[level](message, fields),
    segment: { maxBytes: segment_bytes, maxAge_ms: buffer.segment_max_age },
    retention: {
      maxSize_bytes: buffer.max_size,
      ...(buffer.max_age === undefined ? {} : { maxAge_ms: buffer.max_age }),
      minFreeSpace_bytes: buffer.min_free_space,
      whenFull: buffer.when_full,
      protectUnconsumed: buffer.protect_unconsumed,
      interval_ms: buffer.retention_interval,
      ...retentionOptions(buffer.retention),
    },
    inFlightMax_bytes: Math.ceil(buffer.in_flight / logs),
    hotTail_bytes: Math.ceil(HOT_TAIL_BYTES / logs),
    files: { maxOpen },
    ...(disk ? { sharedDisk: disk } : {}),
    offsetsInterval_ms: buffer.offsets_interval,
    commitDeadline_ms: buffer.commit_deadline,
    durability: buffer.durability,
    commit: {
      way: buffer.commit_way,
      linger_ms: buffer.commit_linger,
      syncInterval_ms: buffer.sync_interval,
    },
    compression: { codec: buffer.compression },
  };
}

function retentionOptions(retention: RetentionConfig): RetentionOptions {
  const { force_delete_after, keep_consumed, max_shard_size, min_segments } = retention;
  return {
    minSegments: min_segments,
    ...(max_shard_size === undefined ? {} : { maxShardSize_bytes: max_shard_size }),
    ...(force_delete_after === undefined ? {} : { forceDeleteAfter_ms: force_delete_after }),
    ...(keep_consumed === undefined ? {} : { keepConsumed: keepOptions(keep_consumed) }),
  };
}

function keepOptions({ age, size }: NonNullable<RetentionConfig['keep_consumed']>) {
  return {
    ...(age === undefined ? {} : { age_ms: age }),
    ...(size === undefined ? {} : { bytes: size }),
  };
}
