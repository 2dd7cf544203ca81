import { describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { drainConfigOf, drainNotes, drainShape } from '../../../exporters/drain/config.ts';

const schema = z.strictObject(drainShape);
const read = (input: unknown) => drainConfigOf(schema.parse(input));

describe('the drain section', () => {
  it('OTLP 37: has the defaults that the README names', () => {
    expect(read({})).toEqual({
      retry: {
        initial_interval_ms: 5_000,
        max_interval_ms: 30_000,
        multiplier: 1.5,
        randomization_factor: 0.5,
        max_elapsed_time_ms: 0,
      },
      timeout_ms: 10_000,
      batch: { max_bytes: 1_048_576, max_items: 8_192, passthrough_bytes: 65_536, flush_timeout_ms: 200 },
      max_in_flight: 1,
      rate_limit_bytes_per_s: 0,
      on_rejected: 'auto',
      protect: true,
      max_lag: {},
    });
  });

  it("maps the Collector's queue", () => {
    const section = schema.parse({
      timeout: '30s',
      sending_queue: {
        enabled: true,
        num_consumers: 10,
        queue_size: 5000,
        storage: 'file_storage',
        batch: { flush_timeout: '1s', min_size: 100, max_size: 2000, sizer: 'items' },
      },
    });
    expect(drainConfigOf(section)).toMatchObject({
      timeout_ms: 30_000,
      max_in_flight: 10,
      batch: { max_items: 2_000, max_bytes: 1_048_576, flush_timeout_ms: 1_000 },
    });
    expect(drainNotes(section)).toHaveLength(4);
  });

  it('OTLP 36: takes a batch limit in bytes, and keeps it within what OTLP allows', () => {
    const batch = { sizer: 'bytes', max_size: 1_000_000_000 };
    expect(read({ sending_queue: { batch } }).batch).toMatchObject({
      max_bytes: 64 * 2 ** 20,
      max_items: 8_192,
    });
  });

  it('lets our own keys win over the mapped ones', () => {
    const input = {
      max_in_flight: 2,
      batch: { max_items: 7 },
      sending_queue: { num_consumers: 10, batch: { max_size: 5 } },
    };
    expect(read(input)).toMatchObject({ max_in_flight: 2, batch: { max_items: 7 } });
  });

  it('gives a switched-off retry no time at all, and no infinite one', () => {
    const { retry } = read({ retry_on_failure: { enabled: false } });
    expect(retry.max_elapsed_time_ms).toBeGreaterThan(0);
    expect(retry.max_elapsed_time_ms).toBeLessThan(1);
  });

  it.each([
    { retry_on_failure: { multiplier: 0.5 } },
    { retry_on_failure: { initial_interval: '0s' } },
    { retry_on_failure: { initial_intervall: '5s' } },
    { batch: { max_bytes: '65MiB' } },
    { max_in_flight: 0 },
    { on_rejected: 'ignore' },
    { timeout: 10 },
  ])('refuses %j', (input) => {
    expect(schema.safeParse(input).success).toBe(false);
  });
});
