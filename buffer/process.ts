// The loop of a program that handles a group's entries: read, handle, retry, acknowledge. Invariants: one batch at a time;
// nothing is acknowledged that was neither handled, nor skipped or put aside by a policy that the caller wrote down.

import type { ReadLimits, ShardBatch } from './batch.ts';
import { LogClosed } from './errors.ts';
import { type Clock, sleep } from './ports/clock.ts';

export interface ProcessOptions {
  /** Entries of one batch at most. Default 1,024. */
  readonly batchSize?: number;
  /** Bytes of one batch at most. Default 1 MiB. */
  readonly maxBytes?: number;
  /** How long one read waits for entries. Default 1 s. */
  readonly pollWait_ms?: number;
  /** Whether a handled batch is acknowledged by the loop; where not, the handler calls `group.ack`. Default true. */
  readonly autoAck?: boolean;
  /** How often a batch is handled again that failed, and a read. Default 3. */
  readonly retries?: number;
  /** Default 1 s. */
  readonly retryDelay_ms?: number;
  /** What becomes of a batch that failed every time; a function puts it aside, and it is acknowledged then. Default `stop`. */
  readonly onError?: 'stop' | 'skip' | ((batch: ShardBatch, error: unknown) => unknown);
  /** Called when a batch is dealt with. */
  readonly afterBatch?: (batch: ShardBatch, outcome: BatchOutcome) => unknown;
  /** Ends the loop: the batch that is being handled is finished, one that waits for its retry comes again. */
  readonly signal?: AbortSignal;
}

export interface BatchOutcome {
  readonly result: 'handled' | 'skipped' | 'dead_lettered';
  readonly attempts: number;
  /** What the last attempt threw. */
  readonly error?: unknown;
}

/** What the loop needs of a group. */
export interface ProcessSource {
  readonly reader: { read(limits: ReadLimits): Promise<ShardBatch | undefined> };
  readonly clock: Clock;
  /** Everything of the batch's shard up to its end is dealt with. */
  commit(batch: ShardBatch): void;
  /** The batch is dealt with; what was before it may not be. */
  ack(batch: ShardBatch): void;
}

export type BatchHandler = (batch: ShardBatch, signal?: AbortSignal) => unknown;

/** Resolves when it was stopped by the signal, or the log was closed. @throws what ended it otherwise */
export async function processBatches(
  source: ProcessSource,
  handler: BatchHandler,
  options: ProcessOptions,
): Promise<void> {
  const { signal } = options;
  while (!signal?.aborted) {
    const batch = await readAgain(source, options);
    if (batch === 'closed') return;
    if (!batch) continue;
    try {
      const outcome = await handle(source.clock, batch, handler, options);
      if (!outcome) return;
      if (options.autoAck ?? true) source.commit(batch);
      else if (outcome.result !== 'handled') source.ack(batch);
      await options.afterBatch?.(batch, outcome);
    } finally {
      batch.release();
    }
  }
}

async function readAgain(
  source: ProcessSource,
  options: ProcessOptions,
): Promise<ShardBatch | 'closed' | undefined> {
  const limits = {
    maxEntries: options.batchSize ?? 1024,
    wait_ms: options.pollWait_ms ?? 1000,
    ...(options.maxBytes !== undefined && { maxBytes: options.maxBytes }),
    ...(options.signal && { signal: options.signal }),
  };
  for (let attempt = 0; ; attempt++) {
    try {
      return await source.reader.read(limits);
    } catch (error) {
      if (error instanceof LogClosed) return 'closed';
      if (attempt >= (options.retries ?? 3)) throw error;
      await sleep(source.clock, options.retryDelay_ms ?? 1000, options.signal);
      if (options.signal?.aborted) return undefined;
    }
  }
}

/** Undefined where the loop was stopped before the batch was dealt with. */
async function handle(
  clock: Clock,
  batch: ShardBatch,
  handler: BatchHandler,
  options: ProcessOptions,
): Promise<BatchOutcome | undefined> {
  const { onError = 'stop', retries = 3, retryDelay_ms = 1000, signal } = options;
  for (let attempts = 1; ; attempts++) {
    try {
      await handler(batch, signal);
      return { result: 'handled', attempts };
    } catch (error) {
      if (attempts <= retries) {
        await sleep(clock, retryDelay_ms, signal);
        if (signal?.aborted) return undefined;
        continue;
      }
      if (onError === 'stop') throw error;
      if (onError === 'skip') return { result: 'skipped', attempts, error };
      await onError(batch, error);
      return { result: 'dead_lettered', attempts, error };
    }
  }
}
