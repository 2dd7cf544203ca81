// How long to wait before the next try: exponential with jitter, and never earlier than the destination asked for.
// Pure: chance is an argument.

import type { DrainConfig } from './config.ts';

/** No destination may silence us for longer than this, ms. */
export const MAX_ASKED_WAIT_MS = 3_600_000;

/**
 * Wait before try number `attempt + 1` (0 is the first wait), ms. `chance` is uniform in [0, 1).
 * `after_ms` is what the destination asked for; it counts as a minimum, up to MAX_ASKED_WAIT_MS.
 */
export function backoff_ms(
  retry: DrainConfig['retry'],
  attempt: number,
  chance: number,
  after_ms = 0,
): number {
  // The exponent is bounded so that days of outage cannot overflow to Infinity times zero.
  const growth = retry.multiplier ** Math.min(attempt, 1000);
  const interval = Math.min(retry.initial_interval_ms * growth, retry.max_interval_ms);
  const jittered = interval * (1 + retry.randomization_factor * (2 * chance - 1));
  const asked = after_ms > 0 ? Math.min(after_ms, MAX_ASKED_WAIT_MS) : 0;
  return Math.max(jittered, asked);
}
