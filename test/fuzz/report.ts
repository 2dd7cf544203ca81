// The chapter of REPORT.md on fuzzing. Invariant: a parser that was not run keeps the row of the run before.

import { commitOfTheCode, readChapters, writeChapter } from '../sim/report.ts';
import type { Found } from './job.ts';
import type { Parser } from './parser.ts';
import { parsers } from './parsers.ts';

export interface Result {
  readonly parser: Parser;
  readonly found: Found;
  readonly corpus: number;
  readonly seed: number;
}

export function writeResults(results: readonly Result[]): void {
  const commit = commitOfTheCode();
  const fresh = results.map(({ parser, found, corpus, seed }) => [
    parser.name,
    parser.promise,
    found.failure ? 'broken' : 'kept',
    found.accepted,
    found.refused,
    corpus,
    String(seed),
    commit,
  ]);
  const before = readChapters().get('fuzz')?.tables[0]?.rows ?? [];
  const rows = parsers.flatMap(({ name }) => {
    const row = [...fresh, ...before].find((each) => each[0] === name);
    return row ? [row] : [];
  });
  writeChapter('fuzz', {
    title: 'Fuzzed parsers',
    command: 'npm run fuzz',
    commit,
    date: new Date().toISOString(),
    text: [
      'Inputs mutated from right ones; how, and what every build runs, stands in [test/fuzz](../fuzz/README.md). Refused: in the words of the parser, with a typed error or a reason.',
    ],
    tables: [
      { columns: ['parser', 'promise', 'outcome', 'accepted', 'refused', 'corpus', 'seed', 'commit'], rows },
    ],
  });
}
