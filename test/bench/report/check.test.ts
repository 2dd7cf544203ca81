import { describe, expect, it } from '@jest/globals';
import { checkTable, compareRuns, isRegression } from '../../../bench/report/check.ts';
import type { Results, Run } from '../../../bench/results.ts';
import { scenarios } from '../../../bench/scenario.ts';

const compared = scenarios.filter(({ name }) => name === 'plain' || name === 'gzip');

/** @param ratios by scenario, one a round: the Collector's CPU ÷ Holdfast's */
function results(ratios: Readonly<Record<string, readonly number[]>>): Results {
  const runs = Object.entries(ratios).flatMap(([scenario, values]) =>
    values.flatMap((ratio, index): Run[] => [
      { scenario, round: index + 1, contestant: 'holdfast', figures: { cpu_s_per_million: 2 } },
      { scenario, round: index + 1, contestant: 'collector', figures: { cpu_s_per_million: 2 * ratio } },
    ]),
  );
  return { date: '2026-11-21', machine: '', loadAverage: 0, rounds: 3, runs, failures: [] };
}

const verdicts = (before: Results, now: Results) =>
  compareRuns(before, now, compared, 0.25).map(({ verdict }) => verdict);

describe('the check against the stored run', () => {
  it('holds within the tolerance, whichever way, and by the median', () => {
    const before = results({ plain: [8, 8, 8], gzip: [10, 10, 10] });
    expect(verdicts(before, results({ plain: [6, 6, 6], gzip: [20, 20, 20] }))).toEqual(['holds', 'holds']);
    // One bad round is not a regression.
    expect(verdicts(before, results({ plain: [8, 1, 8], gzip: [1, 9, 9] }))).toEqual(['holds', 'holds']);
  });

  it('is worse where an advantage fell by more, and names the scenario', () => {
    const before = results({ plain: [8], gzip: [10] });
    const comparisons = compareRuns(before, results({ plain: [5.9], gzip: [10] }), compared, 0.25);
    expect(comparisons.filter(isRegression).map(({ name }) => name)).toEqual(['plain']);
    expect(checkTable(comparisons, before.date)).toMatch(/^\| plain \|.*\| \*\*worse\*\* \(74 %\) \|$/m);
  });

  it('fails where what was stored could not be measured, and takes what is new', () => {
    const comparisons = compareRuns(results({ plain: [8] }), results({ gzip: [10] }), compared);
    expect(comparisons.map(({ verdict }) => verdict)).toEqual(['failed', 'new']);
    expect(comparisons.map(isRegression)).toEqual([true, false]);
    expect(checkTable(comparisons, 'today')).not.toMatch(/NaN|undefined/);
  });

  it('does not mind a machine of another speed', () => {
    const before = results({ plain: [8], gzip: [10] });
    const runs = before.runs.map((run) => ({
      ...run,
      figures: { cpu_s_per_million: run.figures['cpu_s_per_million']! * 7 },
    }));
    expect(verdicts(before, { ...before, runs })).toEqual(['holds', 'holds']);
  });
});
