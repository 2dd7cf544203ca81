// Which of several destinations is asked, and when.

import { describe, expect, it } from '@jest/globals';
import { type LogFields, type Logger, silentLogger } from '../../../config/logger.ts';
import type { Outcome } from '../../../exporters/exporter.ts';
import { Failover } from '../../../exporters/otlp/failover.ts';

const never = new AbortController().signal;
const delivered: Outcome = { kind: 'delivered' };
const down: Outcome = { kind: 'retry', reason: 'down' };

describe('failover', () => {
  it('asks the first while it works, and nobody else', async () => {
    const asked: number[] = [];
    const failover = new Failover(['a', 'b', 'c'], silentLogger);
    const attempt = async (index: number) => {
      asked.push(index);
      return { outcome: delivered, elsewhere: false };
    };
    expect(await failover.send(attempt, never)).toBe(delivered);
    expect(await failover.send(attempt, never)).toBe(delivered);
    expect(asked).toEqual([0, 0]);
  });

  it('passes over one that failed, and says so once', async () => {
    const lines: LogFields[] = [];
    const logger: Logger = { ...silentLogger, warn: (_, fields) => void lines.push(fields ?? {}) };
    const asked: number[] = [];
    const failover = new Failover(['a', 'b', 'c'], logger);
    const attempt = async (index: number) => {
      asked.push(index);
      return index === 0 ? { outcome: down, elsewhere: true } : { outcome: delivered, elsewhere: false };
    };
    for (let i = 0; i < 3; i += 1) expect(await failover.send(attempt, never)).toBe(delivered);
    expect(asked).toEqual([0, 1, 1, 1]);
    expect(lines).toEqual([{ destination: 'a', reason: 'down' }]);
    expect(failover.order(performance.now())).toEqual([1, 2, 0]);
    expect(failover.order(performance.now() + 31_000)).toEqual([0, 1, 2]);
  });

  it('asks all when all fail, gives the last answer, and asks the one longest at rest first the next time', async () => {
    const asked: number[] = [];
    const failover = new Failover(['a', 'b'], silentLogger);
    const attempt = async (index: number) => {
      asked.push(index);
      return { outcome: { kind: 'retry', reason: `${index}` } as const, elsewhere: true };
    };
    expect(await failover.send(attempt, never)).toEqual({ kind: 'retry', reason: '1' });
    await failover.send(attempt, never);
    expect(asked).toEqual([0, 1, 0, 1]);
  });

  it('keeps an answer that is about the batch, whoever gave it', async () => {
    const failover = new Failover(['a', 'b'], silentLogger);
    const refused: Outcome = { kind: 'rejected', reason: 'bad' };
    expect(await failover.send(async () => ({ outcome: refused, elsewhere: false }), never)).toBe(refused);
  });

  it('asks nobody else once the time is over', async () => {
    const over = new AbortController();
    const asked: number[] = [];
    const failover = new Failover(['a', 'b'], silentLogger);
    const outcome = await failover.send(async (index) => {
      asked.push(index);
      over.abort();
      return { outcome: down, elsewhere: true };
    }, over.signal);
    expect([outcome, asked]).toEqual([down, [0]]);
  });
});
