// What shards say of themselves, added up: for a stream and for the log. Invariant: plain values only, so that they can be
// written as JSON as they are.

import type { CommitStats, WriteStats } from './commit_meter.ts';
import { addCompression, type CompressionStats } from './compression.ts';
import type { Account } from './ledger.ts';
import type { ReadStats } from './read_meter.ts';
import type { SwitchStats } from './switch_meter.ts';

export interface ShardStats {
  readonly logStart: number;
  readonly highWatermark: number;
  readonly logEnd: number;
  readonly segments: number;
  readonly bytes: number;
  /** Of files that are kept for commits to come. */
  readonly unused_bytes: number;
  /** Of the oldest entry that some protecting group (any, where none protects; nobody, where there is no group) has not consumed, ms; 0: none. */
  readonly oldestUnconsumed_age_ms: number;
  readonly rotations: number;
  readonly readers: number;
  readonly commits: CommitStats;
  readonly writes: WriteStats;
  readonly switches: SwitchStats;
  readonly compression: CompressionStats;
  readonly reads: Readonly<ReadStats>;
  readonly account: Account;
}

export interface Totals {
  /** Entries that are kept. */
  readonly entries: number;
  readonly bytes: number;
  readonly segments: number;
  /** Age of the oldest entry that a group that counts has not consumed, ms; 0 when there is none. */
  readonly oldestUnconsumed_age_ms: number;
  readonly rotations: number;
  readonly readers: number;
  readonly commits: number;
  readonly failedCommits: number;
  readonly compression: CompressionStats;
  /** From swap to durable, over all commits since the log was opened; 0 where there was none. */
  readonly write_latency_ms: { readonly min: number; readonly mean: number; readonly max: number };
}

export function totalsOf(shards: readonly ShardStats[]): Totals {
  const sum = (value: (shard: ShardStats) => number): number =>
    shards.reduce((total, shard) => total + value(shard), 0);
  const written = shards.filter((shard) => shard.commits.commits > 0).map((shard) => shard.commits);
  const commits = sum((shard) => shard.commits.commits);
  return {
    entries: sum((shard) => shard.account.retained),
    bytes: sum((shard) => shard.bytes),
    segments: sum((shard) => shard.segments),
    oldestUnconsumed_age_ms: Math.max(0, ...shards.map((shard) => shard.oldestUnconsumed_age_ms)),
    rotations: sum((shard) => shard.rotations),
    readers: sum((shard) => shard.readers),
    commits,
    failedCommits: sum((shard) => shard.commits.failures),
    compression: addCompression(shards.map((shard) => shard.compression)),
    write_latency_ms: {
      min: written.length > 0 ? Math.min(...written.map((one) => one.latency_ms_min)) : 0,
      mean: commits > 0 ? sum((shard) => shard.commits.latency_ms_total) / commits : 0,
      max: Math.max(0, ...written.map((one) => one.latency_ms_max)),
    },
  };
}
