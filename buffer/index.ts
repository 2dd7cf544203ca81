// The public face of the log as a library (`holdfast/buffer`).

export type { Assignment } from './assignment.ts';
export type { Batch, Lag, Reader, ReadLimits, ShardBatch } from './batch.ts';
export { type Block, BlockPool } from './block_pool.ts';
export * from './errors.ts';
export type { Group, GroupOptions, GroupStats } from './group.ts';
export type { GroupReader } from './group_reader.ts';
export type { Account, DropReason } from './ledger.ts';
export { Log, type LogOptions, type LogStats, type RetentionOptions } from './log.ts';
export { type OffsetName, offsetText, parseOffset } from './offset_text.ts';
export type { Place } from './place.ts';
export { alignedMemory } from './pool/aligned_memory.ts';
export * from './pool/errors.ts';
export { DEFAULT_TIERS, Pool, type PoolOptions, type PoolStats, type WaitOptions } from './pool/pool.ts';
export type { TierOptions, TierStats } from './pool/tier.ts';
export { readSlots, writeSlots } from './pool/vectored.ts';
export { type Clock, sleep, type Timer } from './ports/clock.ts';
export type { File, FileSystem, Lock } from './ports/file_system.ts';
export { type Random, systemRandom } from './ports/random.ts';
export { systemClock } from './ports/system_clock.ts';
export { type DirectOptions, openVectored, type VectoredFile } from './ports/vectored_file.ts';
export { type Preset, presets } from './presets.ts';
export type { BatchHandler, BatchOutcome, ProcessOptions } from './process.ts';
export type { ShardReader } from './reader.ts';
export type { Shard, ShardStats } from './shard.ts';
export type { Totals } from './stats.ts';
export type { GroupListing, Stream, StreamOptions, StreamStats } from './stream.ts';
