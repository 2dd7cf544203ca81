// A log on a disk in memory with a clock that stands still: what the tests of the log's parts share. Invariant: whatever
// it opened can be opened again from the same bytes.

import { expect } from '@jest/globals';
import type { Batch, Reader } from '../../buffer/batch.ts';
import { Log, type LogOptions } from '../../buffer/index.ts';
import type { Shard } from '../../buffer/shard.ts';
import { ManualClock } from './manual_clock.ts';
import { MemoryFileSystem } from './memory_file_system.ts';
import { ObservedFileSystem } from './observed_file_system.ts';

export interface Report {
  readonly level: string;
  readonly message: string;
  readonly fields: Record<string, string | number>;
}

export class LogOnMemory {
  readonly disk: MemoryFileSystem;
  readonly fileSystem: ObservedFileSystem;
  readonly clock = new ManualClock();
  readonly reports: Report[] = [];

  constructor(disk = new MemoryFileSystem()) {
    this.disk = disk;
    this.fileSystem = new ObservedFileSystem(disk);
  }

  open(options: Partial<LogOptions> = {}): Promise<Log> {
    return Log.open({
      directory: '/log',
      fileSystem: this.fileSystem,
      clock: this.clock,
      report: (level, message, fields) => this.reports.push({ level, message, fields }),
      ...options,
      retention: { minFreeSpace_bytes: 0, ...options.retention },
    });
  }

  /** What is on disk now, as a process that is killed leaves it, on a disk of its own. */
  killed(): LogOnMemory {
    return new LogOnMemory(this.disk.copy());
  }
}

/** The log with one stream of one shard. */
export async function openedOnMemory(options: Partial<LogOptions> = {}, on = new LogOnMemory()) {
  const log = await on.open(options);
  const stream = await log.stream('s');
  return { on, log, stream, shard: stream.shardOf(0) };
}

/** Fails unless every account of the log adds up. */
export function expectAccountsToAddUp(log: Log): void {
  for (const shards of Object.values(log.stats().streams)) {
    for (const { account, logStart, highWatermark } of shards) {
      const dropped = Object.values(account.dropped).reduce((sum, count) => sum + count, 0);
      expect(account.appended).toBe(
        account.retained + account.deletedConsumed + dropped + account.quarantined,
      );
      expect(account.retained).toBeLessThanOrEqual(highWatermark - logStart);
    }
  }
}

export const entry = (text: string): Uint8Array => Buffer.from(text, 'utf8');

export async function appendDurably(shard: Shard, ...texts: readonly string[]): Promise<number> {
  const first = shard.append(texts.map(entry));
  await shard.durable(first + texts.length - 1);
  return first;
}

/** All that can be read now without waiting, copied. */
export async function readAll(reader: Pick<Reader, 'read'>): Promise<{ offset: number; text: string }[]> {
  const all: { offset: number; text: string }[] = [];
  for (let batch = await reader.read({ wait_ms: 0 }); batch; batch = await reader.read({ wait_ms: 0 })) {
    all.push(...textsOf(batch));
    batch.release();
  }
  return all;
}

export function textsOf(batch: Batch): { offset: number; text: string }[] {
  return batch.entries.map((bytes, index) => ({
    offset: batch.offsets[index]!,
    text: Buffer.from(bytes).toString('utf8'),
  }));
}
