// Row "streams discovered and chosen by glob".

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { InvalidName } from '../../buffer/errors.ts';
import { streamGlob } from '../../buffer/stream_glob.ts';

describe('a pattern of stream names', () => {
  it.each([
    ['logs', 'logs', true],
    ['logs', 'logs.a', false],
    ['logs.*', 'logs.a', true],
    ['logs.*', 'logs', false],
    ['logs.*', 'logs.a.b', false],
    ['logs.**', 'logs.a.b', true],
    ['logs.**', 'logs', true],
    ['logs.**', 'logsx', false],
    ['**', 'a.b.c', true],
    ['**.dead', 'dead', true],
    ['**.dead', 'a.b.dead', true],
    ['**.dead', 'a.dead.b', false],
    ['a.**.z', 'a.z', true],
    ['a.**.b.**.z', 'a.b.b.c.z', true],
    ['l*s.a-*', 'logs.a-1', true],
    ['l*s', 'logsx', false],
    ['*', 'a.b', false],
    ['*a*b*', 'xaxbx', true],
  ])('%s and %s: %s', (glob, name, expected) => {
    expect(streamGlob(glob)(name)).toBe(expected);
  });

  it.each([
    '',
    '.',
    'a..b',
    'A',
    'a/*',
    '../*',
    'a.***',
    'a**',
    '**a',
    'a?',
    'x'.repeat(65),
    'a.'.repeat(120),
  ])('is refused as %j', (glob) => {
    expect(() => streamGlob(glob)).toThrow(InvalidName);
  });

  it('agrees with a regular expression', () => {
    const name = fc.array(fc.stringMatching(/^[ab]{1,3}$/), { minLength: 1, maxLength: 5 });
    const glob = fc.array(
      fc.oneof(fc.stringMatching(/^[ab]{0,2}\*?[ab]{1,2}$/), fc.constantFrom('*', '**')),
      {
        minLength: 1,
        maxLength: 5,
      },
    );
    fc.assert(
      fc.property(glob, name, (patterns, parts) => {
        // With a dot behind each part, `**` is any number of them.
        const source = patterns.map((one) =>
          one === '**' ? '(?:[ab]+\\.)*' : `${one.replaceAll('*', '[ab]*')}\\.`,
        );
        const expected = new RegExp(`^${source.join('')}$`).test(`${parts.join('.')}.`);
        expect(streamGlob(patterns.join('.'))(parts.join('.'))).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it('costs little where a backtracking match would not end', () => {
    const glob = streamGlob(Array.from({ length: 40 }, () => '**.a').join('.'));
    expect(glob(`${Array.from({ length: 99 }, () => 'a').join('.')}.b`)).toBe(false);
  });
});
