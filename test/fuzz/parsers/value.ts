// The promise that all small parsers of config/ share: a value that makes sense and whose text parses back to it, or a reason
// that repeats nothing of what it was given, as that may be a secret.

import type { Parsed } from '../../../config/parsed.ts';
import { promise, type Verdict } from '../parser.ts';

/** Shorter pieces of the text may stand in a reason by chance. */
const SECRET_CHARACTERS = 20;
const REASON_CHARACTERS_MAX = 200;

export function checkValue<T>(
  input: Buffer,
  parse: (text: string) => Parsed<T>,
  format: (value: T) => string,
  makesSense: (value: T) => boolean,
  same: (before: T, after: T) => boolean,
): Verdict {
  const text = input.toString('utf8');
  const parsed = parse(text);
  if (!parsed.ok) {
    promise(parsed.reason.length <= REASON_CHARACTERS_MAX, 'a reason without end');
    const shown = text.length >= SECRET_CHARACTERS && parsed.reason.includes(text);
    promise(!shown, 'a reason that repeats the text');
    return 'refused';
  }
  promise(makesSense(parsed.value), `a value that makes no sense: ${String(parsed.value)}`);
  const again = parse(format(parsed.value));
  promise(
    again.ok && same(parsed.value, again.value),
    `printed as ${format(parsed.value)}, which is another value`,
  );
  return 'accepted';
}
