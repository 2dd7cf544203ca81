import { describe, expect, it } from '@jest/globals';
import type { Outcome } from '../../../exporters/exporter.ts';
import { defaultConfig, delivered, entryOf, ids, Rig, rejected, retry, type Script } from './rig.ts';

const numbers = (count: number, from = 0) => ids(count, from).map((id) => entryOf(id));

function rigWith(script: Script, count: number, config = {}, seed = 1): Rig {
  const rig = new Rig(script, config, seed);
  rig.log.append(...numbers(count));
  rig.loop.start();
  return rig;
}

const inOrder = (list: readonly number[]) => list.every((id, i) => i === 0 || list[i - 1]! < id);
const sorted = (list: readonly number[]) => [...list].sort((a, b) => a - b);

describe('draining a healthy destination', () => {
  it('delivers every entry once, in order, commits all and gives all memory back', async () => {
    const rig = rigWith(() => delivered, 1_000);
    await rig.drained();
    expect(rig.delivered).toEqual(ids(1_000));
    expect(rig.telemetry.signals.traces).toMatchObject({ sentItems: 1_000, sendFailedItems: 0, retries: 0 });
    await rig.stop();
    expect(rig.log.leased).toBe(0);
    expect(rig.telemetry.inFlight).toBe(0);
    expect(rig.clock.timers).toBe(0);
  });

  it('waits for more when it has little, and no longer than flush_timeout', async () => {
    const rig = rigWith(() => delivered, 1);
    await rig.pass(150);
    expect(rig.requests).toHaveLength(0);
    rig.log.append(entryOf(1));
    await rig.pass(49);
    expect(rig.requests).toHaveLength(0);
    await rig.pass(1);
    expect(rig.requests).toEqual([{ ids: [0, 1], at_ms: 200, number: 0 }]);
    await rig.stop();
  });

  it('reads together what comes within milliseconds of each other, while its batch waits for more', async () => {
    const rig = rigWith(() => delivered, 1);
    await rig.settle();
    expect(rig.log.reads).toBe(1);
    for (let id = 1; id < 20; id += 1) {
      rig.log.append(entryOf(id));
      await rig.pass(1);
    }
    expect(rig.log.reads).toBeLessThanOrEqual(5);
    // Large enough to leave: it waits for that read, and for nothing else.
    rig.log.append(entryOf(20, { rawLength: 65_536 }));
    await rig.pass(5);
    expect(rig.requests.map((request) => request.ids)).toEqual([ids(21)]);
    expect(rig.requests[0]!.at_ms).toBeLessThanOrEqual(24);
    await rig.stop();
    expect(rig.clock.timers).toBe(0);
  });

  it('does not wait when a batch is full, or large enough to leave alone', async () => {
    const rig = new Rig(() => delivered, { batch: { ...defaultConfig.batch, max_items: 10 } });
    rig.log.append(...numbers(30));
    rig.log.append(entryOf(30, { rawLength: 65_536 }));
    rig.loop.start();
    await rig.settle();
    expect(rig.requests.map((request) => request.ids.length)).toEqual([10, 10, 10, 1]);
    expect(rig.clock.time_ms).toBe(0);
    await rig.stop();
  });

  it('sends a large gzip entry alone, and merges large identity entries and small gzip ones', async () => {
    const rig = new Rig(() => delivered);
    const large = { rawLength: 100_000 };
    rig.log.append(
      entryOf(0, { codec: 'gzip', rawLength: 100 }),
      entryOf(1),
      entryOf(2, { ...large, codec: 'gzip' }),
      entryOf(3, { ...large, codec: 'gzip' }),
      entryOf(4, large),
      entryOf(5, large),
    );
    rig.loop.start();
    await rig.drained();
    expect(rig.requests.map((request) => request.ids)).toEqual([[0, 1], [2], [3], [4, 5]]);
    await rig.stop();
  });

  it('never mixes signals in one batch', async () => {
    const rig = new Rig(() => delivered);
    const signals = ['traces', 'logs', 'logs', 'metrics', 'traces'] as const;
    rig.log.append(...signals.map((signal, id) => entryOf(id, { signal })));
    rig.loop.start();
    await rig.drained();
    expect(rig.requests.map((request) => request.ids)).toEqual([[0], [1, 2], [3], [4]]);
    expect(rig.telemetry.signals.logs.sentItems).toBe(2);
    await rig.stop();
  });

  it('sends an entry larger than max_bytes alone instead of never', async () => {
    const rig = new Rig(() => delivered);
    rig.log.append(entryOf(0), entryOf(1, { rawLength: 5 * 2 ** 20 }), entryOf(2));
    rig.loop.start();
    await rig.drained();
    expect(rig.requests.map((request) => request.ids)).toEqual([[0], [1], [2]]);
    await rig.stop();
  });

  it('goes on reading after a read has failed', async () => {
    const rig = new Rig(() => delivered);
    rig.log.readFailures = 3;
    rig.log.append(...numbers(5));
    rig.loop.start();
    await rig.drained();
    expect(rig.delivered).toEqual(ids(5));
    expect(rig.lines.filter((line) => line.level === 'error')).toHaveLength(3);
    await rig.stop();
  });

  it('commits over entries that were lost, with and without entries around them', async () => {
    const rig = new Rig(() => delivered);
    rig.log.append(...numbers(12));
    for (const offset of [0, 1, 5, 10, 11]) rig.log.lost.add(offset);
    rig.loop.start();
    await rig.drained();
    expect(rig.delivered).toEqual([2, 3, 4, 6, 7, 8, 9]);
    await rig.stop();
    expect(rig.log.leased).toBe(0);
  });

  it('holds a thin link to its bytes per second', async () => {
    const rig = new Rig(() => delivered, {
      rate_limit_bytes_per_s: 140,
      batch: { ...defaultConfig.batch, max_items: 1 },
    });
    rig.log.append(...ids(30).map((id) => entryOf(id + 10)));
    rig.loop.start();
    await rig.drained();
    // 30 entries of 15 bytes; one second's worth leaves at once.
    expect(rig.clock.time_ms).toBeGreaterThan(2_000);
    expect(rig.clock.time_ms).toBeLessThan(2_400);
    await rig.stop();
  });
});

