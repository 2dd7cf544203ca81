// Options for machines of three kinds, to be spread into `Log.open` and overridden there. Invariant: a preset sets sizes and
// times alone; what may be lost, and when, nobody decides but the user.

import type { LogOptions } from './log_options.ts';

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;

export type Preset = Readonly<
  Pick<LogOptions, 'segment' | 'retention' | 'inFlightMax_bytes' | 'entryMax_bytes'> &
    Pick<LogOptions, 'offsetsInterval_ms' | 'hotTail_bytes'>
>;

export const presets: Readonly<Record<'edge-small' | 'gateway' | 'throughput', Preset>> = Object.freeze({
  /** A device with little memory and worn flash: 64 MiB of disk, few writes. */
  'edge-small': {
    segment: { maxBytes: 4 * MiB },
    retention: { maxSize_bytes: 64 * MiB, minFreeSpace_bytes: 32 * MiB, interval_ms: 30_000 },
    inFlightMax_bytes: 4 * MiB,
    entryMax_bytes: 4 * MiB,
    offsetsInterval_ms: 5000,
    hotTail_bytes: MiB,
  },
  /** Between many senders and a backend that may be away for hours. */
  gateway: {
    segment: { maxBytes: 64 * MiB },
    retention: { maxSize_bytes: 16 * GiB, minFreeSpace_bytes: GiB },
    inFlightMax_bytes: 128 * MiB,
    hotTail_bytes: 16 * MiB,
  },
  /** As much as the disk takes; memory is there. */
  throughput: {
    segment: { maxBytes: 256 * MiB },
    retention: { maxSize_bytes: 64 * GiB, minFreeSpace_bytes: 2 * GiB },
    inFlightMax_bytes: 512 * MiB,
    hotTail_bytes: 64 * MiB,
  },
});
