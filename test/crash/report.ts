// The chapter of REPORT.md on real processes. Invariant: a scenario that was not run keeps the row of the run before, with the
// seed and the commit of that run.

import { commitOfTheCode, readChapters, writeChapter } from '../sim/report.ts';
import type { Figures, Outcome, Scenario } from './scenario.ts';

export interface Run {
  readonly seed: number;
  readonly seconds: number;
}

type Row = readonly (string | number)[];

const COLUMNS = [
  'scenario',
  'outcome',
  'kills',
  'acknowledged',
  'lost',
  'duplicates',
  'more',
  'seed',
  'seconds',
  'commit',
];
const OWN_COLUMNS = ['kills', 'acknowledged', 'lost', 'duplicates'];

/** @param order names of all scenarios, in the order of their rows. */
export function writeResult(scenario: Scenario, outcome: Outcome, run: Run, order: readonly string[]): void {
  const commit = commitOfTheCode();
  const before: readonly Row[] = readChapters().get('crash')?.tables?.[0]?.rows ?? [];
  const others = before.filter((row) => row[0] !== scenario.name && order.includes(String(row[0])));
  const rows = [...others, [...cells(scenario, outcome), String(run.seed), run.seconds, commit]];
  writeChapter('crash', {
    title: 'Real processes',
    command: 'npm run crash',
    commit,
    date: new Date().toISOString(),
    text: [
      'Requests to the agent, entries of the log alone; what each scenario does stands in [test/crash](../crash/README.md). Duplicates were delivered, and not yet committed when the process died. Machine: two cores that other work shares.',
    ],
    tables: [
      {
        columns: COLUMNS,
        rows: rows.toSorted((a, b) => order.indexOf(String(a[0])) - order.indexOf(String(b[0]))),
      },
    ],
  });
}

function cells(scenario: Scenario, outcome: Outcome): Row {
  if (outcome.outcome === 'skipped') {
    return [scenario.name, `skipped: ${outcome.reason}`, ...OWN_COLUMNS.map(() => ''), ''];
  }
  const { figures } = outcome;
  const own = OWN_COLUMNS.map((name) => (typeof figures[name] === 'number' ? figures[name] : ''));
  return [scenario.name, 'held', ...own, more(figures)];
}

function more(figures: Figures): string {
  return Object.entries(figures)
    .filter(([name]) => !OWN_COLUMNS.includes(name))
    .map(([name, value]) => `${name}: ${typeof value === 'number' ? value : parts(value)}`)
    .join('; ');
}

function parts(values: Readonly<Record<string, number>>): string {
  return Object.entries(values)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}
