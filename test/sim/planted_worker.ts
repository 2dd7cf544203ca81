// Looks for planted bugs in a thread of its own: a bug that is planted by replacing a method is planted in this thread
// alone. Invariant: one bug at a time.

import { parentPort, workerData } from 'node:worker_threads';
import { type Discovery, discover } from './find_planted.ts';

export interface SearchLimits {
  readonly tries: number;
  /** Seeds in each. */
  readonly runs: number;
}

/** What came of all tries to find one bug. */
export interface Finding {
  readonly name: string;
  /** Seeds of each try, sorted; the limit where it was not found. */
  readonly seeds: readonly number[];
  readonly missed: number;
  /** What broke, where it was found first. */
  readonly message: string;
}

/** Between the first seeds of two tries. */
const RANGE = 1_000_000;

async function look(name: string, { tries, runs }: SearchLimits): Promise<Finding> {
  const found: (Discovery | undefined)[] = [];
  for (let attempt = 0; attempt < tries; attempt++) {
    found.push(await discover(name, 1 + attempt * RANGE, runs));
  }
  const seeds = found.map((one) => one?.seeds ?? runs).sort((a, b) => a - b);
  const message = found.find((one) => one !== undefined)?.message ?? '';
  return { name, seeds, missed: found.filter((one) => one === undefined).length, message };
}

const port = parentPort;
port?.on('message', (name: string) => {
  void look(name, workerData as SearchLimits).then((finding) => port.postMessage(finding));
});