describe('an outage', () => {
  it('OTLP 34: is waited out with growing, jittered waits, and loses and repeats nothing', async () => {
    const rig = rigWith(({ number }) => (number < 40 ? retry() : delivered), 100);
    await rig.drained();
    expect(rig.delivered).toEqual(ids(100));
    expect(rig.deadLetters).toEqual([]);
    const waits = rig.requests.slice(1).map((request, i) => request.at_ms - rig.requests[i]!.at_ms);
    expect(waits[0]).toBeGreaterThanOrEqual(2_500);
    expect(waits[0]).toBeLessThanOrEqual(7_500);
    expect(Math.max(...waits)).toBeLessThanOrEqual(45_000);
    expect(new Set(waits).size).toBeGreaterThan(30);
    expect(rig.telemetry.signals.traces.retries).toBe(40);
    await rig.stop();
  });

  it('OTLP 33: honours what the destination asks for as a minimum, up to an hour', async () => {
    const asked = [90_000, 10 * 3_600_000];
    const rig = rigWith(({ number }) => (number < 2 ? retry(asked[number]) : delivered), 1);
    await rig.drained();
    const [first, second, third] = rig.requests.map((request) => request.at_ms);
    expect(second! - first!).toBe(90_000);
    expect(third! - second!).toBe(3_600_000);
    await rig.stop();
  });

  it('pins none of the memory of the log', async () => {
    const rig = rigWith(() => retry(), 100);
    await rig.until(() => rig.requests.length === 3);
    expect(rig.log.leased).toBe(0);
    rig.log.append(...numbers(50, 100));
    await rig.settle();
    expect(rig.log.leased).toBe(0);
    await rig.stop();
  });

  it('is said once, and said to be over once', async () => {
    const rig = rigWith(({ number }) => (number < 4 ? retry() : delivered), 10);
    await rig.drained();
    expect(rig.lines.filter((line) => line.message.startsWith('cannot deliver'))).toHaveLength(1);
    expect(rig.lines.filter((line) => line.message === 'delivering again')).toHaveLength(1);
    await rig.stop();
  });

  it('ends in the dead-letter stream where max_elapsed_time says so, never in silence', async () => {
    const config = { retry: { ...defaultConfig.retry, max_elapsed_time_ms: 60_000 } };
    const rig = rigWith(({ ids: sent }) => (sent.includes(0) ? retry() : delivered), 10, config);
    await rig.drained();
    rig.log.append(...numbers(1, 10));
    await rig.drained();
    expect(rig.deadLetters).toEqual(ids(10));
    expect(rig.delivered).toEqual([10]);
    expect(rig.telemetry.signals.traces).toMatchObject({ deadLetteredEntries: 10, sendFailedItems: 10 });
    await rig.stop();
  });

  it('OTLP 37: cuts off a request without an answer after the time-out, and sends it again', async () => {
    const hangs: Script = ({ number }, signal) =>
      number > 0
        ? delivered
        : new Promise<Outcome>((resolve) => {
            signal.addEventListener('abort', () => resolve({ kind: 'retry', reason: String(signal.reason) }));
          });
    const rig = rigWith(hangs, 3);
    await rig.drained();
    expect(rig.requests[1]!.at_ms - rig.requests[0]!.at_ms).toBeGreaterThanOrEqual(10_000);
    expect(rig.requests[1]!.ids).toEqual([0, 1, 2]);
    expect(rig.lines[0]!.fields['reason']).toContain('no answer within 10000 ms');
    await rig.stop();
  });

  it('is what an exporter that throws is taken for, and said to be a bug', async () => {
    const rig = rigWith(({ number }) => {
      if (number === 0) throw new TypeError('undefined is not a function');
      return delivered;
    }, 3);
    await rig.drained();
    expect(rig.delivered).toEqual([0, 1, 2]);
    expect(rig.lines.some((line) => line.level === 'error' && /bug/.test(line.message))).toBe(true);
    await rig.stop();
  });
});

