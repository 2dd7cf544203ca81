// How far a committed offset is behind its shard. Invariant: what failed or is known to be lost counts for nothing.

import type { Lag } from './batch.ts';
import type { Shard } from './shard.ts';

export function lagOf(shard: Shard, committed: number): Lag {
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
