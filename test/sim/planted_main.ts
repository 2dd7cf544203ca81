// How long each planted bug stays hidden: for every one the seeds until it is found, over several ranges of seeds, written
// as a chapter of REPORT.md. Invariant: what was not found within the limit counts as the limit and is said to be missing.

import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { plantedBugs } from './planted.ts';
import type { Finding } from './planted_worker.ts';
import { commitOfTheCode, writeChapter } from './report.ts';

const USAGE = `npm run sim:planted -- [--tries T] [--runs R] [--jobs J] [--bug NAME]

Plants each bug of the catalogue by itself, and counts the seeds until a promise is seen to break. Writes its chapter of REPORT.md.

  --tries T   ranges of seeds in which each bug is looked for; default 10
  --runs R    seeds in each range; default 1000
  --jobs J    threads; default: as many as there are cores
  --bug NAME  looks for this one alone, and writes nothing
`;

const { values } = parseArgs({
  options: {
    tries: { type: 'string', default: '10' },
    runs: { type: 'string', default: '1000' },
    jobs: { type: 'string' },
    bug: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}

const HEAP_MAX_MB = 6_000;
const tries = Number(values.tries);
const runs = Number(values.runs);

/** Looks for all of them, in as many threads, and says of each what came of it. */
async function lookForAll(names: readonly string[], jobs: number): Promise<Finding[]> {
  const findings: Finding[] = [];
  const waiting = [...names];
  await Promise.all(
    Array.from({ length: Math.min(jobs, names.length) }, async () => {
      for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
        const finding = await lookFor(name);
        findings.push(finding);
        sayFound(finding, `${findings.length}/${names.length}`);
      }
    }),
  );
  return findings.sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name));
}

/** In a thread of its own: what a broken log holds on to goes with it. */
async function lookFor(name: string): Promise<Finding> {
  const worker = new Worker(new URL('./planted_worker.ts', import.meta.url), {
    workerData: { tries, runs },
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MAX_MB },
  });
  worker.postMessage(name);
  const [finding] = (await once(worker, 'message')) as [Finding];
  await worker.terminate();
  return finding;
}

function medianOf(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function sayFound({ name, seeds, missed, message }: Finding, progress: string): void {
  const median = `median ${medianOf(seeds)}, most ${seeds.at(-1)}, not found in ${missed} of ${tries}`;
  console.log(`${progress.padEnd(7)} ${name.padEnd(40)} ${median}: ${brief(message)}`);
}

/** Without the figures that differ from seed to seed. */
function brief(message: string): string {
  return message
    .split('\n')[0]!
    .replace(/\{.*\}/, '{…}')
    .slice(0, 110);
}

const names = values.bug === undefined ? Object.keys(plantedBugs) : [values.bug];
const findings = await lookForAll(names, Number(values.jobs ?? availableParallelism()));
const missing = findings.filter(({ missed }) => missed > 0);
console.log(
  `${findings.length} bugs, ${findings.length - missing.length} found in every one of ${tries} tries`,
);

if (values.bug === undefined) {
  writeChapter('planted', {
    title: 'Planted bugs',
    command: `npm run sim:planted -- --tries ${tries} --runs ${runs}`,
    commit: commitOfTheCode(),
    date: new Date().toISOString(),
    text: [
      `${findings.length} bugs, each from a real incident, are planted around the product, one at a time. The table says how many seeds it takes until a promise is seen to break: median, least and most over ${tries} ranges of seeds, with at most ${runs} seeds in each. ${missing.length === 0 ? 'Every bug is found in every range.' : `Not found in some range: ${missing.map(({ name }) => name).join(', ')}.`}`,
    ],
    tables: [
      {
        columns: ['bug', 'incident', 'simulation', 'median seeds', 'least', 'most', 'found', 'seen first as'],
        rows: findings.map(({ name, seeds, missed, message }) => [
          name,
          plantedBugs[name]!.incident,
          plantedBugs[name]!.in,
          medianOf(seeds),
          seeds[0]!,
          seeds.at(-1)!,
          `${tries - missed}/${tries}`,
          brief(message),
        ]),
      },
    ],
  });
}
process.exitCode = missing.length > 0 ? 1 : 0;
