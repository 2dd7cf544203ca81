// One measured figure of the log with what it is compared to. Invariant: the verdict is drawn from the median, and a figure
// without a target has none.

import { show, spread } from '../figures.ts';

export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly digits: number;
  /** One value per round. */
  readonly values: readonly number[];
  /** The limit. */
  readonly target?: { readonly atMost: number } | { readonly atLeast: number };
  /** What others published or what a plain Go log did. */
  readonly others?: string;
}

/** What every measurement gets. */
export interface Setting {
  /** A folder of its own for logs; removed afterwards. */
  readonly work: string;
  readonly rounds: number;
  /** Also what takes minutes and gigabytes. */
  readonly large: boolean;
  progress(text: string): void;
}

export const HEADING = `| figure | unit | measured | target | others | |
|---|---|---|---|---|---|`;

export function row(figure: Figure): string {
  const { name, unit, digits, values, target, others = '' } = figure;
  const limit = target === undefined ? '' : 'atMost' in target ? `≤ ${target.atMost}` : `≥ ${target.atLeast}`;
  return `| ${name} | ${unit} | ${show(values, digits)} | ${limit} | ${others} | ${verdict(values, target)} |`;
}

function verdict(values: readonly number[], target: Figure['target']): string {
  if (target === undefined) return '';
  const { median } = spread(values);
  const met = 'atMost' in target ? median <= target.atMost : median >= target.atLeast;
  if (met) return 'met';
  const factor = 'atMost' in target ? median / target.atMost : target.atLeast / median;
  return `**missed** (× ${factor.toFixed(2)})`;
}
