// Which tests hold which lines of OTLP: found in the sources, by the names that begin with `OTLP` and a number.
// Invariant: what is found here without running anything is what a run reports, one name of each `it.each` included.

import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';

export const root = path.resolve(import.meta.dirname, '../../..');

/** A test, or a group of tests under one name. */
export interface NamedTest {
  /** From the root of the checkout. */
  readonly file: string;
  /** As it stands in the source: `%s` is what a table fills in. */
  readonly name: string;
  readonly lines: readonly number[];
}

const CALL = /\b(?:it|test|describe)(?:\.each)?\b/;
const NAME = /(?<quote>['"`])(?<name>OTLP \d+(?:, \d+)*: (?:\\.|(?!\k<quote>)[^\\])*)\k<quote>/g;

/** Of one source, in the order in which they stand there. */
export function namedIn(file: string, source: string): NamedTest[] {
  if (!CALL.test(source)) return [];
  return [...source.matchAll(NAME)].map((match) => {
    const name = match.groups!['name']!.replace(/\\(.)/g, '$1');
    return { file, name, lines: linesOf(name) };
  });
}

export function namedTests(): NamedTest[] {
  const files = globSync('test/**/*.test.ts', { cwd: root }).map((file) => file.split(path.sep).join('/'));
  return files.toSorted().flatMap((file) => namedIn(file, readFileSync(path.join(root, file), 'utf8')));
}

/** The lines that a name says it holds; none where it says nothing. */
export function linesOf(name: string): number[] {
  const numbers = /^OTLP (\d+(?:, \d+)*): /.exec(name)?.[1];
  return numbers === undefined ? [] : numbers.split(', ').map(Number);
}

/** Whether a name that a run reports is the one in the source, with its placeholders filled in. */
export function isFilledIn(name: string, reported: string): boolean {
  // The placeholders of jest's `each`.
  const parts = name.split(/%[psdifjoO#$]/).map((part) => part.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&'));
  return new RegExp(`^${parts.join('[^]*')}$`).test(reported);
}
