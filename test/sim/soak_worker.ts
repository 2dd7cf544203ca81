// One thread of the soak: is given a unit of work, does it, and tells what came of it. Invariant: what a unit does follows
// from the unit alone, so any thread may do it.

import { type MessagePort, parentPort } from 'node:worker_threads';
import { exhaust, workloads } from './exhaustive.ts';
import { type ProfileName, profiles } from './options.ts';
import { Run } from './run.ts';
import { addRun, noTotals, type Totals } from './totals.ts';

export type Unit =
  | {
      readonly kind: 'seeds';
      readonly profile: ProfileName;
      readonly first: number;
      readonly count: number;
    }
  /** One of the workloads of up to `length` steps, by its index. */
  | { readonly kind: 'exhaustive'; readonly length: number; readonly index: number };

export interface Failure {
  /** What makes it happen again. */
  readonly replay: string;
  readonly message: string;
}

export interface Done {
  readonly unit: Unit;
  readonly totals: Totals;
  readonly failures: readonly Failure[];
}

export async function perform(unit: Unit): Promise<Done> {
  const totals = noTotals();
  const failures: Failure[] = [];
  if (unit.kind === 'exhaustive') {
    const workload = workloads(unit.length)[unit.index]!;
    try {
      const done = await exhaust(workload, Number.MAX_SAFE_INTEGER);
      totals.runs += 1;
      totals.crashes += done.crashes;
      totals.recoveries += done.recoveries;
    } catch (error) {
      const replay = `npm run sim -- --exhaustive ${unit.length} --only ${unit.index}`;
      failures.push({ replay, message: messageOf(error) });
    }
    return { unit, totals, failures };
  }
  const { steps, options } = profiles[unit.profile];
  for (let seed = unit.first; seed < unit.first + unit.count; seed++) {
    const run = new Run({ seed, steps, options });
    try {
      await run.execute();
    } catch (error) {
      const replay = `npm run sim -- --seed ${seed} --runs 1 --profile ${unit.profile} --trace`;
      failures.push({ replay, message: messageOf(error) });
    }
    addRun(totals, run);
  }
  return { unit, totals, failures };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function serve(port: MessagePort): void {
  port.on('message', async (unit: Unit) => port.postMessage(await perform(unit)));
}

if (parentPort) serve(parentPort);
