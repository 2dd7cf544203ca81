// Everything that differs between runs, derived from the seed. Invariant: nothing else decides what a run is like, so
// printing these is describing the run.

import type { SeededRandom } from './random.ts';

export interface RunOptions {
  readonly shards: number;
  readonly segment_bytes: number;
  readonly segmentAge_ms: number;
  readonly maxSize_bytes: number;
  readonly whenFull: 'reject' | 'drop_oldest';
  readonly maxAge_ms: number | undefined;
  readonly protectUnconsumed: boolean;
  readonly inFlightMax_bytes: number;
  readonly hotTail_bytes: number;
  readonly offsetsInterval_ms: number;
  readonly retentionInterval_ms: number;
  readonly commitDeadline_ms: number;
  readonly minFreeSpace_bytes: number;
  readonly secondGroupProtects: boolean;
  /** How far the second group may lie behind before it protects no more. */
  readonly maxLag_bytes: number | undefined;
  /** The second group acknowledges entries one by one, in any order. */
  readonly acks: boolean;
  /** Frames are compressed where that saves anything. */
  readonly compressed: boolean;
  /** Segments that stay whatever else is said. */
  readonly minSegments: number;
  /** What is consumed and kept for replay, bytes of each shard. */
  readonly keepConsumed_bytes: number | undefined;
  /** Age above which data goes though nobody has consumed it. */
  readonly forceDeleteAfter_ms: number | undefined;
  /** How long the second group may lie behind before it protects no more. */
  readonly maxLag_ms: number | undefined;
  /** How commits are written; `either`: each life of the log draws its own, so that one opens what the other wrote. */
  readonly commitWay: 'append' | 'direct' | 'either';
  readonly entry_bytes: 'tiny' | 'small' | 'mixed' | 'large';
  readonly batch_entries: number;
  readonly crashes: 'none' | 'power' | 'kill' | 'both';
  /** Chance, at each step, that the process is to end soon. */
  readonly crashRate: number;
  readonly faults: boolean;
  readonly flips: boolean;
  readonly clockJumps: boolean;
}

const KiB = 1024;
const MiB = 1024 * KiB;

export function deriveOptions(random: SeededRandom): RunOptions {
  const segment_bytes = random.pick([1 * KiB, 4 * KiB, 16 * KiB, 256 * KiB, 4 * MiB]);
  const bounded = random.chance(0.4);
  return {
    shards: random.chance(0.25) ? 2 : 1,
    segment_bytes,
    segmentAge_ms: random.pick([200, 5_000, 3_600_000]),
    maxSize_bytes: bounded ? segment_bytes * random.between(2, 6) + 8 * KiB : 1024 * MiB,
    whenFull: random.chance(0.5) ? 'reject' : 'drop_oldest',
    maxAge_ms: random.chance(0.15) ? random.pick([500, 20_000]) : undefined,
    protectUnconsumed: random.chance(0.7),
    inFlightMax_bytes: random.pick([64 * KiB, 1 * MiB, 64 * MiB]),
    hotTail_bytes: random.pick([1, 64 * KiB, 8 * MiB]),
    offsetsInterval_ms: random.pick([5, 100, 1_000]),
    retentionInterval_ms: random.pick([20, 500, 5_000]),
    commitDeadline_ms: random.pick([50, 30_000]),
    minFreeSpace_bytes: random.pick([0, 8 * KiB]),
    secondGroupProtects: random.chance(0.6),
    maxLag_bytes: random.chance(0.15) ? segment_bytes * random.between(1, 3) : undefined,
    acks: random.chance(0.3),
    compressed: random.chance(0.2),
    entry_bytes: random.pick(['tiny', 'small', 'mixed', 'large'] as const),
    batch_entries: random.pick([1, 4, 40]),
    crashes: random.pick(['none', 'power', 'power', 'kill', 'both', 'both'] as const),
    crashRate: 0.04,
    faults: random.chance(0.5),
    flips: random.chance(0.2),
    clockJumps: random.chance(0.2),
    commitWay: random.pick(['append', 'direct', 'either', 'either'] as const),
    // Segments that stay fill their part of the disk for good.
    minSegments: !bounded && random.chance(0.2) ? random.between(2, 4) : 0,
    keepConsumed_bytes: random.chance(0.2) ? segment_bytes * random.between(1, 4) : undefined,
    forceDeleteAfter_ms: random.chance(0.1) ? random.pick([500, 20_000]) : undefined,
    maxLag_ms: random.chance(0.1) ? random.pick([100, 5_000]) : undefined,
  };
}

export interface Profile {
  readonly steps: number;
  /** Set instead of what the seed says. */
  readonly options: Partial<RunOptions>;
}

/** Kinds of runs: all that there is, little of it often, hardly anything but crashes, and segments that are written over soon. */
export const profiles = {
  long: { steps: 60, options: {} },
  short: { steps: 10, options: { shards: 1, entry_bytes: 'tiny', batch_entries: 4 } },
  storm: { steps: 100, options: { shards: 1, entry_bytes: 'small', crashes: 'both', crashRate: 0.5 } },
  recycle: {
    steps: 120,
    options: {
      shards: 1,
      segment_bytes: 2 * KiB,
      segmentAge_ms: 3_600_000,
      retentionInterval_ms: 20,
      secondGroupProtects: false,
      maxLag_bytes: undefined,
      entry_bytes: 'small',
      crashes: 'both',
      crashRate: 0.02,
      batch_entries: 4,
      maxSize_bytes: 64 * MiB,
      commitWay: 'either',
    },
  },
} as const satisfies Record<string, Profile>;
export type ProfileName = keyof typeof profiles;

/** The size of one entry, bytes. */
export function entryBytes(random: SeededRandom, kind: RunOptions['entry_bytes']): number {
  if (kind === 'tiny') return random.integer(40);
  if (kind === 'small') return random.integer(700);
  const chance = random.next();
  if (kind === 'mixed')
    return chance < 0.05 ? random.integer(100 * KiB) : random.integer(chance < 0.5 ? 100 : 4 * KiB);
  return chance < 0.4 ? random.integer(90 * KiB) : random.integer(4 * KiB);
}

/** Whether the second group may cease to protect. */
export function mayLag(options: RunOptions): boolean {
  return options.maxLag_bytes !== undefined || options.maxLag_ms !== undefined;
}

/** Whether unconsumed data of a protecting group may go by what these options say. */
export function mayDrop(options: RunOptions): boolean {
  if (options.forceDeleteAfter_ms !== undefined) return true;
  if (options.maxAge_ms !== undefined && !options.protectUnconsumed) return true;
  return options.whenFull === 'drop_oldest' || !options.protectUnconsumed;
}
