import { describe, expect, it } from '@jest/globals';
import type { Totals } from '../../../agent/summary.ts';
import { askAll, mergeConditions, mergeSamples, mergeTotals, Tally } from '../../../agent/workers/gather.ts';
import type { Sample, WorkerState } from '../../../agent/workers/messages.ts';

const RECEIVED = 'otelcol_receiver_accepted_log_records';
const labels = { receiver: 'otlp' };

function totals(received_items: number, lag_entries = 0): Totals {
  const exporter = { id: 'a', failed_items: 0, lag_age_ms: lag_entries, held: lag_entries > 0 };
  const exporters = [{ ...exporter, delivered_items: received_items, lag_entries }];
  return { received_items, refused_items: 1, disk_bytes: 10, exporters };
}

function state(received: number): WorkerState {
  const samples: Sample[] = [
    { name: RECEIVED, value: received, labels },
    { name: 'holdfast_buffer_used_bytes', value: 7, labels: {} },
    { name: 'holdfast_buffer_commits_total', value: received, labels: { worker: '0' } },
  ];
  return { condition: { ready: true, problems: [], warnings: [] }, totals: totals(received), samples };
}

describe('samples of several workers', () => {
  it('are summed by name and labels, but for what is the same of all', () => {
    const one = (name: Sample['name'], value: number, more = {}): Sample => ({ name, value, labels: more });
    const merged = mergeSamples([
      [
        one('holdfast_exporter_held', 1, { exporter: 'a' }),
        one('holdfast_buffer_max_bytes', 9),
        one('holdfast_buffer_time_to_full_seconds', 60),
        one(RECEIVED, 2, labels),
        one('holdfast_buffer_segments', 3, { worker: '0' }),
      ],
      [
        one('holdfast_exporter_held', 0, { exporter: 'a' }),
        one('holdfast_buffer_max_bytes', 9),
        one('holdfast_buffer_time_to_full_seconds', 50),
        one(RECEIVED, 3, labels),
        one('holdfast_buffer_segments', 4, { worker: '1' }),
      ],
    ]);
    expect(merged.map(({ value }) => value)).toEqual([1, 9, 50, 5, 3, 4]);
  });
});

describe('the tally of a worker', () => {
  it('counts an answer when it comes, not when the slowest has answered: its worker may be dead by then', async () => {
    const [quick, slow] = [new Tally(), new Tally()];
    const answer = Promise.withResolvers<WorkerState | undefined>();
    const all = askAll([
      { ask: () => Promise.resolve(state(5)), tally: quick },
      { ask: () => answer.promise, tally: slow },
    ]);
    await new Promise((resolve) => setImmediate(resolve));
    quick.died();
    answer.resolve(undefined);
    expect(await all).toEqual([state(5), undefined]);
    expect(quick.samples).toEqual([{ name: RECEIVED, value: 5, labels }]);
    expect(quick.totals).toMatchObject({ received_items: 5, disk_bytes: 0 });
  });

  it('keeps what a dead one had counted, adds its next life, and forgets what only a living one holds', () => {
    const tally = new Tally();
    tally.heard(state(5));
    tally.died();
    expect(tally.samples).toEqual([{ name: RECEIVED, value: 5, labels }]);
    expect(tally.totals).toMatchObject({ received_items: 5, refused_items: 1, disk_bytes: 0 });
    tally.died();
    tally.heard(state(2));
    const [received] = mergeSamples([tally.samples]);
    expect(received).toMatchObject({ name: RECEIVED, value: 7 });
    expect(tally.totals).toMatchObject({ received_items: 7, disk_bytes: 10 });
  });

  it('stays as it was while one does not answer', () => {
    const tally = new Tally();
    tally.heard(state(5));
    tally.heard(undefined);
    expect(tally.totals.received_items).toBe(5);
  });
});

describe('totals', () => {
  it('are sums; the oldest entry is the oldest of all, and held is what any holds', () => {
    expect(mergeTotals([totals(3, 2), totals(4)])).toEqual({
      received_items: 7,
      refused_items: 2,
      disk_bytes: 20,
      exporters: [
        { id: 'a', delivered_items: 7, failed_items: 0, lag_entries: 2, lag_age_ms: 2, held: true },
      ],
    });
  });
});

describe('the condition', () => {
  const well = { ready: true, problems: [], warnings: ['a is held'] };
  it('is well where all are, and each line says whose it is', () => {
    expect(mergeConditions([well, well])).toEqual({
      ready: true,
      problems: [],
      warnings: ['worker 0: a is held', 'worker 1: a is held'],
    });
  });

  it('is bad where one is not there, or not well', () => {
    const ill = { ready: true, problems: ['logs.otlp/0: poisoned'], warnings: [] };
    expect(mergeConditions([ill, 'it does not answer'])).toMatchObject({
      problems: ['worker 1: it does not answer', 'worker 0: logs.otlp/0: poisoned'],
    });
    expect(mergeConditions([well, { ...well, ready: false }]).ready).toBe(false);
  });
});
