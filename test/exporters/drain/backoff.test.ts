import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { backoff_ms, MAX_ASKED_WAIT_MS } from '../../../exporters/drain/backoff.ts';

const retry = {
  initial_interval_ms: 5_000,
  max_interval_ms: 30_000,
  multiplier: 1.5,
  randomization_factor: 0.5,
  max_elapsed_time_ms: 0,
};

describe('OTLP 34: the wait before the next try', () => {
  it('grows by the multiplier up to the maximum', () => {
    const waits = [0, 1, 2, 3, 4, 5, 50].map((attempt) => backoff_ms(retry, attempt, 0.5));
    expect(waits).toEqual([5_000, 7_500, 11_250, 16_875, 25_312.5, 30_000, 30_000]);
  });

  it('is spread by the randomization factor around it, and exact with a factor of 0', () => {
    expect(backoff_ms(retry, 0, 0)).toBe(2_500);
    expect(backoff_ms(retry, 0, 0.999_999)).toBeCloseTo(7_500, 1);
    expect(backoff_ms({ ...retry, randomization_factor: 0 }, 0, 0.9)).toBe(5_000);
  });

  it('is never shorter than what was asked for, and not longer than an hour for that', () => {
    expect(backoff_ms(retry, 0, 0.5, 60_000)).toBe(60_000);
    expect(backoff_ms(retry, 0, 0.5, 1)).toBe(5_000);
    expect(backoff_ms(retry, 0, 0.5, Number.POSITIVE_INFINITY)).toBe(MAX_ASKED_WAIT_MS);
    expect(backoff_ms(retry, 0, 0.5, Number.NaN)).toBe(5_000);
    expect(backoff_ms(retry, 0, 0.5, -5)).toBe(5_000);
  });

  it('is a finite number however long the outage lasts', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        fc.double({ min: 1, max: 100, noNaN: true }),
        (attempt, chance, multiplier) => {
          const wait_ms = backoff_ms({ ...retry, multiplier }, attempt, chance);
          expect(wait_ms).toBeGreaterThanOrEqual(2_500);
          expect(wait_ms).toBeLessThanOrEqual(45_000);
        },
      ),
    );
  });
});
