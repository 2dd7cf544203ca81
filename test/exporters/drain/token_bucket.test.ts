import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { TokenBucket } from '../../../exporters/drain/token_bucket.ts';

describe('the rate limit', () => {
  it('lets everything pass at once when it is 0', () => {
    expect(new TokenBucket(0).take(1e12, 0)).toBe(0);
  });

  it('lets a request larger than a second pass, and makes the next one wait for it', () => {
    const bucket = new TokenBucket(100);
    expect(bucket.take(1_000, 0)).toBe(0);
    expect(bucket.take(50, 0)).toBe(9_500);
    expect(bucket.take(50, 9_500)).toBe(0);
  });

  it('saves up no more than one second', () => {
    const bucket = new TokenBucket(100);
    expect(bucket.take(100, 0)).toBe(0);
    expect(bucket.take(100, 3_600_000)).toBe(0);
    expect(bucket.take(100, 3_600_000)).toBe(1_000);
  });

  it('never lets more pass than the rate and one second, whatever is asked, and always ends', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.array(fc.nat(5_000), { maxLength: 50 }),
        (rate, sizes) => {
          const bucket = new TokenBucket(rate);
          let now_ms = 0;
          let sent = 0;
          for (const size of sizes) {
            for (let tries = 0; ; tries += 1) {
              const wait_ms = bucket.take(size, now_ms);
              if (wait_ms === 0) break;
              now_ms += wait_ms;
              expect(tries).toBeLessThan(3);
            }
            expect(sent).toBeLessThanOrEqual(rate * (1 + now_ms / 1000) + 1e-6);
            sent += size;
          }
        },
      ),
    );
  });
});
