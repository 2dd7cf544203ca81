// How many seeds it takes to find a planted bug. Invariant: what is found without the bug is not counted for it.

import { plantedBugs } from './planted.ts';
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
  steps: number,
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
      const run = new Run({ seed, steps, ...(bug.fileSystem ? { plant: bug.fileSystem } : {}) });
      try {
        await run.execute();
      } catch (error) {
        return { seed, seeds, message: error instanceof Error ? error.message : String(error) };
      }
    }
    return undefined;
  } finally {
    undo?.();
  }
}

/** Prints what it takes to find each; false where one was not found. */
export async function findPlanted(
  names: readonly string[],
  first: number,
  runs: number,
  steps: number,
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
