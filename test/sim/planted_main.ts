// How long each planted bug stays hidden: for every one the seeds until it is found, over several ranges of seeds, written
// as a chapter of REPORT.md. npm run sim:planted [-- --tries 10 --runs 1000 --bug NAME]. Invariant: what was not found
// within the limit counts as the limit and is said to be missing.

import { parseArgs } from 'node:util';
import { type Discovery, discover } from './find_planted.ts';
import { plantedBugs } from './planted.ts';
import { commitOfTheCode, writeChapter } from './report.ts';

const { values } = parseArgs({
  options: {
    tries: { type: 'string', default: '10' },
    /** Seeds in each try. */
    runs: { type: 'string', default: '1000' },
    /** Looks for this one alone, and writes nothing. */
    bug: { type: 'string' },
  },
});

const tries = Number(values.tries);
const runs = Number(values.runs);
/** Between the first seeds of two tries. */
const RANGE = 1_000_000;

interface Finding {
  readonly name: string;
  /** Seeds of each try, sorted; the limit where it was not found. */
  readonly seeds: readonly number[];
  readonly missed: number;
  readonly message: string;
}

async function look(name: string): Promise<Finding> {
  const found: (Discovery | undefined)[] = [];
  for (let attempt = 0; attempt < tries; attempt++) {
    found.push(await discover(name, 1 + attempt * RANGE, runs));
    progress(name, attempt + 1);
  }
  const seeds = found.map((one) => one?.seeds ?? runs).sort((a, b) => a - b);
  const message = found.find((one) => one !== undefined)?.message ?? '';
  return { name, seeds, missed: found.filter((one) => one === undefined).length, message };
}

function progress(name: string, done: number): void {
  if (process.stdout.isTTY) process.stdout.write(`\r${name.padEnd(40)} ${done}/${tries}`);
}

function medianOf(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function sayFound({ name, seeds, missed, message }: Finding): void {
  const median = medianOf(seeds);
  const line = `${name.padEnd(40)} median ${median}, most ${seeds.at(-1)}, not found in ${missed} of ${tries}`;
  console.log(`${process.stdout.isTTY ? '\r' : ''}${line}: ${brief(message)}`);
}

/** Without the figures that differ from seed to seed. */
function brief(message: string): string {
  return message
    .split('\n')[0]!
    .replace(/\{.*\}/, '{…}')
    .slice(0, 110);
}

const names = values.bug === undefined ? Object.keys(plantedBugs) : [values.bug];
const findings: Finding[] = [];
for (const name of names) {
  const finding = await look(name);
  sayFound(finding);
  findings.push(finding);
}
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
