// What every exporter can set about how it is drained; the keys are the Collector's where it has them. The schema is a
// fragment: each exporter spreads `drainShape` into its own section and hands the result to `drainConfigOf`.

import * as z from 'zod';
import { durationMs, section, sizeBytes } from '../../config/fields.ts';

export interface DrainConfig {
  readonly retry: {
    readonly initial_interval_ms: number;
    readonly max_interval_ms: number;
    readonly multiplier: number;
    /** 0 jitter is exact, 0.5 spreads each wait over ±50 %. */
    readonly randomization_factor: number;
    /** 0 is for ever. After it the batch is dead-lettered. */
    readonly max_elapsed_time_ms: number;
  };
  readonly timeout_ms: number;
  readonly batch: {
    /** Raw bytes that one request may hold; an entry above it goes alone. */
    readonly max_bytes: number;
    readonly max_items: number;
    /** Entries of at least this raw length leave alone, byte for byte as they came. */
    readonly passthrough_bytes: number;
    readonly flush_timeout_ms: number;
  };
  readonly max_in_flight: number;
  /** Bytes per second on the wire; 0 is unlimited. */
  readonly rate_limit_bytes_per_s: number;
  readonly on_rejected: 'hold' | 'dead_letter' | 'drop' | 'auto';
  readonly protect: boolean;
  readonly max_lag: { readonly bytes?: number; readonly age_ms?: number };
}

/** OTLP.md, 36. */
const REQUEST_BYTES_MAX = 64 * 2 ** 20;
const IN_FLIGHT_MAX = 64;

const batchShape = {
  max_bytes: sizeBytes({ min: 1, max: REQUEST_BYTES_MAX }).prefault('1MiB'),
  max_items: z.int().min(1).default(8192),
  passthrough_bytes: sizeBytes().prefault('64KiB'),
  flush_timeout: durationMs().prefault('200ms'),
};

/** The Collector's sizes are items, requests or bytes (`sizer`); only `items` and `bytes` have a meaning here. */
const collectorBatch = section({
  flush_timeout: durationMs().optional(),
  min_size: z.int().min(0).optional(),
  max_size: z.int().min(0).optional(),
  sizer: z.enum(['items', 'bytes', 'requests']).optional(),
});

/**
 * The Collector's queue. The log takes its place: `num_consumers` becomes `max_in_flight`, `batch` the batch limits, and the
 * rest, which bounds a queue in memory, has nothing to bound.
 */
const sendingQueue = section({
  enabled: z.boolean().optional(),
  num_consumers: z.int().min(1).optional(),
  queue_size: z.int().min(0).optional(),
  sizer: z.enum(['items', 'bytes', 'requests']).optional(),
  storage: z.string().nullish(),
  wait_for_result: z.boolean().optional(),
  block_on_overflow: z.boolean().optional(),
  batch: collectorBatch.optional(),
});

const retryOnFailure = section({
  /** false: a batch that cannot be delivered at once is dead-lettered. */
  enabled: z.boolean().default(true),
  initial_interval: durationMs({ min: 1 }).prefault('5s'),
  randomization_factor: z.number().min(0).max(1).default(0.5),
  multiplier: z.number().min(1).max(100).default(1.5),
  max_interval: durationMs({ min: 1 }).prefault('30s'),
  /** 0 is for ever. The Collector's default is 5m, after which it drops. */
  max_elapsed_time: durationMs().prefault('0s'),
});

export const drainShape = {
  /** Of one request, from its beginning to the end of the answer. */
  timeout: durationMs({ min: 1 }).prefault('10s'),
  retry_on_failure: retryOnFailure.prefault({}),
  sending_queue: sendingQueue.optional(),
  batch: section(batchShape).optional(),
  /** Batches outstanding at once; committed in order all the same. Default 1, or sending_queue.num_consumers. */
  max_in_flight: z.int().min(1).max(IN_FLIGHT_MAX).optional(),
  /** Bytes per second; 0 is unlimited. */
  rate_limit: sizeBytes().default(0),
  on_rejected: z.enum(['auto', 'hold', 'dead_letter', 'drop']).default('auto'),
  /** Whether retention keeps what this exporter has not delivered. */
  protect: z.boolean().default(true),
  /** How far behind this exporter may fall before its protection ends. */
  max_lag: section({
    bytes: sizeBytes({ min: 1 }).optional(),
    age: durationMs({ min: 1 }).optional(),
  }).prefault({}),
};

export type DrainSection = z.output<z.ZodObject<typeof drainShape>>;

/** The same for every exporter: what a file says, as the drain loop reads it. */
export function drainConfigOf(section: DrainSection): DrainConfig {
  const retry = section.retry_on_failure;
  const { bytes, age } = section.max_lag;
  return {
    retry: {
      initial_interval_ms: retry.initial_interval,
      max_interval_ms: Math.max(retry.max_interval, retry.initial_interval),
      multiplier: retry.multiplier,
      randomization_factor: retry.randomization_factor,
      // No wait fits into it, so the first failure is the last.
      max_elapsed_time_ms: retry.enabled ? retry.max_elapsed_time : Number.MIN_VALUE,
    },
    timeout_ms: section.timeout,
    batch: batchOf(section),
    max_in_flight:
      section.max_in_flight ?? Math.min(section.sending_queue?.num_consumers ?? 1, IN_FLIGHT_MAX),
    rate_limit_bytes_per_s: section.rate_limit,
    on_rejected: section.on_rejected,
    protect: section.protect,
    max_lag: {
      ...(bytes === undefined ? {} : { bytes }),
      ...(age === undefined ? {} : { age_ms: age }),
    },
  };
}

function batchOf(section: DrainSection): DrainConfig['batch'] {
  const own = section.batch ?? z.strictObject(batchShape).parse({});
  const theirs = section.batch === undefined ? section.sending_queue?.batch : undefined;
  const max_size = theirs?.max_size || undefined;
  const inBytes = theirs?.sizer === 'bytes';
  const max_bytes = inBytes && max_size ? Math.min(max_size, REQUEST_BYTES_MAX) : own.max_bytes;
  return {
    max_bytes,
    max_items: theirs && !inBytes && theirs.sizer !== 'requests' && max_size ? max_size : own.max_items,
    passthrough_bytes: own.passthrough_bytes,
    flush_timeout_ms: theirs?.flush_timeout ?? own.flush_timeout,
  };
}

/** What became of the Collector's keys that have no place here: one line each, for the log. */
export function drainNotes(section: DrainSection): string[] {
  const queue = section.sending_queue;
  if (queue === undefined) return [];
  const notes: string[] = [];
  if (queue.enabled === false) notes.push('sending_queue.enabled: false is ignored, the log is always there');
  if (queue.num_consumers !== undefined) {
    const used = section.max_in_flight === undefined;
    notes.push(`sending_queue.num_consumers ${used ? 'became' : 'is overruled by'} max_in_flight`);
  }
  if (queue.queue_size !== undefined)
    notes.push('sending_queue.queue_size is ignored, buffer.max_size bounds the log');
  if (queue.storage) notes.push('sending_queue.storage is needless, the log is on disk');
  if (queue.batch !== undefined) {
    const used = section.batch === undefined;
    notes.push(`sending_queue.batch ${used ? 'became' : 'is overruled by'} batch`);
  }
  return notes;
}
