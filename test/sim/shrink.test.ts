// A failing run is made small: what is left still breaks the same promise, with fewer steps.

import { describe, expect, it } from '@jest/globals';
import { plantedBugs } from './planted.ts';
import { Run, type RunSettings } from './run.ts';
import { shrink } from './shrink.ts';

const STEPS = 60;
const SEEDS_MAX = 60;

/** The first run that fails where no sync does anything. */
async function failing(): Promise<RunSettings> {
  const plant = plantedBugs['sync_does_nothing']!.fileSystem!;
  for (let seed = 1; seed <= SEEDS_MAX; seed++) {
    const settings = { seed, steps: STEPS, plant };
    const failed = await new Run(settings).execute().then(
      () => false,
      () => true,
    );
    if (failed) return settings;
  }
  throw new Error(`none of ${SEEDS_MAX} seeds finds the planted bug`);
}

describe('shrinking', () => {
  it('leaves a fraction of the steps, which fail in the same way when they are replayed', async () => {
    const least = (await shrink(await failing()))!;
    expect(least.steps).toBeLessThan(STEPS / 4);
    expect(least.run.world.trace.lines.length).toBeGreaterThan(0);
    const promise = /invariant \d+/.exec(least.message)![0];
    await expect(new Run(least.settings).execute()).rejects.toThrow(promise);
  });

  it('says so where a run does not fail', async () => {
    expect(await shrink({ seed: 3, steps: 10 })).toBeUndefined();
  });
});