describe('a partial success', () => {
  it('OTLP 35: is final: counted, said at most once a minute, committed, and never sent again', async () => {
    const partial: Outcome = { kind: 'partial', rejectedItems: 2, message: 'too old' };
    const config = { batch: { ...defaultConfig.batch, max_items: 10 } };
    const rig = rigWith(() => partial, 100, config);
    await rig.drained();
    expect(rig.requests).toHaveLength(10);
    expect(rig.telemetry.signals.traces).toMatchObject({
      sentItems: 80,
      rejectedItems: 20,
      sendFailedItems: 20,
      deadLetteredEntries: 0,
    });
    expect(rig.lines).toHaveLength(1);
    expect(rig.lines[0]!.fields).toMatchObject({ rejected_items: 2, reason: 'too old' });
    await rig.stop();
  });
});

describe('an entry that cannot be read', () => {
  it('goes to the dead letters, and its neighbours are delivered', async () => {
    const rig = new Rig(() => delivered);
    rig.log.append(entryOf(0), Buffer.from('garbage that is no entry'), Buffer.alloc(0), entryOf(1));
    rig.loop.start();
    await rig.drained();
    expect(rig.delivered).toEqual([0, 1]);
    expect(rig.undecodable).toBe(2);
    expect(rig.telemetry.signals.traces).toMatchObject({ deadLetteredEntries: 2, deadLetteredItems: 0 });
    await rig.stop();
    expect(rig.log.leased).toBe(0);
  });
});

describe('several batches in flight', () => {
  it('are committed in order, whatever order they are answered in', async () => {
    const open: (() => void)[] = [];
    const config = { max_in_flight: 4, batch: { ...defaultConfig.batch, max_items: 5 } };
    const rig = rigWith(
      () => new Promise<Outcome>((resolve) => open.push(() => resolve(delivered))),
      20,
      config,
    );
    await rig.until(() => open.length === 4);
    expect(rig.telemetry.inFlight).toBe(4);
    open[3]!();
    open[1]!();
    await rig.settle();
    expect(rig.log.commits).toEqual([]);
    open[0]!();
    await rig.settle();
    expect(rig.log.committed()).toBe(10);
    open[2]!();
    await rig.settle();
    expect(rig.log.committed()).toBe(20);
    expect(inOrder(rig.log.commits)).toBe(true);
    await rig.stop();
    expect(rig.log.leased).toBe(0);
  });

  it('do not run ahead without bound of one that is not answered', async () => {
    const config = { max_in_flight: 2, batch: { ...defaultConfig.batch, max_items: 1 } };
    let down = true;
    const rig = rigWith(({ ids: sent }) => (down && sent[0] === 0 ? retry() : delivered), 1_000, config);
    await rig.until(() => rig.requests.filter((request) => request.ids[0] === 0).length === 20);
    expect(rig.loop.state()).toMatchObject({ committed: 0, uncommittedBatches: 256 });
    down = false;
    await rig.drained();
    expect(sorted(rig.delivered)).toEqual(ids(1_000));
    await rig.stop();
  });

  it('are never more than max_in_flight, and one that is refused is looked into after the others', async () => {
    let open = 0;
    let most = 0;
    const config = { max_in_flight: 4, batch: { ...defaultConfig.batch, max_items: 5 } };
    const rig = rigWith(
      async ({ ids: sent }) => {
        open += 1;
        most = Math.max(most, open);
        await new Promise((resolve) => setImmediate(resolve));
        open -= 1;
        return sent.includes(7) ? rejected() : delivered;
      },
      100,
      config,
    );
    await rig.drained();
    expect(most).toBe(4);
    expect(rig.deadLetters).toEqual([7]);
    expect(sorted(rig.delivered)).toEqual(ids(100).filter((id) => id !== 7));
    await rig.stop();
  });
});
