// The chapter of the report that the soak writes. Invariant: it holds the state from which the next soak goes on, and all that
// it says follows from that.

import { smallSteps } from './exhaustive.ts';
import { faultKinds } from './faults.ts';
import { logStates } from './log_state.ts';
import { grouped, type ReportChapter, type ReportTable } from './report.ts';
import type { Failure } from './soak_worker.ts';
import { addTotals, noTotals, type Totals } from './totals.ts';

export interface SoakState {
  /** By kind of run: a profile of options.ts, or `exhaustive`. */
  readonly totals: Record<string, Totals>;
  /** Recoveries by the commit of the code that ran. */
  readonly commits: Record<string, number>;
  failures: (Failure & { readonly commit: string })[];
  /** Failures that were looked at: the seed holds by now. */
  settled?: (Failure & { readonly commit: string; readonly holdsSince: string })[];
  /** Indices of the small workloads that were gone through. */
  readonly exhaustiveDone: number[];
  nextSeed: number;
}

const KINDS: Readonly<Record<string, string>> = {
  exhaustive: 'every small crash state',
  storm: 'storm: a crash every few operations',
  recycle: 'recycle: small segments that are soon consumed and written over',
  short: 'short: 10 steps',
  long: 'long: 60 steps, all that there is',
};

export function soakChapter(state: SoakState, commit: string): ReportChapter & { readonly state: SoakState } {
  const all = noTotals();
  for (const totals of Object.values(state.totals)) addTotals(all, totals);
  const violations = state.failures.length;
  return {
    title: 'Simulated crashes',
    command: 'npm run sim:soak',
    commit,
    date: new Date().toISOString(),
    text: [
      `**${grouped(all.recoveries)} recoveries after ${grouped(all.crashes)} crashes, ${violations} violations.** A recovery counts once the log was open again after a crash and all invariants were checked; a crash within a recovery is a crash more.`,
      `Small workloads that were ended at every operation of their last step: ${exhausted(state)}. Each with the subsets of what was not synced that subsets.ts names: all up to 1,024 combinations, beyond that prefixes, suffixes, single holes and a sample. What left the same bytes and names behind, with the same promises, was recovered once. ${grouped(all.virtual_ms / 3_600_000)} hours of virtual time passed in the seeded runs.`,
    ],
    tables: [kinds(state, all), faults(all), coverage(all), commits(state), ...failures(state)],
    state,
  };
}

/** How far the search went, by the length of the workloads. */
function exhausted({ exhaustiveDone }: SoakState): string {
  const parts: string[] = [];
  let first = 0;
  const last = exhaustiveDone.reduce((most, index) => Math.max(most, index), -1);
  for (let length = 1; first <= last; length++) {
    const count = smallSteps.length ** length;
    const done = exhaustiveDone.filter((index) => index >= first && index < first + count).length;
    parts.push(`${grouped(done)} of ${grouped(count)} with ${length} step${length > 1 ? 's' : ''}`);
    first += count;
  }
  return parts.join(', ') || 'none yet';
}

function kinds(state: SoakState, all: Totals): ReportTable {
  const row = (name: string, totals: Totals): (string | number)[] => [
    name,
    totals.runs,
    totals.operations,
    totals.crashes,
    totals.recoveries,
    totals.acknowledged,
    totals.read,
  ];
  const rows = Object.keys(KINDS)
    .filter((kind) => state.totals[kind])
    .map((kind) => row(KINDS[kind]!, state.totals[kind]!));
  return {
    columns: [
      'runs',
      'how many',
      'disk operations',
      'crashes',
      'recoveries',
      'entries acknowledged',
      'entries read',
    ],
    rows: [...rows, row('all', all)],
  };
}

function faults(all: Totals): ReportTable {
  return {
    caption: 'Faults that struck:',
    columns: ['fault', 'times'],
    rows: faultKinds.map((kind) => [kind, all.faults[kind] ?? 0]),
  };
}

function coverage(all: Totals): ReportTable {
  return {
    caption:
      'What the log was doing when they struck (seeded runs; told by the operation of the disk that was hit):',
    columns: ['fault', ...logStates],
    rows: faultKinds.map((kind) => [
      kind,
      ...logStates.map((state) => all.coverage[`${kind} while ${state}`] ?? '·'),
    ]),
  };
}

function commits(state: SoakState): ReportTable {
  return { columns: ['commit', 'recoveries'], rows: Object.entries(state.commits) };
}

function failures(state: SoakState): ReportTable[] {
  const settled: ReportTable = {
    caption:
      'Found by former soaks, and put right in the log or in the simulator; the same seeds hold by now:',
    columns: ['replay', 'failed at', 'holds at', 'what'],
    rows: (state.settled ?? []).map((one) => [
      one.replay,
      one.commit,
      one.holdsSince,
      one.message.split('\n')[0]!,
    ]),
  };
  const tables = settled.rows.length > 0 ? [settled] : [];
  if (state.failures.length === 0) return tables;
  return [
    ...tables,
    {
      caption: 'Violations:',
      columns: ['replay', 'commit', 'what'],
      rows: state.failures.map(({ replay, commit, message }) => [replay, commit, message.split('\n')[0]!]),
    },
  ];
}
