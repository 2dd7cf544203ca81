// Whether Holdfast has become dearer beside the Collector than in the stored run. Invariant: only ratios of one run are compared
// with ratios of one run, so another machine, or one that is busier all the time, is no regression.

import { show, spread } from '../figures.ts';
import type { Results } from '../results.ts';
import type { Scenario } from '../scenario.ts';
import { table } from './tables.ts';
import { advantage } from './targets.ts';

/**
 * How much of its advantage a scenario may lose. Of two runs on a quiet machine (`bench:peers` in three rounds and this check in one,
 * on 2026-11-21) the ratios differ by -4 to +14 %, and single rounds by up to 17 % from their median.
 */
export const TOLERANCE = 0.25;

export interface Comparison {
  readonly name: string;
  readonly title: string;
  /** How many times less CPU an item costs than in the Collector: each round of the stored run and of this one. */
  readonly before: readonly number[];
  readonly now: readonly number[];
  /** `new`: nothing is stored to compare with. `failed`: it was measured before, and could not be now. */
  readonly verdict: 'holds' | 'worse' | 'new' | 'failed';
}

export function compareRuns(
  before: Results,
  now: Results,
  scenarios: readonly Scenario[],
  tolerance = TOLERANCE,
): readonly Comparison[] {
  return scenarios.map(({ name, title }) => {
    const then = advantage(before, name, 'collector');
    const today = advantage(now, name, 'collector');
    return { name, title, before: then, now: today, verdict: verdictOf(then, today, tolerance) };
  });
}

export function isRegression({ verdict }: Comparison): boolean {
  return verdict === 'worse' || verdict === 'failed';
}

export function checkTable(comparisons: readonly Comparison[], storedOn: string): string {
  const rows = comparisons.map((comparison) => {
    const { name, title, before, now, verdict } = comparison;
    const said = isRegression(comparison) ? `**${verdict}**` : verdict;
    const kept = before.length > 0 && now.length > 0 ? ` (${keptPercent(before, now)} %)` : '';
    return [name, title, ratios(before), ratios(now), `${said}${kept}`];
  });
  return table(['', '', `stored ${storedOn}`, 'now', ''], rows);
}

function verdictOf(
  before: readonly number[],
  now: readonly number[],
  tolerance: number,
): Comparison['verdict'] {
  if (before.length === 0) return 'new';
  if (now.length === 0) return 'failed';
  return spread(now).median < spread(before).median * (1 - tolerance) ? 'worse' : 'holds';
}

function keptPercent(before: readonly number[], now: readonly number[]): number {
  return Math.round((spread(now).median / spread(before).median) * 100);
}

function ratios(values: readonly number[]): string {
  return values.length === 0 ? '' : `${show(values, 1)} ×`;
}
