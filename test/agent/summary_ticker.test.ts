import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Totals } from '../../agent/summary.ts';
import { startSummary } from '../../agent/summary_ticker.ts';
import { type LogFields, silentLogger } from '../../config/logger.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

function begin(interval_ms: number, asText = false) {
  const lines: [string, LogFields | undefined][] = [];
  let received_items = 0;
  let now_ms = 0;
  const ticker = startSummary({
    agent: { totals: (): Totals => ({ received_items, refused_items: 0, disk_bytes: 0, exporters: [] }) },
    interval_ms,
    logger: { ...silentLogger, info: (message, fields) => lines.push([message, fields]) },
    asText,
    monotonic: () => now_ms,
  });
  const pass = (ms: number): void => {
    for (let i = 0; i < ms; i += 1_000) {
      now_ms += 1_000;
      jest.advanceTimersByTime(1_000);
    }
  };
  return { lines, ticker, pass, receive: (items: number) => (received_items += items) };
}

describe('the summary', () => {
  it('is written every interval while something happens, with rates of that interval', () => {
    const { lines, pass, receive } = begin(5_000);
    receive(50);
    pass(5_000);
    receive(10);
    pass(5_000);
    expect(lines).toMatchObject([
      ['summary', { received_items: 50, received_per_s: 10 }],
      ['summary', { received_items: 60, received_per_s: 2 }],
    ]);
  });

  it('is one readable line for people', () => {
    const { lines, pass, receive } = begin(5_000, true);
    receive(50);
    pass(5_000);
    expect(lines).toEqual([[expect.stringMatching(/^received 50 \(10\/s\) · on disk/), undefined]]);
  });

  it('is written once a minute while nothing happens', () => {
    const { lines, pass } = begin(5_000);
    pass(120_000);
    expect(lines).toHaveLength(2);
  });

  it('ends when it is stopped, and never begins with 0', () => {
    const { lines, pass, ticker, receive } = begin(5_000);
    ticker.stop();
    receive(1);
    pass(60_000);
    const off = begin(0);
    off.receive(1);
    off.pass(60_000);
    off.ticker.stop();
    expect([lines, off.lines]).toEqual([[], []]);
  });
});
