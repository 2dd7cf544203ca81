import { describe, expect, it } from '@jest/globals';
import type { Outcome } from '../../../exporters/exporter.ts';
import { defaultConfig, delivered, entryOf, ids, Rig, rejected, retry, type Script } from './rig.ts';

function rigWith(script: Script, count: number, config = {}): Rig {
  const rig = new Rig(script, config);
  rig.log.append(...ids(count).map((id) => entryOf(id)));
  rig.loop.start();
  return rig;
}

/** After any stop: nothing runs, nothing is pinned, offsets are on disk. */
function expectQuiet(rig: Rig): void {
  expect(rig.log.leased).toBe(0);
  expect(rig.clock.timers).toBe(0);
  expect(rig.telemetry).toMatchObject({ inFlight: 0, held: 0 });
  expect(rig.log.flushed).toBe(1);
  expect(rig.log.closed).toBe(true);
}

describe('stopping', () => {
  it('before anything was started or read is at once', async () => {
    const rig = new Rig(() => delivered);
    await rig.stop(60_000);
    expect(rig.clock.time_ms).toBe(0);
    const idle = new Rig(() => delivered);
    idle.loop.start();
    await idle.settle();
    await idle.stop(60_000);
    expect(idle.clock.time_ms).toBe(0);
    expect(idle.log.flushed).toBe(1);
  });

  it('ends the wait for more entries at once and commits nothing that was not sent', async () => {
    const rig = rigWith(() => delivered, 3);
    await rig.pass(100);
    await rig.stop(60_000);
    expect(rig.clock.time_ms).toBe(100);
    expect(rig.requests).toEqual([]);
    expect(rig.log.committed()).toBe(0);
    rig.clock.jump();
    expectQuiet(rig);
  });

  it('ends the wait of the rate limit at once, and sends nothing more', async () => {
    const rig = rigWith(() => delivered, 100, {
      rate_limit_bytes_per_s: 10,
      batch: { ...defaultConfig.batch, max_items: 1 },
    });
    await rig.until(() => rig.requests.length === 3);
    const at_ms = rig.clock.time_ms;
    await rig.stop(60_000);
    expect(rig.clock.time_ms).toBe(at_ms);
    expect(rig.requests).toHaveLength(3);
    expect(rig.log.committed()).toBe(3);
    rig.clock.jump();
    expectQuiet(rig);
  });

  it('ends a back-off at once, and commits nothing of it', async () => {
    const rig = rigWith(() => retry(3_000_000), 3);
    await rig.until(() => rig.requests.length === 1);
    const at_ms = rig.clock.time_ms;
    await rig.stop(60_000);
    expect(rig.clock.time_ms).toBe(at_ms);
    expect(rig.log.committed()).toBe(0);
    rig.clock.jump();
    expectQuiet(rig);
  });

  it('ends a hold at once, keeps what was delivered around it, and dead-letters nothing', async () => {
    const rig = rigWith(({ ids: sent }) => (sent.includes(40) ? rejected() : delivered), 50, {
      on_rejected: 'hold',
    });
    await rig.until(() => rig.loop.state().held);
    const at_ms = rig.clock.time_ms;
    await rig.stop(60_000);
    expect(rig.clock.time_ms).toBe(at_ms);
    expect(rig.log.committed()).toBe(40);
    expect(rig.deadLetters).toEqual([]);
    rig.clock.jump();
    expectQuiet(rig);
  });

  it('while dead letters find no room leaves the entry for the next start', async () => {
    const rig = rigWith(({ ids: sent }) => (sent.includes(0) ? rejected() : delivered), 50);
    rig.deadLetterFailures = Number.POSITIVE_INFINITY;
    await rig.until(() => rig.loop.state().held);
    await rig.stop(60_000);
    expect(rig.log.committed()).toBe(0);
    rig.clock.jump();
    expectQuiet(rig);
  });

  it('lets the request under way finish within the deadline, and commits it', async () => {
    let answer: (outcome: Outcome) => void = () => {};
    const rig = rigWith(() => new Promise((resolve) => (answer = resolve)), 3);
    await rig.until(() => rig.requests.length === 1);
    rig.clock.setTimer(() => answer(delivered), 1_000);
    await rig.stop(5_000);
    expect(rig.log.committed()).toBe(3);
    rig.clock.jump();
    expectQuiet(rig);
  });

  it.each([retry(), rejected()])('begins nothing new when the request under way fails', async (outcome) => {
    let answer: (outcome: Outcome) => void = () => {};
    const rig = rigWith(() => new Promise((resolve) => (answer = resolve)), 3);
    await rig.until(() => rig.requests.length === 1);
    rig.clock.setTimer(() => answer(outcome), 1_000);
    await rig.stop(5_000);
    expect(rig.requests).toHaveLength(1);
    expect(rig.log.committed()).toBe(0);
    rig.clock.jump();
    expectQuiet(rig);
  });

  it('cuts off the request under way at the deadline, and commits nothing of it', async () => {
    const hangs: Script = (_request, signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve({ kind: 'retry', reason: 'aborted' }));
      });
    const rig = rigWith(hangs, 3, { timeout_ms: 1_000_000 });
    await rig.until(() => rig.requests.length === 1);
    const at_ms = rig.clock.time_ms;
    await rig.stop(2_000);
    expect(rig.clock.time_ms - at_ms).toBe(2_000);
    expect(rig.log.committed()).toBe(0);
    expectQuiet(rig);
  });

  it('leaves an exporter behind that ignores its abort, and ignores what it says later', async () => {
    let answer: (outcome: Outcome) => void = () => {};
    const rig = rigWith(() => new Promise((resolve) => (answer = resolve)), 3, { timeout_ms: 1_000_000 });
    await rig.until(() => rig.requests.length === 1);
    const at_ms = rig.clock.time_ms;
    await rig.stop(2_000);
    expect(rig.clock.time_ms - at_ms).toBeLessThanOrEqual(3_000);
    answer(delivered);
    await rig.settle();
    expect(rig.log.committed()).toBe(0);
    expect(rig.log.leased).toBe(0);
  });

  it('does not wait longer for a disk that hangs', async () => {
    const rig = rigWith(() => delivered, 3);
    await rig.drained();
    rig.log.flush = () => new Promise(() => {});
    const at_ms = rig.clock.time_ms;
    await rig.stop(2_000);
    expect(rig.clock.time_ms - at_ms).toBe(2_250);
  });

  it('with several in flight commits what is delivered without a gap from the front', async () => {
    const open: ((outcome: Outcome) => void)[] = [];
    const rig = rigWith(
      (_request, signal) => {
        return new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve(retry()));
          open.push(resolve);
        });
      },
      20,
      { max_in_flight: 4, batch: { ...defaultConfig.batch, max_items: 5 } },
    );
    await rig.until(() => open.length === 4);
    rig.clock.setTimer(() => open[0]!(delivered), 100);
    rig.clock.setTimer(() => open[2]!(delivered), 200);
    await rig.stop(1_000);
    expect(rig.log.committed()).toBe(5);
    expectQuiet(rig);
  });
});
