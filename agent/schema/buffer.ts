// The `buffer` section: where the log lives, how much it may hold, and what happens when that is used up.
// Invariant: nothing here loses unconsumed data unless the user wrote it down (when_full: drop_oldest, max_age with
// protect_unconsumed: false, retention.force_delete_after).

import * as z from 'zod';
import { durationMs, filePath, section, sizeBytes } from '../../config/fields.ts';
import { retentionSchema } from './retention.ts';

const MIB = 2 ** 20;

/** One folder for all that the agent keeps, so that one volume or one `rm` is enough. */
export const DEFAULT_DIRECTORY = './holdfast-data/buffer';

export const bufferSchema = section({
  /** Where the log lives; one process owns it. */
  directory: filePath().optional(),
  /** Shards of each stream: order holds within a resource; more shards let one exporter drain in parallel. */
  shards: z.number().int().min(1).max(64).default(1),
  segment_size: sizeBytes({ min: MIB, max: 1024 * MIB }).prefault('64MiB'),
  /** An active segment is closed after it, so that its disk can be given back. */
  segment_max_age: durationMs({ min: 1_000 }).prefault('1h'),
  /**
   * The disk budget of the whole log. 1 GiB: within the storage of a sidecar (an evicted pod loses everything) and of the
   * smallest SD card, yet 14 hours of outage at 20 kB/s.
   */
  max_size: sizeBytes({ min: 4 * MIB }).prefault('1GiB'),
  /** Entries older than it go, consumed ones at any time, unconsumed ones only with protect_unconsumed: false. */
  max_age: durationMs({ min: 1_000 }).optional(),
  /** What must stay free on the file system whatever max_size says: others live there too. */
  min_free_space: sizeBytes().prefault('256MiB'),
  /** reject: clients are told to come back. drop_oldest: the oldest entries go, and are counted. */
  when_full: z.enum(['reject', 'drop_oldest']).default('reject'),
  /** Whether age alone may remove what some exporter has not delivered. */
  protect_unconsumed: z.boolean().default(true),
  /**
   * What a success response means. fsync: synced. interval: written, and synced within sync_interval; a power cut takes what
   * came since. os: written, and synced when the system likes to.
   */
  durability: z.enum(['fsync', 'interval', 'os']).default('fsync'),
  /** For durability: interval. */
  sync_interval: durationMs({ min: 10, max: 60_000 }).prefault('1s'),
  /**
   * How commits are written. auto: past the page cache in one call (O_DIRECT, O_DSYNC) where the directory takes that, else
   * appended and synced. append: always so. direct: as auto, and said aloud where it cannot be had.
   */
  commit_way: z.enum(['auto', 'append', 'direct']).default('auto'),
  /** How long a commit waits for company, as each costs the disk a sync; adaptive: 0 to 5 ms, by what arrives while others wait. */
  commit_linger: z.union([z.literal('adaptive'), durationMs({ min: 0, max: 1_000 })]).default('adaptive'),
  /** zstd: what is written is compressed, frame by frame; what arrived compressed stays as it is. */
  compression: z.enum(['none', 'zstd']).default('none'),
  /** How often offsets are made durable: what a crash may deliver twice. */
  offsets_interval: durationMs({ min: 10, max: 60_000 }).prefault('1s'),
  retention_interval: durationMs({ min: 100 }).prefault('10s'),
  retention: retentionSchema.prefault({}),
  /** Memory for entries that are not yet written, over all streams. */
  in_flight: sizeBytes({ min: MIB, max: 1024 * MIB }).prefault('64MiB'),
  /** A commit that takes longer is answered with an error: the disk hangs. */
  commit_deadline: durationMs({ min: 100 }).prefault('30s'),
  /** Groups on disk that no exporter names any more: keep what they have not consumed, or give the disk back. */
  orphans: z.enum(['keep', 'release']).default('keep'),
  /** Disk kept aside, per exporter, for what its destination refuses for good. */
  dead_letter_reserve: sizeBytes({ min: MIB }).prefault('16MiB'),
});

export type BufferConfig = z.output<typeof bufferSchema>;
