// What cuts an attempt off serves the next one too, until it has been used.

import { describe, expect, it } from '@jest/globals';
import { silentLogger } from '../../../config/logger.ts';
import { Sender } from '../../../exporters/drain/sender.ts';
import { newDrainTelemetry } from '../../../exporters/drain/telemetry.ts';
import type { ExportBatch, Outcome } from '../../../exporters/exporter.ts';
import { defaultConfig, delivered, SimulatedClock, seededRandom } from './rig.ts';

const batch: ExportBatch = { signal: 'traces', entries: [], items: 1, rawBytes: 1 };

function rig() {
  const clock = new SimulatedClock();
  const signals: AbortSignal[] = [];
  const stopping = new AbortController();
  let answer: (signal: AbortSignal) => Promise<Outcome> = async () => delivered;
  const sender = new Sender({
    exporter: {
      async start() {},
      send(_batch, signal) {
        signals.push(signal);
        return answer(signal);
      },
      async stop() {},
    },
    config: defaultConfig,
    clock,
    random: seededRandom(1),
    logger: silentLogger,
    telemetry: newDrainTelemetry(),
    stop: stopping.signal,
  });
  return {
    clock,
    sender,
    signals,
    stopping,
    send: () => sender.untilAnswered(batch, 1, () => {}),
    answers(next: typeof answer) {
      answer = next;
    },
  };
}

const untilCut = (signal: AbortSignal): Promise<Outcome> =>
  new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve({ kind: 'retry', reason: String(signal.reason) }));
  });

describe('a sender', () => {
  it('gives attempts that ended in time one signal after another, and keeps one timer for them', async () => {
    const { clock, send, sender, signals } = rig();
    for (let index = 0; index < 5; index++) expect(await send()).toEqual(delivered);
    expect(new Set(signals).size).toBe(1);
    expect(signals[0]!.aborted).toBe(false);
    expect(clock.timers).toBe(1);
    sender.close();
    expect(clock.timers).toBe(0);
  });

  it('gives two at a time a signal each', async () => {
    const { answers, send, signals } = rig();
    const answer: ((outcome: Outcome) => void)[] = [];
    answers(() => new Promise((resolve) => answer.push(resolve)));
    const both = [send(), send()];
    await Promise.resolve();
    expect(new Set(signals).size).toBe(2);
    for (const each of answer) each(delivered);
    expect(await Promise.all(both)).toEqual([delivered, delivered]);
  });

  it('cuts off at the time-out, measured from the beginning of the attempt, and then takes another signal', async () => {
    const { answers, clock, send, signals } = rig();
    const { timeout_ms } = defaultConfig;
    await send();
    clock.time_ms += timeout_ms / 2;
    const began_ms = clock.time_ms;
    answers(untilCut);
    const sent = send();
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    while (!signals[1]!.aborted) clock.jump();
    expect(clock.time_ms - began_ms).toBe(timeout_ms);
    expect(signals[1]!.reason).toMatchObject({ code: 'HF_EXPORT_TIMEOUT' });
    answers(async () => delivered);
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    clock.jump();
    expect(await sent).toEqual(delivered);
    expect(signals[2]).not.toBe(signals[1]);
    expect(signals[2]!.aborted).toBe(false);
  });

  it('cuts off what is under way when it is closed, and leaves no timer', async () => {
    const { answers, clock, send, sender, signals, stopping } = rig();
    answers(untilCut);
    const sent = send();
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    stopping.abort();
    sender.close();
    expect(signals[0]!.reason).toMatchObject({ code: 'HF_EXPORT_STOPPED' });
    expect(await sent).toEqual({ kind: 'stopped' });
    expect(clock.timers).toBe(0);
  });
});
