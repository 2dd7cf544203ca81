// The real drain loop over the real log, between a simulated disk and simulated backends: a fixed set of seeds, and that
// each is the same again.

import { describe, expect, it } from '@jest/globals';
import { DRAIN_STEPS } from './drain_options.ts';
import { DrainRun } from './drain_run.ts';

/** Runs the seed and says how to see it again where it fails. */
async function hold(seed: number): Promise<DrainRun> {
  const run = new DrainRun({ seed, steps: DRAIN_STEPS });
  try {
    await run.execute();
  } catch (error) {
    const options = JSON.stringify(run.options);
    const replay = `node test/sim/main.ts --drain --seed ${seed} --steps ${DRAIN_STEPS} --runs 1 --trace`;
    throw new Error(`seed ${seed} with ${options}\nreplay: ${replay}`, { cause: error });
  }
  return run;
}

describe('the drain loop between a simulated disk and simulated backends', () => {
  it.each([1, 21, 41, 61])('delivers all that is owed in twenty seeds from %i on', async (first) => {
    let requests = 0;
    let recoveries = 0;
    for (let seed = first; seed < first + 20; seed++) {
      const run = await hold(seed);
      requests += run.requests;
      recoveries += run.counts.recoveries;
    }
    expect(requests).toBeGreaterThan(1_000);
    expect(recoveries).toBeGreaterThan(40);
  });

  it('keeps its promises with seed 530, in which an outage once convicted the innocent', async () => {
    await hold(530);
  });

  it('does the same again when it is given the same seed', async () => {
    for (const seed of [2, 41, 126]) {
      const hashes = [await hold(seed), await hold(seed)].map((run) => run.world.trace.hash);
      expect(hashes[0]).toBe(hashes[1]);
    }
  });
});
