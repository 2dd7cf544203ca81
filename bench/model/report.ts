// bench/MODEL.md out of what was measured. Invariant: every figure and every order of lines comes from the measurements; text
// says only what a figure is.

import { show, spread } from '../figures.ts';
import { table } from '../report/tables.ts';

/** µs of CPU per request, one value a round. */
export interface StepCosts {
  readonly name: string;
  readonly costs: readonly number[];
  /** The least, and what that is. */
  readonly least: { readonly name: string; readonly costs: readonly number[] } | undefined;
}

export interface WayCosts {
  readonly title: string;
  readonly steps: readonly StepCosts[];
  /** The agent, under the load of the scenario. */
  readonly whole: readonly number[];
}

interface Distance {
  readonly name: string;
  readonly over_us: number;
}

export function wayReport({ title, steps, whole }: WayCosts): string {
  const whole_us = spread(whole).median;
  const share = (cost_us: number): string => `${Math.round((cost_us / whole_us) * 100)} %`;
  const sum_us = total(steps.map(({ costs }) => costs));
  const least_us = total(steps.map(({ costs, least }) => least?.costs ?? costs));
  const rows = steps.map(({ name, costs, least }) => [
    name,
    show(costs, 1),
    share(spread(costs).median),
    least ? show(least.costs, 1) : '',
    least?.name ?? 'nothing less is known here',
  ]);
  return `## ${title}

${table(
  ['step', 'µs of CPU per request', 'share', 'least, µs', 'the least is'],
  [
    ...rows,
    ['**sum of the steps**', sum_us.toFixed(1), share(sum_us), least_us.toFixed(1), ''],
    ['**the agent**', show(whole, 1), share(whole_us), '', ''],
    ['between the steps', (whole_us - sum_us).toFixed(1), share(whole_us - sum_us), '', BETWEEN],
  ],
)}

Where the distance to the least is, ${(whole_us - least_us).toFixed(0)} µs of ${whole_us.toFixed(0)}, the largest first: ${distances(steps, whole_us - sum_us, share)}.
`;
}

const BETWEEN = 'pipeline, log, drain loop, hops between threads, compilation, collector of garbage';

/** The parts of the distance that are a hundredth of the whole and more. */
function distances(steps: readonly StepCosts[], between_us: number, share: (us: number) => string): string {
  const all: Distance[] = steps.map(({ name, costs, least }) => ({
    name,
    over_us: spread(costs).median - spread(least?.costs ?? costs).median,
  }));
  return [...all, { name: 'between the steps', over_us: between_us }]
    .sort((a, b) => b.over_us - a.over_us)
    .filter(({ over_us }) => over_us > 0 && share(over_us) !== '0 %')
    .map(({ name, over_us }) => `${name} ${over_us.toFixed(0)} µs (${share(over_us)})`)
    .join('; ');
}

function total(all: readonly (readonly number[])[]): number {
  return all.reduce((sum, costs) => sum + spread(costs).median, 0);
}
