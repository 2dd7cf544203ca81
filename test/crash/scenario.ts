// What a crash test is: a name, what it does to real processes, and what it found. Invariant: a promise that did not hold
// is thrown as `Broken`; what this machine cannot do is said as skipped, never passed over.

import type { Launch } from '../e2e/agent_process.ts';

export interface Setting {
  readonly seed: number;
  /** Of the whole agent, and of the small process that holds nothing but a log. */
  readonly kills: { readonly agent: number; readonly library: number };
  /** How many run side by side, each in a directory of its own. */
  readonly side: number;
  /** `service.workers` of each agent. */
  readonly workers: number;
  /** How an agent is started. */
  readonly launch: Launch;
  /** Empty, and gone when all held. */
  readonly directory: string;
  /** Shows how far it has come. */
  progress(text: string): void;
}

export type Figures = Readonly<Record<string, number | Readonly<Record<string, number>>>>;

export type Outcome =
  | { readonly outcome: 'held'; readonly figures: Figures }
  | { readonly outcome: 'skipped'; readonly reason: string };

export interface Scenario {
  readonly name: string;
  /** One line for --help. */
  readonly summary: string;
  /** @throws Broken */
  run(setting: Setting): Promise<Outcome>;
}

/** A promise that did not hold, with all that was heard of the process that broke it. */
export class Broken extends Error {
  constructor(promise: string, heard = '') {
    super(heard === '' ? promise : `${promise}\n${heard}`);
    this.name = 'Broken';
  }
}

export function expectThat(holds: boolean, promise: string, heard = ''): asserts holds {
  if (!holds) throw new Broken(promise, heard);
}

/** Ends a wait that would otherwise hang the program: what should come has not. */
export async function within<T>(
  limit_ms: number,
  what: string,
  wait: Promise<T>,
  heard: () => string,
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Broken(`not within ${limit_ms} ms: ${what}`, heard())),
    limit_ms,
  );
  try {
    return await Promise.race([wait, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
