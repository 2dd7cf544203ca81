// How far a committed offset is behind its shard. Invariant: what failed or is known to be lost counts for nothing.

import type { Ledger } from './ledger.ts';
import type { Clock } from './ports/clock.ts';
import type { Segment } from './segment.ts';

export interface Lag {
  readonly entries: number;
  /** Stored bytes, estimated within one segment. */
  readonly bytes: number;
  /** Age of the oldest unconsumed entry, ms; 0 when there is none. */
  readonly age_ms: number;
}

/** As much of a shard as its lag takes. */
interface Measured {
  readonly logStart: number;
  readonly highWatermark: number;
  readonly ledger: Ledger;
  readonly segments: readonly Segment[];
  readonly parts: { readonly clock: Clock };
}

export function lagOf(shard: Measured, committed: number): Lag {
  const from = Math.max(committed, shard.logStart);
  const to = shard.highWatermark;
  const entries = to - from - shard.ledger.ranges.count(from, to);
  if (entries <= 0) return { entries: 0, bytes: 0, age_ms: 0 };
  let bytes = 0;
  let oldest: number | undefined;
  for (let index = shard.segments.length - 1; index >= 0; index--) {
    const segment = shard.segments[index]!;
    if (segment.end <= from) break;
    const share = segment.base >= from ? 1 : (segment.end - from) / (segment.end - segment.base);
    bytes += segment.bytes * share;
    // Within a segment the time of an offset is known to its bounds only.
    oldest = segment.firstTimestamp + (segment.lastTimestamp - segment.firstTimestamp) * (1 - share);
  }
  const age_ms = oldest === undefined ? 0 : Math.max(0, shard.parts.clock.now() - oldest);
  return { entries, bytes: Math.round(bytes), age_ms: Math.round(age_ms) };
}

/** Entries and bytes of all together; the age is that of the oldest. */
export function addLags(lags: readonly Lag[]): Lag {
  return {
    entries: lags.reduce((sum, lag) => sum + lag.entries, 0),
    bytes: lags.reduce((sum, lag) => sum + lag.bytes, 0),
    age_ms: Math.max(0, ...lags.map((lag) => lag.age_ms)),
  };
}
