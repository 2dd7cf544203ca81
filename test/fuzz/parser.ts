// What a parser gives to be fuzzed: inputs that are right, what keeps a mutation from being stopped at the door, and the check
// of one input. Invariant: `check` throws exactly when the parser broke a promise; a refusal in its own words is none.

import type { SeededRandom } from '../sim/random.ts';

export type Verdict = 'accepted' | 'refused';

export interface Parser {
  /** Also the folder of its corpus. */
  readonly name: string;
  /** One line for --help: what is read, and what must hold. */
  readonly promise: string;
  /** Right inputs, which mutations begin with. */
  readonly seeds: readonly Buffer[];
  /** Words of its language; inserted whole. */
  readonly words?: readonly string[];
  /** A mutation that knows the format, asked as often as all others together. */
  readonly mutate?: (input: Buffer, random: SeededRandom) => Buffer;
  /** Largest input; default 4 KiB. */
  readonly inputMax_bytes?: number;
  /** How many inputs the short run of every build takes; default 600. */
  readonly shortRun?: number;
  /** It takes whatever comes, so that no input is refused. */
  readonly refusesNothing?: true;
  /** How much one check may allocate at once, bytes; default 1 MiB. */
  readonly allocationMax_bytes?: number;
  /** @throws anything, where a promise was broken */
  check(input: Buffer): Verdict | Promise<Verdict>;
}

/** A promise that a parser did not keep. */
export class BrokenPromise extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BrokenPromise';
  }
}

export function promise(holds: boolean, message: string): asserts holds {
  if (!holds) throw new BrokenPromise(message);
}

/** Lets through what `kinds` say, and nothing else. */
export function refusedAs(
  error: unknown,
  ...kinds: readonly (abstract new (
    ...args: never[]
  ) => Error)[]
): 'refused' {
  if (kinds.some((kind) => error instanceof kind)) return 'refused';
  throw error;
}
