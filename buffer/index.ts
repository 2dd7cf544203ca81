// The public face of the log as a library (`holdfast/buffer`).

export type { Batch, Lag, Reader, ReadLimits } from './batch.ts';
export { type Block, BlockPool } from './block_pool.ts';
export * from './errors.ts';
export type { Group, GroupOptions } from './group.ts';
export { type Inspected, inspectFile } from './inspect.ts';
export type { Account, DropReason } from './ledger.ts';
export { Log, type LogOptions, type LogStats, type RetentionOptions } from './log.ts';
export { type Clock, sleep, type Timer } from './ports/clock.ts';
export type { File, FileSystem, Lock } from './ports/file_system.ts';
export { type Random, systemRandom } from './ports/random.ts';
export { systemClock } from './ports/system_clock.ts';
export { type RepairOptions, type RepairReport, repairLog } from './repair.ts';
export type { Shard, ShardStats } from './shard.ts';
export type { Stream, StreamOptions } from './stream.ts';
export { type Damage, type VerifyOptions, type VerifyReport, verifyLog } from './verify.ts';
