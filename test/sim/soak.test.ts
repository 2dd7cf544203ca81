// What threads of the soak hand back adds up to the chapter that they write.

import { describe, expect, it } from '@jest/globals';
import { renderReport } from './report.ts';
import { type SoakState, soakChapter } from './soak_chapter.ts';
import { perform } from './soak_worker.ts';
import { addTotals, noTotals } from './totals.ts';

describe('the soak', () => {
  it('does a unit of seeds the same way twice and counts every run', async () => {
    const unit = { kind: 'seeds', profile: 'short', first: 1, count: 5 } as const;
    const once = await perform(unit);
    expect(await perform(unit)).toEqual(once);
    expect(once.totals.runs).toBe(5);
    expect(once.failures).toEqual([]);
  });

  it('counts the recoveries of a small workload', async () => {
    const { totals, failures } = await perform({ kind: 'exhaustive', length: 1, index: 0 });
    expect(failures).toEqual([]);
    expect(totals.recoveries).toBeGreaterThan(3);
  });

  it('writes what its units add up to, with each violation and how to see it again', () => {
    const storm = noTotals();
    addTotals(storm, {
      ...noTotals(),
      runs: 2,
      crashes: 30,
      recoveries: 20,
      coverage: { 'kill while idle': 7 },
    });
    const failure = {
      replay: 'npm run sim -- --seed 9',
      message: 'invariant 1: gone\n  at x',
      commit: 'abc',
    };
    const state: SoakState = {
      totals: { storm },
      commits: { abc: 20 },
      failures: [failure],
      exhaustiveDone: [0, 1, 2, 3, 4, 5, 41],
      nextSeed: 1,
    };
    const page = renderReport(new Map([['soak', soakChapter(state, 'abc')]]));
    expect(page).toContain('20 recoveries after 30 crashes, 1 violations');
    expect(page).toContain('| npm run sim -- --seed 9 | abc | invariant 1: gone |');
    expect(page).toContain('6 of 6 with 1 step, 1 of 36 with 2 steps.');
    expect(page).toMatch(/\| kill \| 7 \|/);
  });
});
