// What a program of the benchmark measured, raw: every figure of every round. Invariant: reports, charts and the regression
// check are made from this alone, so that each can be made again without measuring.

import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ContestantName } from './contestants/contestant.ts';
import type { Figures } from './costs.ts';

export interface Run {
  readonly scenario: string;
  readonly contestant: ContestantName;
  /** From 1. */
  readonly round: number;
  readonly figures: Figures;
}

export interface Failure extends Omit<Run, 'figures'> {
  readonly reason: string;
}

export interface Results {
  /** YYYY-MM-DD. */
  readonly date: string;
  readonly machine: string;
  /** Of the last minute before the first figure. */
  readonly loadAverage: number;
  readonly rounds: number;
  readonly runs: readonly Run[];
  readonly failures: readonly Failure[];
  /** By contestant, of those that are not pinned here. */
  readonly versions?: Readonly<Partial<Record<ContestantName, string>>>;
}

export type Program = 'agent' | 'peers';

const fileOf = (program: Program): string =>
  fileURLToPath(new URL(`results/${program}.json`, import.meta.url));

export function storeResults(program: Program, results: Results): void {
  fs.mkdirSync(new URL('results', import.meta.url), { recursive: true });
  fs.writeFileSync(fileOf(program), `${JSON.stringify(results, null, 1)}\n`);
}

export function storedResults(program: Program): Results | undefined {
  return fs.existsSync(fileOf(program))
    ? (JSON.parse(fs.readFileSync(fileOf(program), 'utf8')) as Results)
    : undefined;
}

/** One value per round in which it was measured. */
export function valuesOf(
  { runs }: Results,
  scenario: string,
  contestant: ContestantName,
  key: string,
): number[] {
  return runs
    .filter((run) => run.scenario === scenario && run.contestant === contestant)
    .flatMap(({ figures }) => figures[key] ?? []);
}

/**
 * `over` ÷ `under`, round by round: what both suffered from within a round cancels out.
 * @returns one value per round in which both were measured
 */
export function ratiosOf(
  { runs }: Results,
  scenario: string,
  key: string,
  over: ContestantName,
  under: ContestantName,
): number[] {
  const value = (round: number, contestant: ContestantName): number | undefined =>
    runs.find((run) => run.scenario === scenario && run.round === round && run.contestant === contestant)
      ?.figures[key];
  return [...new Set(runs.map(({ round }) => round))].flatMap((round) => {
    const [above, below] = [value(round, over), value(round, under)];
    return above === undefined || !below ? [] : above / below;
  });
}
