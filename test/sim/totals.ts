// What runs of the simulator add up to. Invariant: totals are plain data, so they pass between threads and through a file.

import { type FaultKind, faultKinds } from './faults.ts';
import { logStates } from './log_state.ts';
import type { Run } from './run.ts';

export interface Totals {
  runs: number;
  operations: number;
  acknowledged: number;
  refused: number;
  read: number;
  /** Process ends that were forced, those within recovery included. */
  crashes: number;
  /** Openings after a crash that succeeded and were checked. */
  recoveries: number;
  /** Virtual time, ms. */
  virtual_ms: number;
  faults: Record<FaultKind, number>;
  /** `kind while state` → how often. */
  coverage: Record<string, number>;
}

export function noTotals(): Totals {
  return {
    runs: 0,
    operations: 0,
    acknowledged: 0,
    refused: 0,
    read: 0,
    crashes: 0,
    recoveries: 0,
    virtual_ms: 0,
    faults: Object.fromEntries(faultKinds.map((kind) => [kind, 0])) as Totals['faults'],
    coverage: {},
  };
}

/** Adds one run, ended or failed. */
export function addRun(totals: Totals, run: Run): void {
  const { counts, world } = run;
  totals.runs += 1;
  totals.operations += world.trace.operations;
  totals.acknowledged += counts.acknowledged;
  totals.refused += counts.refused;
  totals.read += run.read_entries;
  totals.crashes += world.crashes;
  totals.recoveries += counts.recoveries;
  totals.virtual_ms += world.clock.time_ms;
  for (const kind of faultKinds) totals.faults[kind] += world.faults.struck[kind];
  for (const [key, count] of world.faults.coverage)
    totals.coverage[key] = (totals.coverage[key] ?? 0) + count;
}

export function addTotals(to: Totals, more: Totals): void {
  for (const name of Object.keys(to) as (keyof Totals)[]) {
    if (name === 'faults' || name === 'coverage') continue;
    to[name] += more[name];
  }
  for (const kind of faultKinds) to.faults[kind] = (to.faults[kind] ?? 0) + (more.faults[kind] ?? 0);
  for (const [key, count] of Object.entries(more.coverage))
    to.coverage[key] = (to.coverage[key] ?? 0) + count;
}

/** In one line, with what one second of `seconds` brought. */
export function progressLine(totals: Totals, seconds: number): string {
  const rate = (count: number): string => (count / Math.max(seconds, 0.001)).toFixed(0);
  return [
    `${totals.runs} runs (${rate(totals.runs)}/s)`,
    `${totals.crashes} crashes`,
    `${totals.recoveries} recoveries (${rate(totals.recoveries)}/s)`,
    `${totals.operations} operations`,
    `${totals.acknowledged} entries acknowledged`,
    `${totals.read} read`,
    `${(totals.virtual_ms / 3_600_000).toFixed(1)} h simulated`,
  ].join(', ');
}

export function faultLine(totals: Totals): string {
  return faultKinds.map((kind) => `${kind} ${totals.faults[kind]}`).join(', ');
}

/** A table of faults by what the log was doing. */
export function coverageLines(totals: Totals): string[] {
  const width = Math.max(...faultKinds.map((kind) => kind.length));
  return faultKinds.map((kind) => {
    const cells = logStates.flatMap((state) => {
      const count = totals.coverage[`${kind} while ${state}`];
      return count ? [`${state} ${count}`] : [];
    });
    return `  ${kind.padEnd(width)} ${cells.join(', ') || '–'}`;
  });
}
