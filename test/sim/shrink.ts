// Makes a failing run small: leaves out steps and simplifies options for as long as the same promise is broken. Invariant: what
// it returns fails, and it ends after so many attempts and so much time whatever it found.

import type { RunOptions } from './options.ts';
import { Run, type RunSettings } from './run.ts';
import { Violation } from './violation.ts';

export interface Shrunk {
  readonly settings: RunSettings;
  readonly run: Run;
  readonly message: string;
  /** Steps that are left. */
  readonly steps: number;
  readonly attempts: number;
}

const ATTEMPTS_MAX = 600;
const TIME_MAX_ms = 30_000;
/** Each makes a run easier to read, the greatest help first. */
const SIMPLER: readonly Partial<RunOptions>[] = [
  { faults: false },
  { flips: false },
  { clockJumps: false },
  { crashes: 'none' },
  { crashes: 'power' },
  { crashes: 'kill' },
  { shards: 1 },
  { batch_entries: 1 },
  { entry_bytes: 'tiny' },
  { maxAge_ms: undefined },
  { whenFull: 'reject' },
];

/** Undefined where the run does not fail. */
export async function shrink(settings: RunSettings): Promise<Shrunk | undefined> {
  const started_ms = performance.now();
  let attempts = 0;
  let best: Shrunk | undefined;
  const attempt = async (candidate: RunSettings): Promise<boolean> => {
    if (best && (attempts >= ATTEMPTS_MAX || performance.now() - started_ms > TIME_MAX_ms)) return false;
    attempts += 1;
    const run = new Run({ ...candidate, trace: true });
    try {
      await run.execute();
      return false;
    } catch (error) {
      if (best && kindOf(error) !== kindOf(best.message)) return false;
      const steps = run.steps - (candidate.without?.size ?? 0);
      best = { settings: candidate, run, message: messageOf(error), steps, attempts };
      return true;
    }
  };
  if (!(await attempt(settings))) return undefined;
  // Steps behind the one that failed were never begun, unless it failed when all was to be well again.
  await attempt({ ...settings, steps: best!.run.steps });
  await leaveOut(attempt, () => best!.settings);
  for (const options of SIMPLER) {
    await attempt({ ...best!.settings, options: { ...best!.settings.options, ...options } });
  }
  await leaveOut(attempt, () => best!.settings);
  return { ...best!, attempts };
}

/** By halves, quarters, … down to single steps, the last ones first. */
async function leaveOut(
  attempt: (candidate: RunSettings) => Promise<boolean>,
  current: () => RunSettings,
): Promise<void> {
  for (let size = Math.ceil(current().steps / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let from = current().steps - size; from > -size; from -= size) {
      const { steps, without = new Set() } = current();
      const fewer = new Set(without);
      for (let step = Math.max(0, from); step < Math.min(from + size, steps); step++) fewer.add(step);
      if (fewer.size > without.size) await attempt({ ...current(), without: fewer });
    }
  }
}

/** The promise that was broken, or for anything else its words without numbers. */
function kindOf(error: unknown): string {
  if (error instanceof Violation) return `invariant ${error.invariant}`;
  const message = messageOf(error);
  return (
    /^(?:Violation: )?(invariant \d+):/.exec(message)?.[1] ?? message.split('\n')[0]!.replace(/\d+/g, '#')
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
