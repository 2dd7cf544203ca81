// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the references under test are written so.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parsed, unparsed } from '../../config/parsed.ts';
import { join, parseReferences, type Surroundings } from '../../config/reference.ts';

const variables: Readonly<Record<string, string>> = {
  A: 'a',
  EMPTY: '',
  HOME: '/home',
  DOLLAR: '$A ${A}',
  NAME: 'A',
};
const files: Readonly<Record<string, string>> = { '/home/token': 'tok\n', crlf: 'x\r\n', two: 'x\n\n' };
const around: Surroundings = {
  env: (name) => (Object.hasOwn(variables, name) ? variables[name] : undefined),
  readText: (path) => (Object.hasOwn(files, path) ? parsed(files[path]!) : unparsed('does not exist')),
};

function expand(text: string): string {
  const parts = parseReferences(text);
  if (!parts.ok) return `! ${parts.reason}`;
  const joined = join(parts.value, around);
  return joined.ok ? joined.value : `! ${joined.reason}`;
}

describe('references', () => {
  it.each([
    ['plain', 'plain'],
    ['', ''],
    ['${env:A}', 'a'],
    ['${A}', 'a'],
    ['x${A}y${A}z', 'xayaz'],
    ['$A', '$A'],
    ['a $ b', 'a $ b'],
    ['cost: 5$', 'cost: 5$'],
    ['$$', '$'],
    ['$${A}', '${A}'],
    ['$$$${A}', '$${A}'],
    ['$$${A}', '$a'],
    ['}{', '}{'],
    ['${env:EMPTY}', ''],
    ['${env:EMPTY:-x}', ''],
    ['${env:NO:-x}', 'x'],
    ['${NO:-x}', 'x'],
    ['${env:NO:-}', ''],
    ['${env:NO:-a:-b}', 'a:-b'],
    ['${env:NO:-http://h:1/}', 'http://h:1/'],
    ['${env:NO:-${env:A}}', 'a'],
    ['${env:NO:-${env:NO:-z}}', 'z'],
    ['${env:A:-${env:NO}}', 'a'],
    ['${env:${env:NAME}}', 'a'],
    ['${file:/home/token}', 'tok'],
    ['${file:${env:HOME}/token}', 'tok'],
    ['Bearer ${file:/home/token}', 'Bearer tok'],
    ['${file:crlf}', 'x'],
    ['${file:two}', 'x\n'],
    ['${env:NO:-$$x}', '$x'],
  ])('%j stands for %j', (text, expected) => {
    expect(expand(text)).toBe(expected);
  });

  it('does not expand what a variable holds', () => {
    expect(expand('${DOLLAR}')).toBe('$A ${A}');
  });

  it.each([
    ['${env:NO}', /environment variable NO is not set/],
    ['${NO}', /environment variable NO is not set.*\$\{env:NO:-default\}/],
    ['${env:A', /not closed/],
    ['${', /not closed/],
    ['${}', /names no environment variable/],
    ['${env:}', /names no environment variable/],
    ['${a b}', /names no environment variable.*\$\$/],
    ['${1}', /names no environment variable/],
    ['${http://x}', /env: or file:/],
    ['${yaml:a}', /env: or file:/],
    ['${file:}', /names no file/],
    ['${file:nope}', /"nope" does not exist/],
    ['${toString}', /toString is not set/],
    [`${'${'.repeat(9)}A${'}'.repeat(9)}`, /too deeply/],
  ])('%j is refused', (text, reason) => {
    expect(expand(text)).toMatch(/^! /);
    expect(expand(text)).toMatch(reason);
  });

  it('gives any text back whose dollars are doubled', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(expand(text.replaceAll('$', '$$$$'))).toBe(text);
      }),
    );
  });

  it('answers to any text at all', () => {
    const piece = fc.constantFrom('${', '}', '$', '$$', 'env:', 'file:', ':-', 'A', 'NO', ':', ' ', '\n');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        expect(typeof expand(pieces.join(''))).toBe('string');
      }),
    );
  });
});
