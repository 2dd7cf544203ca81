// What workers say of themselves as what one agent says of itself. Invariant: what a worker had counted when it was last asked
// is not lost with it, so no sum over the workers ever goes back.

import type { Condition } from '../admin/health.ts';
import type { ExporterTotals, Totals } from '../summary.ts';
import { catalogue, type Metric } from '../telemetry/catalogue.ts';
import type { Sample, WorkerState } from './messages.ts';

const NOTHING: Totals = { received_items: 0, refused_items: 0, disk_bytes: 0, exporters: [] };

/** The counters of one worker over all its lives. */
export class Tally {
  #last: WorkerState | undefined;
  #buried: readonly Sample[] = [];
  #buriedTotals: Totals = NOTHING;

  heard(state: WorkerState | undefined): void {
    // Who does not answer has not lost what it counted.
    if (state) this.#last = state;
  }

  /** It died: what it counts begins at nothing again. */
  died(): void {
    if (!this.#last) return;
    const { samples, totals } = this.#last;
    // A shard's series name the worker: there a restart is the reset that whoever reads counters knows how to read.
    const counted = samples.filter(
      ({ name, labels }) => catalogue[name].kind === 'counter' && labels['worker'] === undefined,
    );
    this.#buried = mergeSamples([this.#buried, counted]);
    const exporters = totals.exporters.map((exporter) => ({
      ...exporter,
      lag_entries: 0,
      lag_age_ms: 0,
      held: false,
    }));
    this.#buriedTotals = mergeTotals([this.#buriedTotals, { ...totals, disk_bytes: 0, exporters }]);
    this.#last = undefined;
  }

  get samples(): readonly Sample[] {
    return [...this.#buried, ...(this.#last?.samples ?? [])];
  }

  get totals(): Totals {
    return mergeTotals([this.#buriedTotals, this.#last?.totals ?? NOTHING]);
  }
}

/** A worker to be asked, and what it has counted. */
export interface Counted {
  ask(): Promise<WorkerState | undefined>;
  readonly tally: Tally;
}

/**
 * Asks all at once; undefined where there is no answer. What each says counts from then on: another may take so long to answer
 * that this one dies meanwhile, and what it counted would be buried without it and heard afterwards.
 */
export function askAll(workers: readonly Counted[]): Promise<(WorkerState | undefined)[]> {
  return Promise.all(
    workers.map(async (worker) => {
      const state = await worker.ask();
      worker.tally.heard(state);
      return state;
    }),
  );
}

/** One sample for each name and set of labels. */
export function mergeSamples(all: readonly (readonly Sample[])[]): Sample[] {
  const merged = new Map<string, Sample>();
  for (const sample of all.flat()) {
    const { name, labels, value } = sample;
    const key = `${name}${JSON.stringify(labels)}`;
    const before = merged.get(key);
    merged.set(key, before ? { name, labels, value: combine(catalogue[name], before.value, value) } : sample);
  }
  return [...merged.values()];
}

function combine({ together }: Metric, a: number, b: number): number {
  if (together === 'largest') return Math.max(a, b);
  return together === 'smallest' ? Math.min(a, b) : a + b;
}

export function mergeTotals(all: readonly Totals[]): Totals {
  const sum = (of: (totals: Totals) => number): number =>
    all.reduce((total, totals) => total + of(totals), 0);
  const exporters = new Map<string, ExporterTotals>();
  for (const exporter of all.flatMap((totals) => totals.exporters)) {
    const before = exporters.get(exporter.id);
    exporters.set(exporter.id, before ? addExporters(before, exporter) : exporter);
  }
  return {
    received_items: sum(({ received_items }) => received_items),
    refused_items: sum(({ refused_items }) => refused_items),
    disk_bytes: sum(({ disk_bytes }) => disk_bytes),
    exporters: [...exporters.values()],
  };
}

function addExporters(a: ExporterTotals, b: ExporterTotals): ExporterTotals {
  return {
    id: a.id,
    delivered_items: a.delivered_items + b.delivered_items,
    failed_items: a.failed_items + b.failed_items,
    lag_entries: a.lag_entries + b.lag_entries,
    lag_age_ms: Math.max(a.lag_age_ms, b.lag_age_ms),
    held: a.held || b.held,
  };
}

/** Well is what all of them are; each line says whose it is. @param all by worker: its state, or why there is none */
export function mergeConditions(all: readonly (Condition | string)[]): Condition {
  const lines = (of: (condition: Condition) => readonly string[]): string[] =>
    all.flatMap((each, worker) =>
      (typeof each === 'string' ? [] : of(each)).map((line) => `worker ${worker}: ${line}`),
    );
  const missing = all.flatMap((each, worker) =>
    typeof each === 'string' ? [`worker ${worker}: ${each}`] : [],
  );
  return {
    ready: all.every((each) => typeof each === 'string' || each.ready),
    problems: [...missing, ...lines(({ problems }) => problems)],
    warnings: lines(({ warnings }) => warnings),
  };
}
