// Which subsets of what was not synced a power cut is tried with: all of them where there are few decisions, else every
// prefix, every suffix, every single hole, and a seeded sample. RELIABILITY calls this the small scope.

import type { Chooser } from './disk.ts';
import { SeededRandom } from './random.ts';

const DECISIONS_MAX = 8;
/** Up to so many combinations of all answers are gone through one by one. */
const COMBINATIONS_MAX = 1024;
const SAMPLES = 64;
/** What becomes of that which does not arrive: it stays as it was, or is garbage, or zeros. */
const LOSSES = [1, 2, 3];

/** Answers in a fixed order, keeps (0) beyond it, and notes how many answers there were to choose from. */
class Script implements Chooser {
  readonly sizes: number[] = [];
  readonly #answers: readonly number[];

  constructor(answers: readonly number[]) {
    this.#answers = answers;
  }

  pick(options: number): number {
    const answer = this.#answers[this.sizes.length] ?? 0;
    this.sizes.push(options);
    return Math.min(answer, options - 1);
  }
}

/** Calls `attempt` with one chooser after the other until all are tried, or `limit` of them. Returns how many. */
export async function eachSubset(
  attempt: (choose: Chooser) => Promise<void>,
  limit = Number.MAX_SAFE_INTEGER,
): Promise<number> {
  const arrived = new Script([]);
  await attempt(arrived);
  const { sizes } = arrived;
  let tried = 1;
  if (sizes.reduce((product, size) => product * size, 1) > COMBINATIONS_MAX) {
    for (const answers of sizes.length <= DECISIONS_MAX ? masked(sizes) : sampled(sizes)) {
      if (tried >= limit) break;
      await attempt(new Script(answers));
      tried += 1;
    }
    return tried;
  }
  // What is asked depends on what was answered: a file whose name is lost loses no sectors.
  let answers = following([], sizes);
  while (answers && tried < limit) {
    const script: Script = new Script(answers);
    await attempt(script);
    tried += 1;
    answers = following(answers, script.sizes);
  }
  return tried;
}

/** The next answers in the order of counting; undefined after the last. */
function following(answers: readonly number[], sizes: readonly number[]): number[] | undefined {
  const next = sizes.map((_, index) => answers[index] ?? 0);
  while (next.length > 0) {
    const last = next.length - 1;
    next[last] = next[last]! + 1;
    if (next[last]! < sizes[last]!) return next;
    next.pop();
  }
  return undefined;
}

/** Every subset of what arrived; the rest lost in each way, then in ways that are drawn. */
function* masked(sizes: readonly number[]): Generator<readonly number[]> {
  const random = new SeededRandom(sizes.length);
  for (let mask = 1; mask < 1 << sizes.length; mask++) {
    for (const loss of LOSSES) yield sizes.map((_, at) => ((mask >> at) & 1) * loss);
    yield sizes.map((size, at) => ((mask >> at) & 1) * (1 + random.integer(size - 1)));
  }
}

/** Alternating, so that a low limit sees some of each. */
function* sampled(sizes: readonly number[]): Generator<readonly number[]> {
  const random = new SeededRandom(sizes.length);
  for (const loss of LOSSES) yield sizes.map(() => loss);
  for (let at = 0; at < Math.max(SAMPLES, sizes.length); at++) {
    const loss = LOSSES[at % LOSSES.length]!;
    if (at > 0 && at < sizes.length) yield sizes.map((_, index) => (index < at ? 0 : loss));
    if (at > 0 && at < sizes.length) yield sizes.map((_, index) => (index < at ? loss : 0));
    if (at < sizes.length) yield sizes.map((_, index) => (index === at ? loss : 0));
    if (at < SAMPLES) yield sizes.map((size) => random.integer(size));
  }
}
