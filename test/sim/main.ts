// The simulator as a program: runs seeds one after the other and stops at the first that breaks a promise, saying how to
// see it again. node test/sim/main.ts --seed 1 --runs 1000 --steps 60 [--trace] [--bug NAME | all]

import { parseArgs } from 'node:util';
import { drainProgram } from './drain_main.ts';
import { exhaust, workloads } from './exhaustive.ts';
import { faultKinds } from './faults.ts';
import { findPlanted } from './find_planted.ts';
import { plantedBugs } from './planted.ts';
import { Run } from './run.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '1000' },
    steps: { type: 'string', default: '60' },
    trace: { type: 'boolean', default: false },
    /** Plants a bug of planted.ts; `all` reports for each the seeds until it is found. */
    bug: { type: 'string' },
    /** Instead of seeds: every crash state of every workload of up to so many steps, `--subsets` of them per state. */
    exhaustive: { type: 'string' },
    subsets: { type: 'string', default: '1000' },
    /** Goes on after a failure and counts them by message. */
    'keep-going': { type: 'boolean', default: false },
    /** The drain loop between the log and backends on their bad days, instead of the log alone. */
    drain: { type: 'boolean', default: false },
  },
});

const first = Number(values.seed);
const runs = Number(values.runs);
const steps = Number(values.steps);
const started_ms = performance.now();
const total = { crashes: 0, recoveries: 0, operations: 0, acknowledged: 0, refused: 0, read: 0 };
const struck = new Map<string, number>();
const failures = new Map<string, number[]>();

function progress(done: number): string {
  const seconds = (performance.now() - started_ms) / 1000;
  return [
    `${done}/${runs} runs`,
    `${(done / seconds).toFixed(0)} runs/s`,
    ...Object.entries(total).map(([name, count]) => `${count} ${name}`),
  ].join(', ');
}

if (values.drain && values.bug === undefined) {
  const { trace, 'keep-going': keepGoing } = values;
  process.exit(await drainProgram({ first, runs, steps, trace, keepGoing }));
}

if (values.exhaustive !== undefined) {
  let recoveries = 0;
  const all = workloads(Number(values.exhaustive));
  for (const [index, workload] of all.entries()) {
    recoveries += await exhaust(workload, Number(values.subsets));
    const seconds = (performance.now() - started_ms) / 1000;
    console.log(
      `${index + 1}/${all.length} workloads, ${recoveries} recoveries, ${(recoveries / seconds).toFixed(0)}/s`,
    );
  }
  process.exit(0);
}

if (values.bug !== undefined) {
  const found = await findPlanted(
    values.bug === 'all' ? Object.keys(plantedBugs) : [values.bug],
    first,
    runs,
    steps,
  );
  process.exit(found ? 0 : 1);
}

for (let index = 0; index < runs; index++) {
  const seed = first + index;
  const run = new Run({ seed, steps, trace: values.trace });
  try {
    await run.execute();
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    if (values['keep-going']) {
      const key = message.split('\n')[0]!.replace(/\d+/g, '#').slice(0, 160);
      failures.set(key, [...(failures.get(key) ?? []), seed]);
    } else {
      for (const line of run.world.trace.lines) console.log(line);
      console.log(`options ${JSON.stringify(run.options)}`);
      console.log(`seed ${seed} failed after ${index} good ones:\n${message}`);
      console.log(`replay: node test/sim/main.ts --seed ${seed} --steps ${steps} --runs 1 --trace`);
      process.exit(1);
    }
  }
  total.crashes += run.world.crashes;
  total.recoveries += run.counts.recoveries;
  total.operations += run.world.trace.operations;
  total.acknowledged += run.counts.acknowledged;
  total.refused += run.counts.refused;
  total.read += run.read_entries;
  for (const kind of faultKinds) struck.set(kind, (struck.get(kind) ?? 0) + run.world.faults.struck[kind]);
  if (runs === 1) {
    if (values.trace) for (const line of run.world.trace.lines) console.log(line);
    console.log(`seed ${seed}: trace hash ${run.world.trace.hash.toString(16)}`);
  }
  if ((index + 1) % 200 === 0) console.log(progress(index + 1));
}
console.log(progress(runs));
console.log(`faults: ${[...struck].map(([kind, count]) => `${kind} ${count}`).join(', ')}`);
for (const [message, seeds] of failures)
  console.log(`${seeds.length} × ${message}\n    seeds ${seeds.slice(0, 8)}`);
process.exitCode = failures.size > 0 ? 1 : 0;
