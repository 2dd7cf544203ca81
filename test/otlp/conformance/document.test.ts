// The page of conformance names every test that there is and no other, and no line of OTLP is without one.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { bare, DOCUMENT, namesIn, render, shortOf, talliesOf } from './document.ts';
import { isFilledIn, namedIn, namedTests, root } from './named_tests.ts';
import { requirements } from './requirements.ts';

const numbers = requirements.flatMap(({ lines }) => lines.map(({ number }) => number));
/** Put together, so that this file holds no test by that name. */
const planted = (what: string): string => ['OTLP', what].join(' ');

describe('the page of conformance', () => {
  const tests = namedTests();

  it('has a test for every line, and no test of a line that does not exist', () => {
    const held = new Set(tests.flatMap(({ lines }) => lines));
    expect(numbers.filter((number) => !held.has(number))).toEqual([]);
    expect([...held].filter((number) => !numbers.includes(number))).toEqual([]);
  });

  it('names the tests that there are; otherwise `npm run conformance` makes it anew', () => {
    const named = new Set(namesIn(readFileSync(path.join(root, DOCUMENT), 'utf8')));
    const existing = new Set(tests.map(({ file, name }) => `${file}: ${bare(name)}`));
    expect([...existing].filter((each) => !named.has(each))).toEqual([]);
    expect([...named].filter((each) => !existing.has(each))).toEqual([]);
  });

  it('says what it was given', () => {
    const file = 'test/some_file.test.ts';
    const [one, two] = namedIn(
      file,
      `it.each([1, 2])('${planted('7, 8: %i [is] | held\\\\')}', f); describe("${planted('9: a group')}", g);`,
    );
    expect([one, two]).toEqual([
      { file, name: planted('7, 8: %i [is] | held\\'), lines: [7, 8] },
      { file, name: planted('9: a group'), lines: [9] },
    ]);
    const results = [
      { file, names: ['around', planted('7, 8: 1 [is] | held\\')], passed: true },
      { file, names: ['around', planted('7, 8: 2 [is] | held\\')], passed: false },
      { file, names: [planted('9: a group'), 'a test'], passed: true },
      { file: 'test/other.test.ts', names: [planted('9: a group')], passed: false },
    ];
    const tallies = talliesOf([one!, two!], results);
    expect([tallies.get(one!), tallies.get(two!)]).toEqual([
      { passed: 1, total: 2 },
      { passed: 1, total: 1 },
    ]);
    const page = render([one!, two!], results);
    expect(page).toContain('| 7 | HTTP over the limit is 413 | **1 of 2** | answers 400 |');
    expect(page).toContain('| all 1 |');
    expect(new Set(namesIn(page))).toEqual(new Set([`${file}: %i [is] | held\\`, `${file}: a group`]));
    expect(shortOf([one!, two!], results)).toEqual(numbers.filter((number) => number !== 9));
  });

  it('counts a test once, under the name that is exactly its own', () => {
    const file = 'test/some_file.test.ts';
    const [table, alone] = namedIn(file, `it.each([])('${planted('5: %s')}'); it('${planted('5: zstd')}');`);
    const results = ['gzip', 'zstd'].map((what) => ({ file, names: [planted(`5: ${what}`)], passed: true }));
    const tallies = talliesOf([table!, alone!], results);
    expect([tallies.get(table!)?.total, tallies.get(alone!)?.total]).toEqual([1, 1]);
  });

  it.each([
    ['a %s of %i', 'a gzip of 3', true],
    ['a %s of %i', 'a gzip or 3', false],
    ['HTTP (all)', 'HTTP (all)', true],
    ['HTTP (all)', 'HTTP all', false],
  ])('takes %j for %j: %s', (name, reported, same) => {
    expect(isFilledIn(name, reported)).toBe(same);
  });
});
