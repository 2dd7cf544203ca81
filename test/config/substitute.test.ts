// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the references under test are written so.
import { describe, expect, it } from '@jest/globals';
import type { LoadOptions } from '../../config/source.ts';
import { named, plain, problemsOf } from './load.ts';

describe('substitution', () => {
  const value = (text: string, env: Record<string, string> = {}, readText?: LoadOptions['readText']) => {
    const source = named('a.yaml', `v: ${text}\n`);
    return (plain({ files: [source], env, ...(readText && { readText }) }) as { v: unknown }).v;
  };

  it('gives a value that is one reference the YAML type of what it stands for', () => {
    expect(value('${env:X}', { X: '10' })).toBe(10);
    expect(value('"${env:X}"', { X: '10' })).toBe(10);
    expect(value('${env:X}', { X: 'true' })).toBe(true);
    expect(value('${env:X}', { X: 'ten' })).toBe('ten');
    expect(value('${env:X}', { X: '' })).toBeNull();
    expect(value('${env:X}', { X: '[a, 1]' })).toEqual(['a', 1]);
    expect(value('${env:X}', { X: '{a: {b: 1}}' })).toEqual({ a: { b: 1 } });
    expect(value('${env:X:-5}')).toBe(5);
  });

  it('leaves a reference inside a longer text a text', () => {
    expect(value('${env:X}0', { X: '10' })).toBe('100');
    expect(value('${env:X}${env:X}', { X: '1' })).toBe('11');
  });

  it('takes what YAML cannot read, or reads as a text, as it stands', () => {
    for (const text of ['@x', '*x', '!x', '{a', '"quoted"', 'a: b: c', '- x: [', '%', 'a\nb']) {
      expect(value('${env:X}', { X: text })).toBe(text);
    }
  });

  it('does not expand what it put in, so that a password may hold a dollar', () => {
    expect(value('${env:X}', { X: 'pa$${env:Y}' })).toBe('pa$${env:Y}');
  });

  it('puts fragments of YAML in, and what these refer to', () => {
    const texts: Record<string, string> = {
      'f.yaml': 'a: ${env:X}\nb: ${file:g.yaml}\n',
      'g.yaml': '[1, 2]\n',
    };
    const readText = (file: string) => ({ ok: true as const, value: texts[file] ?? '' });
    expect(value('${file:f.yaml}', { X: '1' }, readText)).toEqual({ a: 1, b: [1, 2] });
  });

  it('tells mistakes in a fragment at their own place, and ends circles', () => {
    const read = (text: string) => () => ({ ok: true as const, value: text });
    const files = [named('a.yaml', 'v: ${file:f.yaml}\n')];
    expect(problemsOf({ files, readText: read('a: [') }).join()).toMatch(/^f\.yaml:1:5: v: YAML/);
    expect(problemsOf({ files, readText: read('a: 1\na: 2') })).toEqual([
      'f.yaml:2:1: v.a: duplicate key; the first is in line 1',
    ]);
    expect(problemsOf({ files, readText: read('a: ${file:f.yaml}') }).join()).toMatch(/circle/);
  });

  it('substitutes values only, never keys', () => {
    expect(plain({ files: [named('a', '"${env:X}": 1')], env: { X: 'x' } })).toEqual({ '${env:X}': 1 });
  });

  it('asks nothing for what a later file replaced', () => {
    const files = [named('a', 'a: ${env:NO}'), named('b', 'a: 1')];
    expect(plain({ files })).toEqual({ a: 1 });
  });

  it('tells every reference that leads nowhere, each at its place', () => {
    const files = [named('a.yaml', 'a: ${env:NO}\nb:\n  - ${file:/no/such}\n  - x${\n')];
    expect(problemsOf({ files })).toEqual([
      'a.yaml:1:4: a: the environment variable NO is not set; ${env:NO:-default} would give it a default',
      'a.yaml:3:5: b[0]: the file "/no/such" does not exist',
      'a.yaml:4:5: b[1]: a reference that begins with ${ is not closed with }; a literal ${ is written $${',
    ]);
  });

  it('knows nothing of the prototype of the environment', () => {
    expect(problemsOf({ files: [named('a', 'a: ${toString}')] }).join()).toMatch(/toString is not set/);
  });
});
