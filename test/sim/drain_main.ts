// The drain simulation as a program: seeds one after the other, with a progress line, up to the first that breaks a promise
// and how to see that one again. Invariant: what is counted is what was run.

import { type Mood, moods } from './backend.ts';
import { DrainRun } from './drain_run.ts';
import { faultKinds } from './faults.ts';

export interface DrainProgram {
  readonly first: number;
  readonly runs: number;
  readonly steps: number;
  readonly trace: boolean;
  /** Counts failures by message instead of stopping. */
  readonly keepGoing: boolean;
}

const PROGRESS_EVERY = 100;

/** Returns the exit code. */
export async function drainProgram(program: DrainProgram): Promise<number> {
  const started_ms = performance.now();
  const total = {
    requests: 0,
    crashes: 0,
    recoveries: 0,
    acknowledged: 0,
    delivered: 0,
    duplicates: 0,
    letters: 0,
  };
  const spent = Object.fromEntries(moods.map((mood) => [mood, 0])) as Record<Mood, number>;
  const struck = new Map<string, number>();
  const failures = new Map<string, number[]>();
  let virtual_ms = 0;
  const progress = (done: number): void => {
    const seconds = (performance.now() - started_ms) / 1000;
    const counts = Object.entries(total).map(([name, count]) => `${count} ${name}`);
    const hours = (virtual_ms / 3_600_000).toFixed(0);
    console.log(
      `${done}/${program.runs} runs, ${(done / seconds).toFixed(0)} runs/s, ${hours} h, ${counts.join(', ')}`,
    );
  };
  for (let index = 0; index < program.runs; index++) {
    const seed = program.first + index;
    const run = new DrainRun({ seed, steps: program.steps, trace: program.trace });
    try {
      await run.execute();
    } catch (error) {
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      if (!program.keepGoing) {
        sayFailed(run, program, message);
        return 1;
      }
      const key = message.split('\n')[0]!.replace(/\d+/g, '#').slice(0, 160);
      failures.set(key, [...(failures.get(key) ?? []), seed]);
    }
    total.requests += run.requests;
    total.crashes += run.world.crashes;
    total.recoveries += run.counts.recoveries;
    total.acknowledged += run.counts.acknowledged;
    for (const { journal, letters } of run.watched) {
      total.delivered += journal.told.size;
      total.duplicates += journal.duplicates;
      total.letters += letters.size;
    }
    for (const backend of run.backends) for (const mood of moods) spent[mood] += backend.requestsIn[mood];
    for (const kind of faultKinds) struck.set(kind, (struck.get(kind) ?? 0) + run.world.faults.struck[kind]);
    virtual_ms += run.world.clock.time_ms;
    if (program.runs === 1) {
      if (program.trace) for (const line of run.world.trace.lines) console.log(line);
      console.log(`seed ${seed}: trace hash ${run.world.trace.hash.toString(16)}`);
    }
    if ((index + 1) % PROGRESS_EVERY === 0) progress(index + 1);
  }
  progress(program.runs);
  console.log(`requests by mood: ${moods.map((mood) => `${mood} ${spent[mood]}`).join(', ')}`);
  console.log(`faults: ${[...struck].map(([kind, count]) => `${kind} ${count}`).join(', ')}`);
  for (const [message, seeds] of failures)
    console.log(`${seeds.length} × ${message}\n    seeds ${seeds.slice(0, 8)}`);
  return failures.size > 0 ? 1 : 0;
}

function sayFailed(run: DrainRun, { steps }: DrainProgram, message: string): void {
  for (const line of run.world.trace.lines) console.log(line);
  console.log(`options ${JSON.stringify(run.options)}`);
  console.log(`seed ${run.seed} failed:\n${message}`);
  console.log(`replay: node test/sim/main.ts --drain --seed ${run.seed} --steps ${steps} --runs 1 --trace`);
}
