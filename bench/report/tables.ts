// Tables of results in Markdown. Invariant: a scenario or contestant that was not measured has no row, and never a zero.

import type { Contestant } from '../contestants/contestant.ts';
import { show } from '../figures.ts';
import { type Results, valuesOf } from '../results.ts';
import { type Kind, kindTitles, metrics, type Scenario, WARM_BACKEND_REQUESTS } from '../scenario.ts';

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

/** One section per kind of scenario: every contestant in every scenario. */
export function figureTables(
  results: Results,
  scenarios: readonly Scenario[],
  contestants: readonly Contestant[],
): string {
  const kinds = Object.keys(kindTitles) as Kind[];
  return kinds
    .flatMap((kind) => {
      const rows = scenarios
        .filter((scenario) => scenario.kind === kind)
        .flatMap((scenario) => rowsOf(results, scenario, contestants));
      const head = ['', ...(contestants.length > 1 ? [''] : []), ...metrics[kind].map(({ title }) => title)];
      return rows.length === 0 ? [] : `### ${kindTitles[kind]}\n\n${table(head, rows)}`;
    })
    .join('\n\n');
}

function rowsOf(results: Results, scenario: Scenario, contestants: readonly Contestant[]): string[][] {
  const measured = contestants.filter(({ name }) =>
    results.runs.some((run) => run.scenario === scenario.name && run.contestant === name),
  );
  return measured.map(({ name, title }, index) => [
    index === 0 ? scenario.title : '',
    ...(contestants.length > 1 ? [title] : []),
    ...metrics[scenario.kind].map(({ key, scale, digits }) => {
      const values = valuesOf(results, scenario.name, name, key).map((value) => value * scale);
      return values.length === 0 ? '' : show(values, digits);
    }),
  ]);
}

/** Where and when, and what failed. */
export function circumstances({ date, machine, loadAverage, rounds }: Results): string {
  return `${rounds} ${rounds === 1 ? 'round' : 'rounds'} on ${date}. Machine: ${machine}; contestant, load and backends share it. Its load average before the first figure was ${loadAverage.toFixed(1)}.`;
}

/** What the contestants share the machine with, the same for all of them. */
export const BACKEND = `The backend does what it must and no more, for it shares the cores with whom it waits for: it reads bare sockets into one piece of memory, counts each item while the bytes come, and answers when a request is whole; before a backlog is drained it was sent ${WARM_BACKEND_REQUESTS} requests that count for nobody.`;

export function failuresOf({ failures }: Results): string {
  if (failures.length === 0) return '';
  const lines = failures.map(
    ({ scenario, contestant, round, reason }) =>
      `- ${scenario}, ${contestant}, round ${round}: ${reason.split('\n')[0]}`,
  );
  return `\n### Measurements that failed\n\n${lines.join('\n')}\n`;
}
