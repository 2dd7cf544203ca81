// What all shards of a log share. Invariant: whatever stands here outlives every shard.

import type { BlockPool } from './block_pool.ts';
import type { Budget } from './budget.ts';
import type { CommitPolicy } from './commit_policy.ts';
import type { CommitWay } from './commit_way.ts';
import type { CompressionOptions } from './compression.ts';
import type { FrameKey } from './frame_key.ts';
import type { HotMemory } from './hot_tail.ts';
import type { Leases } from './leases.ts';
import type { Clock } from './ports/clock.ts';
import type { Codec } from './ports/codec.ts';
import type { FileSystem } from './ports/file_system.ts';
import type { SegmentReads } from './segment_reads.ts';
import type { SegmentLimits } from './segment_writer.ts';

export interface LogParts {
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly pool: BlockPool;
  readonly leases: Leases;
  readonly budget: Budget;
  readonly codec: Codec;
  /** Of streams that say nothing else. */
  readonly compression: CompressionOptions | undefined;
  readonly segmentLimits: SegmentLimits;
  readonly entryMax_bytes: number;
  readonly hotMemory: HotMemory;
  readonly commitDeadline_ms: number;
  readonly commitPolicy: CommitPolicy;
  readonly commitWay: CommitWay;
  readonly segmentReads: SegmentReads;
  readonly epoch: number;
  /** Of the log; a shard whose ledger says another keeps that one. */
  readonly key: FrameKey;
  /** Where a new shard begins: no offset of a deleted stream is used again. */
  firstOffset(): number;
  /** The owner before this one did not let go of the directory: it died, or it lives and has lost its lock. */
  readonly abandoned: boolean;
  /** Undefined where the directory is known to be ours, else resolves once it is. Rejects with OwnershipLost or CommitFailed. */
  confirmOwner(): Promise<void> | undefined;
  /** Running time of the log over all its owners, ms. */
  running_ms(): number;
  /** Something happened that an operator should see. */
  report(level: 'info' | 'warn' | 'error', message: string, fields: Record<string, string | number>): void;
}
