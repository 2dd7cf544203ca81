// Row "time-to-full": what is extrapolated, and when nothing is.

import { describe, expect, it } from '@jest/globals';
import { FillRate } from '../../buffer/fill_rate.ts';

describe('FillRate', () => {
  it('says nothing before half a minute, and nothing of room that grows', () => {
    const rate = new FillRate();
    expect(rate.timeToFull_ms(100)).toBeUndefined();
    rate.sample(0, 1000);
    rate.sample(29_999, 500);
    expect(rate.timeToFull_ms(500)).toBeUndefined();
    rate.sample(30_000, 1000);
    expect(rate.timeToFull_ms(1000)).toBeUndefined();
    rate.sample(40_000, 1200);
    expect(rate.timeToFull_ms(1200)).toBeUndefined();
  });

  it('extrapolates the pace of the window', () => {
    const rate = new FillRate();
    rate.sample(0, 1000);
    rate.sample(60_000, 900);
    expect(rate.timeToFull_ms(900)).toBe(540_000);
    expect(rate.timeToFull_ms(0)).toBe(0);
  });

  it('forgets what is older than ten minutes', () => {
    const rate = new FillRate();
    for (let minute = 0; minute <= 30; minute++) {
      rate.sample(minute * 60_000, minute < 20 ? 10_000 : 10_000 - (minute - 20) * 100);
    }
    expect(rate.timeToFull_ms(9000)).toBe(90 * 60_000);
  });
});
