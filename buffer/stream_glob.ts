// Streams chosen by a pattern: `*` stands for anything within one part of a name, `**` for any number of parts. Invariant:
// matching takes time that grows with the product of both lengths at most, whatever the pattern.

import { InvalidName } from './errors.ts';

const PART = /^(?:\*\*|[a-z0-9_*-]{1,64})$/;

/** @throws InvalidName */
export function streamGlob(glob: string): (name: string) => boolean {
  const parts = glob.split('.');
  const valid = glob.length <= 200 && parts.every((part) => PART.test(part) && !/.\*\*|\*\*./.test(part));
  if (!valid) {
    const expected =
      'dot-separated parts of [a-z0-9_-], with * for anything in a part and ** for any parts, are';
    throw new InvalidName('stream pattern', glob, expected);
  }
  return (name) => matches(parts, name.split('.'), '**', matchesPart);
}

function matchesPart(pattern: string, part: string): boolean {
  return matches([...pattern], [...part], '*', (a, b) => a === b);
}

/** Goes back to the last wildcard only: what earlier ones took need never change. */
function matches(
  pattern: readonly string[],
  text: readonly string[],
  wildcard: string,
  same: (pattern: string, text: string) => boolean,
): boolean {
  let at = 0;
  let from = 0;
  let lastWildcard = -1;
  let taken = 0;
  while (from < text.length) {
    if (pattern[at] === wildcard) {
      lastWildcard = at++;
      taken = from;
    } else if (at < pattern.length && same(pattern[at]!, text[from]!)) {
      at += 1;
      from += 1;
    } else if (lastWildcard >= 0) {
      at = lastWildcard + 1;
      from = ++taken;
    } else return false;
  }
  while (pattern[at] === wildcard) at += 1;
  return at === pattern.length;
}
