// The results of the scenarios with real processes (test/crash) as a chapter of the report. Invariant: every figure that a
// scenario gave is shown, under the name that it gave it.

import type { ReportChapter } from './report.ts';

export interface ScenarioResults {
  readonly about: string;
  readonly scenarios: Readonly<
    Record<
      string,
      {
        readonly summary: string;
        readonly outcome: string;
        readonly figures?: Readonly<Record<string, unknown>>;
        readonly seed: number;
        readonly seconds: number;
        readonly machine: string;
      }
    >
  >;
}

export function scenarioChapter({ about, scenarios }: ScenarioResults): ReportChapter {
  const [title = about, command = ''] = about.split(/:\s*/);
  const machines = new Set(Object.values(scenarios).map(({ machine }) => machine));
  return {
    title,
    command,
    text: [`On ${[...machines].join('; ')}. How: [test/crash](../crash/README.md).`],
    tables: [
      {
        columns: ['scenario', 'what', 'outcome', 'figures', 'seed', 'seconds'],
        rows: Object.entries(scenarios).map(([name, one]) => [
          name,
          one.summary,
          one.outcome,
          figures(one.figures ?? {}),
          one.seed,
          one.seconds,
        ]),
      },
    ],
  };
}

function figures(of: Readonly<Record<string, unknown>>): string {
  return Object.entries(of)
    .map(([name, value]) => `${name.replaceAll('_', ' ')} ${shown(value)}`)
    .join(', ');
}

function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null) return `(${figures(value as Record<string, unknown>)})`;
  return typeof value === 'number' ? value.toLocaleString('en-US') : String(value);
}
