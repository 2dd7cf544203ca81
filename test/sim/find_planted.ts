// How many seeds it takes to find a planted bug. Invariant: what is found without the bug is not counted for it.

import { DRAIN_STEPS } from './drain_options.ts';
import { DrainRun } from './drain_run.ts';
import { type Profile, profiles } from './options.ts';
import { plantedBugs } from './planted.ts';
import type { PlantedBug } from './planting.ts';
import { Run } from './run.ts';

export interface Discovery {
  readonly seed: number;
  /** Seeds tried, this one included. */
  readonly seeds: number;
  readonly message: string;
}

/** The first of `runs` seeds from `first` on that finds the bug. */
export async function discover(
  name: string,
  first: number,
  runs: number,
  steps?: number,
): Promise<Discovery | undefined> {
  const bug = plantedBugs[name];
  if (!bug)
    throw new RangeError(
      `no planted bug is called ${name}; there are ${Object.keys(plantedBugs).join(', ')}`,
    );
  const undo = bug.patch?.();
  try {
    for (let seeds = 1; seeds <= runs; seeds++) {
      const seed = first + seeds - 1;
      const message = await violationOf(bug, seed, steps);
      if (message !== undefined) return { seed, seeds, message };
    }
    return undefined;
  } finally {
    undo?.();
  }
}

/** What broke when this seed was run with the bug in place. */
async function violationOf(bug: PlantedBug, seed: number, steps?: number): Promise<string | undefined> {
  const { fileSystem, exporter, config } = bug;
  const profile: Profile = profiles[bug.profile ?? 'long'];
  const run =
    bug.in === 'log'
      ? new Run({
          seed,
          steps: steps ?? profile.steps,
          options: profile.options,
          ...(fileSystem ? { plant: fileSystem } : {}),
        })
      : new DrainRun({ seed, steps: steps ?? DRAIN_STEPS, plant: { fileSystem, exporter, config } });
  try {
    await run.execute();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Prints what it takes to find each; false where one was not found. Without `steps` as many as usual. */
export async function findPlanted(
  names: readonly string[],
  first: number,
  runs: number,
  steps?: number,
): Promise<boolean> {
  let all = true;
  for (const name of names) {
    const found = await discover(name, first, runs, steps);
    all &&= found !== undefined;
    const outcome = found ? `${found.seeds} seeds (${found.message})` : `not found in ${runs} seeds`;
    console.log(`${name.padEnd(40)} ${outcome}`);
  }
  return all;
}
