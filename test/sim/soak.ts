// `npm run sim:soak`: every small crash state and fresh seeds, on all cores, for as long as wanted. What it adds up to stands in
// report/soak.json, where the next soak goes on. Invariant: a unit counts once all of it was done.

import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { workloads } from './exhaustive.ts';
import type { ProfileName } from './options.ts';
import { commitOfTheCode, writeChapter } from './report.ts';
import { type SoakState, soakChapter } from './soak_chapter.ts';
import { type Done, perform, type Unit } from './soak_worker.ts';
import { addTotals, faultLine, noTotals, progressLine } from './totals.ts';

const USAGE = `npm run sim:soak -- [--minutes M] [--recoveries N] [--workers K] [--exhaustive-length L] [--fresh]

  --minutes M      ends after so long; default 1
  --recoveries N   ends once so many recoveries stand in the report, those of former soaks included
  --workers K      threads; default: all cores
  --exhaustive-length L
                   every small workload of up to so many steps, the shorter ones first, in turn with seeds; default 4
  --fresh          begins anew instead of adding to report/soak.json
`;

const STATE = path.join(import.meta.dirname, 'report', 'soak.json');
const SEED_FIRST = 1_000_000;
/** Kinds of runs in turn, each for a second of one core or less: mostly those in which recoveries are dense. */
const ROUND: readonly (readonly [ProfileName, number])[] = [
  ['storm', 50],
  ['storm', 50],
  ['short', 200],
  ['storm', 50],
  ['storm', 50],
  ['long', 25],
  ['storm', 50],
  ['storm', 50],
  ['recycle', 25],
];
const PROGRESS_ms = 10_000;
const FAILURES_MAX = 100;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    recoveries: { type: 'string' },
    'exhaustive-length': { type: 'string', default: '4' },
    workers: { type: 'string', default: String(availableParallelism()) },
    fresh: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const minutes = Number(values.minutes ?? (values.recoveries === undefined ? 1 : Number.POSITIVE_INFINITY));
const exhaustiveLength = Number(values['exhaustive-length']);
const recoveriesMax = Number(values.recoveries ?? Number.POSITIVE_INFINITY);

class Soak {
  readonly #state: SoakState;
  readonly #commit = commitOfTheCode();
  readonly #started_ms = performance.now();
  readonly #before: number;
  readonly #now = noTotals();
  /** Shorter ones first, so that an index means the same whatever the length. */
  readonly #exhaustive = workloads(exhaustiveLength).length;
  #given = 0;
  /** Indices of small workloads that nobody has begun. */
  readonly #left: number[];
  #nextSeed: number;
  #ended = false;

  constructor(fresh: boolean) {
    this.#state = fresh ? noState() : storedState();
    const done = new Set(this.#state.exhaustiveDone);
    this.#left = Array.from({ length: this.#exhaustive }, (_, index) => index).filter(
      (index) => !done.has(index),
    );
    this.#nextSeed = this.#state.nextSeed;
    this.#before = this.#recoveries();
  }

  async run(threads: number): Promise<boolean> {
    await this.#recheck();
    const progress = setInterval(() => this.#tell(), PROGRESS_ms);
    process.once('SIGINT', () => {
      this.#ended = true;
    });
    await Promise.all(Array.from({ length: threads }, () => this.#thread()));
    clearInterval(progress);
    this.#tell();
    return this.#state.failures.length === 0;
  }

  /** Seeds that failed in a former soak are run again first. */
  async #recheck(): Promise<void> {
    const state = this.#state;
    const left: SoakState['failures'] = [];
    for (const failure of state.failures) {
      const [, seed, profile] = /--seed (\d+) .*--profile (\w+)/.exec(failure.replay) ?? [];
      const unit: Unit = { kind: 'seeds', profile: profile as ProfileName, first: Number(seed), count: 1 };
      const holds = seed !== undefined && (await perform(unit)).failures.length === 0;
      if (holds) state.settled = [...(state.settled ?? []), { ...failure, holdsSince: this.#commit }];
      else left.push(failure);
    }
    state.failures = left;
  }

  async #thread(): Promise<void> {
    const worker = new Worker(new URL('soak_worker.ts', import.meta.url), {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      // Nearly all garbage dies young, where a collection costs next to nothing.
      resourceLimits: { maxYoungGenerationSizeMb: 48 },
    });
    try {
      while (!this.#over()) this.#add(await ask(worker, this.#next()));
    } finally {
      await worker.terminate();
    }
  }

  #over(): boolean {
    const elapsed_ms = performance.now() - this.#started_ms;
    return this.#ended || elapsed_ms > minutes * 60_000 || this.#recoveries() >= recoveriesMax;
  }

  #next(): Unit {
    const turn = this.#given++;
    // By turns, so that a soak of any length has some of each.
    const index = turn % 2 === 0 ? this.#left.shift() : undefined;
    if (index !== undefined) return { kind: 'exhaustive', length: exhaustiveLength, index };
    const [profile, count] = ROUND[turn % ROUND.length]!;
    const first = this.#nextSeed;
    this.#nextSeed += count;
    return { kind: 'seeds', profile, first, count };
  }

  #add({ unit, totals, failures }: Done): void {
    const state = this.#state;
    const name = unit.kind === 'seeds' ? unit.profile : 'exhaustive';
    state.totals[name] ??= noTotals();
    addTotals(state.totals[name], totals);
    addTotals(this.#now, totals);
    if (unit.kind === 'exhaustive') state.exhaustiveDone.push(unit.index);
    else state.nextSeed = Math.max(state.nextSeed, unit.first + unit.count);
    state.commits[this.#commit] = (state.commits[this.#commit] ?? 0) + totals.recoveries;
    for (const failure of failures) {
      console.log(`FAILED ${failure.message}\nreplay: ${failure.replay}`);
      if (state.failures.length < FAILURES_MAX) state.failures.push({ ...failure, commit: this.#commit });
    }
  }

  #recoveries(): number {
    return Object.values(this.#state.totals).reduce((sum, { recoveries }) => sum + recoveries, 0);
  }

  #tell(): void {
    const seconds = (performance.now() - this.#started_ms) / 1000;
    const left = this.#left.length;
    console.log(`${progressLine(this.#now, seconds)}; ${this.#before} recoveries before this`);
    console.log(`  ${left > 0 ? `${left} small workloads left; ` : ''}${faultLine(this.#now)}`);
    writeChapter('soak', soakChapter(this.#state, this.#commit));
  }
}

function ask(worker: Worker, unit: Unit): Promise<Done> {
  return new Promise((resolve, reject) => {
    const failed = (error: unknown): void => reject(error);
    worker.once('error', failed);
    worker.once('message', (done: Done) => {
      worker.off('error', failed);
      resolve(done);
    });
    worker.postMessage(unit);
  });
}

function noState(): SoakState {
  return { totals: {}, commits: {}, failures: [], exhaustiveDone: [], nextSeed: SEED_FIRST };
}

function storedState(): SoakState {
  return existsSync(STATE) ? JSON.parse(readFileSync(STATE, 'utf8')).state : noState();
}

const threads = Math.max(1, Number(values.workers));
process.exitCode = (await new Soak(values.fresh).run(threads)) ? 0 : 1;
