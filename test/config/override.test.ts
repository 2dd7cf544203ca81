// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the references under test are written so.
import { describe, expect, it } from '@jest/globals';
import { named, plain, problemsOf } from './load.ts';

describe('--set', () => {
  const files = [named('a.yaml', 'a: {b: 1}\n')];

  it.each([
    ['a.b=2', { a: { b: 2 } }],
    ['a.c=x', { a: { b: 1, c: 'x' } }],
    ['a::c.d=x', { a: { b: 1, 'c.d': 'x' } }],
    ['a.b=[p, q]', { a: { b: ['p', 'q'] } }],
    ['a.b={c: 1}', { a: { b: { c: 1 } } }],
    ['a.b=x=y', { a: { b: 'x=y' } }],
    ['a.b=', { a: { b: null } }],
    ['a.b.c=1', { a: { b: { c: 1 } } }],
    ['a.b="2"', { a: { b: '2' } }],
    [' a.b = 2', { a: { b: 2 } }],
    ['a.b=${env:X}', { a: { b: 7 } }],
  ])('%s', (set, expected) => {
    expect(plain({ files, sets: [set], env: { X: '7' } })).toEqual(expected);
  });

  it.each([
    ['a.b', /--set #1: the = is missing/],
    ['=1', /--set #1: a key is empty/],
    ['a..b=1', /a key is empty/],
    ['a.__proto__.b=1', /not a key/],
    ['a.b=[1', /--set #1: a\.b: YAML/],
    ['a.b={c: 1, c: 2}', /a\.b\.c: duplicate key/],
    [`${'a.'.repeat(100)}b=1`, /nested deeper/],
  ])('%s is refused with its number', (set, reason) => {
    expect(problemsOf({ files, sets: [set] }).join('\n')).toMatch(reason);
  });

  it('applies in order, after all files', () => {
    expect(plain({ files, sets: ['a.b=2', 'a.b=3'] })).toEqual({ a: { b: 3 } });
  });
});
