// Which subsets of what was not synced a power cut is tried with: all of them where there are few decisions, else every
// prefix, every suffix, every single hole, and a seeded sample. RELIABILITY calls this the small scope.

import type { Chooser } from './disk.ts';
import { SeededRandom } from './random.ts';

const DECISIONS_MAX = 8;
const SAMPLES = 64;

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
  let answers: number[] | undefined = [];
  for (let tried = 0; tried < limit; tried++) {
    const script: Script = new Script(answers);
    await attempt(script);
    if (script.sizes.length > DECISIONS_MAX)
      return tried + 1 + (await sampled(attempt, script.sizes, limit - tried - 1));
    answers = following(answers, script.sizes);
    if (!answers) return tried + 1;
  }
  return limit;
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

async function sampled(
  attempt: (choose: Chooser) => Promise<void>,
  sizes: readonly number[],
  limit: number,
): Promise<number> {
  const length = sizes.length;
  const scripts: number[][] = [Array.from({ length }, () => 1)];
  const random = new SeededRandom(length);
  for (let at = 1; at < length; at++) {
    scripts.push(Array.from({ length }, (_, index) => (index < at ? 0 : 1)));
    scripts.push(Array.from({ length }, (_, index) => (index < at ? 1 : 0)));
    scripts.push(Array.from({ length }, (_, index) => (index === at ? 1 : 0)));
  }
  const samples = Array.from({ length: SAMPLES }, () => sizes.map((size) => random.integer(size)));
  // Alternating, so that a low limit sees some of each.
  const mixed = scripts.flatMap((script, index) => [script, ...samples.slice(index, index + 1)]);
  let tried = 0;
  for (const script of [...mixed, ...samples.slice(scripts.length)]) {
    if (tried >= limit) break;
    await attempt(new Script(script));
    tried += 1;
  }
  return tried;
}
