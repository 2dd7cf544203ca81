// Everything that differs between runs of the drain simulation, derived from the seed. Invariant: nothing else decides what
// a run is like, so printing these is describing the run.

import type { DrainConfig } from '../../exporters/drain/config.ts';
import type { SeededRandom } from './random.ts';

export interface ExporterOptions {
  readonly id: string;
  /** Which streams it drains, by index. */
  readonly streams: readonly number[];
  readonly config: DrainConfig;
  /** The share of entries that its backend refuses for good, whatever happens. */
  readonly poison: number;
}

export interface DrainOptions {
  readonly streams: readonly string[];
  readonly shards: number;
  readonly exporters: readonly ExporterOptions[];
  readonly segment_bytes: number;
  readonly maxSize_bytes: number;
  readonly whenFull: 'reject' | 'drop_oldest';
  readonly hotTail_bytes: number;
  readonly offsetsInterval_ms: number;
  readonly entry_bytes: number;
  /** The share of entries that are none of this agent's. */
  readonly undecodable: number;
  readonly crashes: 'none' | 'power' | 'kill' | 'both';
  readonly faults: boolean;
  /** What is older goes, delivered or not, ms of running time. */
  readonly maxAge_ms: number | undefined;
  readonly clockJumps: boolean;
  /** Entries that went through the log before: offsets begin close to where 16 bits end. */
  readonly headStart: number;
}

const KiB = 1024;
/** Of a run, where nobody says otherwise. */
export const DRAIN_STEPS = 40;
export const RETRY_INITIAL_MS = 1_000;
export const RETRY_MAX_MS = 30_000;
export const RETRY_JITTER = 0.5;
export const RETRY_MULTIPLIER = 1.5;
export const TIMEOUT_MS = 10_000;
/** No poison, unless an exporter has some. */
const POISON = [0, 0, 0, 0.03, 0.2] as const;

export function deriveDrainOptions(random: SeededRandom): DrainOptions {
  const streams = random.chance(0.4) ? ['traces.otlp', 'logs.otlp'] : ['traces.otlp'];
  const bounded = random.chance(0.25);
  const segment_bytes = random.pick([4 * KiB, 64 * KiB, 4096 * KiB]);
  return {
    streams,
    shards: random.chance(0.25) ? 2 : 1,
    exporters: Array.from({ length: random.between(1, 3) }, (_, index) =>
      exporterOptions(random, index, streams),
    ),
    segment_bytes,
    maxSize_bytes: bounded ? 6 * segment_bytes + 16 * KiB : 1024 * 1024 * KiB,
    whenFull: random.chance(0.7) ? 'reject' : 'drop_oldest',
    hotTail_bytes: random.pick([1, 8192 * KiB]),
    offsetsInterval_ms: random.pick([50, 1_000]),
    entry_bytes: random.pick([60, 700, 3_000]),
    undecodable: random.chance(0.2) ? 0.05 : 0,
    crashes: random.pick(['none', 'power', 'power', 'kill', 'both'] as const),
    faults: random.chance(0.4),
    maxAge_ms: undefined,
    clockJumps: false,
    headStart: !bounded && random.chance(0.06) ? 65_500 : 0,
    ...aging(random),
  };
}

/** Where age deletes, and nothing else does, the clock is all the more worth a jump. */
function aging(random: SeededRandom): Partial<DrainOptions> {
  if (!random.chance(0.2)) return { clockJumps: random.chance(0.2) };
  return {
    maxAge_ms: 2 * 3_600_000,
    clockJumps: random.chance(0.7),
    segment_bytes: 4 * KiB,
    maxSize_bytes: 1024 * 1024 * KiB,
    whenFull: 'reject',
    entry_bytes: 3_000,
  };
}

function exporterOptions(random: SeededRandom, index: number, streams: readonly string[]): ExporterOptions {
  const own = streams.map((_, at) => at).filter(() => random.chance(0.8));
  return {
    id: `otlp_http/e${index}`,
    streams: own.length > 0 ? own : [0],
    config: drainConfig(random),
    poison: random.pick(POISON),
  };
}

function drainConfig(random: SeededRandom): DrainConfig {
  return {
    retry: {
      initial_interval_ms: RETRY_INITIAL_MS,
      max_interval_ms: RETRY_MAX_MS,
      multiplier: RETRY_MULTIPLIER,
      randomization_factor: RETRY_JITTER,
      max_elapsed_time_ms: 0,
    },
    timeout_ms: TIMEOUT_MS,
    batch: {
      max_bytes: random.pick([2_000, 20_000, 1024 * KiB]),
      max_items: random.pick([4, 40, 8_192]),
      passthrough_bytes: 64 * KiB,
      flush_timeout_ms: random.pick([0, 200]),
    },
    max_in_flight: random.pick([1, 1, 4]),
    rate_limit_bytes_per_s: random.chance(0.15) ? 20_000 : 0,
    on_rejected: random.pick(['auto', 'auto', 'auto', 'auto', 'auto', 'auto', 'hold', 'dead_letter', 'drop']),
    protect: random.chance(0.9),
    max_lag: random.chance(0.1) ? { age_ms: 600_000 } : {},
  };
}

/** Whether entries that an exporter has not delivered may go by what these options say. */
export function retentionMayDrop(options: DrainOptions): boolean {
  if (options.maxAge_ms !== undefined || options.whenFull === 'drop_oldest') return true;
  return options.exporters.some(({ config }) => !config.protect || config.max_lag.age_ms !== undefined);
}
