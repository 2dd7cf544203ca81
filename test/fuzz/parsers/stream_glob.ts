// buffer/stream_glob.ts, against a matcher that tries everything.

import { InvalidName } from '../../../buffer/errors.ts';
import { streamGlob } from '../../../buffer/stream_glob.ts';
import { type Parser, promise, refusedAs } from '../parser.ts';

export const streamGlobParser: Parser = {
  name: 'stream_glob',
  promise: 'matches as the definition of * and ** says, in bounded time',
  // A pattern, a line break, a name.
  seeds: ['logs.*\nlogs.syslog', '**\na.b.c', 'a.**.z\na.b.z', '*a*b*\nxaybz', 'x.**.*.y\nx.y'].map((text) =>
    Buffer.from(text),
  ),
  words: ['*', '**', '.', '*.', '.**', 'a', 'b', '\n', '*a', '**.**', 'aaaaaaaaaaaaaaaaaaaaaaaa'],
  inputMax_bytes: 200,
  check(input) {
    const text = input.toString('latin1');
    const [pattern = '', name = ''] = text.split('\n');
    let matches: (name: string) => boolean;
    try {
      matches = streamGlob(pattern);
    } catch (error) {
      return refusedAs(error, InvalidName);
    }
    const expected = sequence(pattern.split('.'), name.split('.'), '**', (a, b) =>
      sequence([...a], [...b], '*', Object.is),
    );
    promise(matches(name) === expected, `${expected ? 'should' : 'should not'} match`);
    return 'accepted';
  },
};

/** Whether the pattern describes the text: a table of all beginnings of the one by all beginnings of the other. */
function sequence(
  pattern: readonly string[],
  text: readonly string[],
  wildcard: string,
  same: (pattern: string, text: string) => boolean,
): boolean {
  let row = [true, ...text.map(() => false)];
  for (const part of pattern) {
    const next = [part === wildcard && row[0]!];
    for (let at = 1; at <= text.length; at++) {
      next.push(part === wildcard ? row[at]! || next[at - 1]! : row[at - 1]! && same(part, text[at - 1]!));
    }
    row = next;
  }
  return row[text.length]!;
}
