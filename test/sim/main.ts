// The simulator as a program: runs seeds one after the other, and makes the first that breaks a promise small and shows it.

import { parseArgs } from 'node:util';
import { drainProgram } from './drain_main.ts';
import { DRAIN_STEPS } from './drain_options.ts';
import { exhaust, workloads } from './exhaustive.ts';
import { findPlanted } from './find_planted.ts';
import { type ProfileName, profiles, type RunOptions } from './options.ts';
import { plantedBugs } from './planted.ts';
import { Run, type RunSettings } from './run.ts';
import { shrink } from './shrink.ts';
import { addRun, coverageLines, faultLine, noTotals, progressLine } from './totals.ts';

const USAGE = `npm run sim -- [options]

  --seed N          the first seed; default 1
  --runs N          how many seeds; default 1000
  --profile NAME    long (default), short or storm: see options.ts
  --steps N         steps of the workload in each; default: those of the profile
  --trace           keeps every operation of the disk, and prints them where there is but one seed
  --without A,B     leaves out steps
  --set JSON        sets options of the run that the seed would choose
  --keep-going      counts failures by message instead of stopping at the first
  --bug NAME        plants a bug of planted.ts, or \`all\`, and prints the seeds until it is found
  --drain           the drain loop between the log and backends on their bad days, instead of the log alone
  --exhaustive N    instead of seeds: every crash state of every workload of up to so many steps
  --only N          of these workloads this one only
  --subsets N       how many subsets of what was not synced are tried per state; default: all that README names
`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '1000' },
    profile: { type: 'string', default: 'long' },
    steps: { type: 'string' },
    trace: { type: 'boolean', default: false },
    without: { type: 'string' },
    set: { type: 'string' },
    bug: { type: 'string' },
    exhaustive: { type: 'string' },
    only: { type: 'string' },
    subsets: { type: 'string' },
    'keep-going': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    /** The drain loop between the log and backends on their bad days, instead of the log alone. */
    drain: { type: 'boolean', default: false },
  },
});

const PROGRESS_ms = 2_000;
const first = Number(values.seed);
const runs = Number(values.runs);
if (!(values.profile in profiles)) throw new RangeError(`there is no profile ${values.profile}`);
const profile = profiles[values.profile as ProfileName];
const steps = Number(values.steps ?? profile.steps);

function settingsOf(seed: number): RunSettings {
  const set = values.set === undefined ? {} : (JSON.parse(values.set) as Partial<RunOptions>);
  return {
    seed,
    steps,
    trace: values.trace,
    options: { ...profile.options, ...set },
    ...(values.without === undefined ? {} : { without: new Set(values.without.split(',').map(Number)) }),
  };
}

/** CPU time of this thread, s: what a rate means on a machine that others use as well. */
function cpu_s(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1e6;
}

async function runSeeds(): Promise<boolean> {
  const totals = noTotals();
  const failures = new Map<string, number[]>();
  const started_s = cpu_s();
  let told_ms = performance.now();
  for (let index = 0; index < runs; index++) {
    const run = new Run(settingsOf(first + index));
    try {
      await run.execute();
    } catch (error) {
      if (!values['keep-going']) {
        await show(run, error, index);
        return false;
      }
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      const key = message.split('\n')[0]!.replace(/\d+/g, '#').slice(0, 160);
      failures.set(key, [...(failures.get(key) ?? []), run.seed]);
    }
    addRun(totals, run);
    if (runs === 1) {
      for (const line of run.world.trace.lines) console.log(line);
      console.log(`seed ${run.seed}: trace hash ${run.world.trace.hash.toString(16)}`);
    }
    if (performance.now() - told_ms < PROGRESS_ms) continue;
    told_ms = performance.now();
    console.log(`${index + 1}/${runs}: ${progressLine(totals, cpu_s() - started_s)}`);
  }
  console.log(`${progressLine(totals, cpu_s() - started_s)}; /s: per second of CPU`);
  console.log(`faults: ${faultLine(totals)}`);
  for (const line of coverageLines(totals)) console.log(line);
  for (const [message, seeds] of failures)
    console.log(`${seeds.length} × ${message}\n    seeds ${seeds.slice(0, 8)}`);
  return failures.size === 0;
}

/** What failed, and the least that still fails. */
async function show(run: Run, error: unknown, good: number): Promise<void> {
  console.log(`seed ${run.seed} failed after ${good} good ones:`);
  console.log(error instanceof Error ? error.stack : String(error));
  console.log(`options ${JSON.stringify(run.options)}`);
  console.log(`replay: ${replay(settingsOf(run.seed))}`);
  const least = await shrink(settingsOf(run.seed));
  if (!least) {
    console.log('it does not fail again: the simulator is not deterministic here');
    return;
  }
  console.log(`\n${least.steps} of ${steps} steps are enough (${least.attempts} attempts):`);
  for (const line of least.run.world.trace.lines) console.log(line);
  console.log(least.message);
  console.log(`replay: ${replay(least.settings)}`);
}

function replay({ seed, steps: count, options, without }: RunSettings): string {
  const set = options && Object.keys(options).length > 0 ? ` --set '${JSON.stringify(options)}'` : '';
  const leftOut = without && without.size > 0 ? ` --without ${[...without].sort((a, b) => a - b)}` : '';
  return `npm run sim -- --seed ${seed} --runs 1 --steps ${count}${set}${leftOut} --trace`;
}

async function runExhaustive(length: number): Promise<boolean> {
  const all = workloads(length);
  const chosen = values.only === undefined ? all : [all[Number(values.only)]!];
  const started_s = cpu_s();
  let crashes = 0;
  let recoveries = 0;
  for (const [index, workload] of chosen.entries()) {
    const done = await exhaust(workload, Number(values.subsets ?? Number.POSITIVE_INFINITY));
    crashes += done.crashes;
    recoveries += done.recoveries;
    const rates = [crashes, recoveries].map((count) => (count / (cpu_s() - started_s)).toFixed(0));
    console.log(
      `${index + 1}/${chosen.length} workloads, ${crashes} crashes (${rates[0]}/s), ${recoveries} recoveries (${rates[1]}/s; per second of CPU): ${workload.join(', ')}`,
    );
  }
  return true;
}

async function runAll(): Promise<boolean> {
  if (values.drain && values.bug === undefined) {
    const { trace, 'keep-going': keepGoing } = values;
    const drainSteps = Number(values.steps ?? DRAIN_STEPS);
    return (await drainProgram({ first, runs, steps: drainSteps, trace, keepGoing })) === 0;
  }
  if (values.exhaustive !== undefined) return runExhaustive(Number(values.exhaustive));
  if (values.bug === undefined) return runSeeds();
  const names = values.bug === 'all' ? Object.keys(plantedBugs) : [values.bug];
  return findPlanted(names, first, runs, values.steps === undefined ? undefined : steps);
}

if (values.help) process.stdout.write(USAGE);
else process.exitCode = (await runAll()) ? 0 : 1;
