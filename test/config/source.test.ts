// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the references under test are written so.

import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { positionOf } from '../../config/node.ts';
import { ConfigError, formatProblem } from '../../config/problem.ts';
import { keysAt, type LoadOptions, loadConfig, problemAt } from '../../config/source.ts';
import { unwrap, validateConfig } from '../../config/validate.ts';

const anything = z.record(z.string(), z.unknown());
const named = (name: string, text: string) => ({ name, text });

function load(options: LoadOptions) {
  return loadConfig({ env: {}, ...options });
}

function plain(options: LoadOptions): unknown {
  return unwrap(validateConfig(load(options), anything));
}

function problemsOf(options: LoadOptions): readonly string[] {
  try {
    unwrap(validateConfig(load(options), anything));
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(formatProblem);
    throw error;
  }
  return [];
}

describe('merging', () => {
  const first = named('a.yaml', 'r:\n  otlp: {x: 1, y: 2}\n  gone: {z: 1}\nlist: [1, 2]\n');
  const second = named('b.yaml', 'r:\n  otlp: {y: 3}\n  gone:\nlist: [3]\nnew: 4\n');

  it('goes deep into maps and replaces lists, scalars and nothing, as the Collector does', () => {
    expect(plain({ files: [first, second] })).toEqual({
      r: { otlp: { x: 1, y: 3 }, gone: null },
      list: [3],
      new: 4,
    });
  });

  it('keeps for every key the place of the file that won', () => {
    const { root } = load({ files: [first, second], sets: ['r.otlp.x=9'] });
    expect(positionOf(root, ['r', 'otlp', 'y'])).toEqual({ file: 'b.yaml', line: 2, column: 10 });
    expect(positionOf(root, ['r', 'otlp', 'x'])).toEqual({ file: '--set #1', line: 0, column: 0 });
    expect(positionOf(root, ['list', 0]).file).toBe('b.yaml');
    expect(positionOf(load({ files: [first] }).root, ['r', 'otlp', 'x'])).toEqual({
      file: 'a.yaml',
      line: 2,
      column: 10,
    });
  });

  it('takes files without content, and no files at all, for empty', () => {
    expect(plain({ files: [named('e', '# nothing\n'), first, named('e2', '')] })).toMatchObject({
      list: [1, 2],
    });
    expect(plain({ files: [] })).toEqual({});
    expect(plain({ files: [named('e', '')] })).toEqual({});
  });
});

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

describe('files', () => {
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-config-'));
  });
  afterEach(() => {
    fs.rmSync(folder, { recursive: true, force: true });
  });
  const write = (name: string, text: string | Uint8Array): string => {
    const file = path.join(folder, name);
    fs.writeFileSync(file, text);
    return file;
  };

  it('are read by path, with or without file:, and from a variable with env:', () => {
    const file = write('a.yaml', 'a: 1\n');
    expect(plain({ files: [file] })).toEqual({ a: 1 });
    expect(plain({ files: [`file:${file}`] })).toEqual({ a: 1 });
    expect(plain({ files: ['env:CONF'], env: { CONF: 'a: 2' } })).toEqual({ a: 2 });
    expect(problemsOf({ files: ['env:CONF'] })).toEqual(['env:CONF: is not set']);
  });

  it('are read through links and from pipes, to which no size is known beforehand', () => {
    const link = path.join(folder, 'link');
    fs.symlinkSync(write('real.yaml', 'b: 1'), link);
    expect(plain({ files: [link] })).toEqual({ b: 1 });
    const fifo = path.join(folder, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const writer = spawn('sh', ['-c', `echo 'c: 1' > ${JSON.stringify(fifo)}`], { stdio: 'ignore' });
    expect(plain({ files: [fifo] })).toEqual({ c: 1 });
    writer.kill();
  });

  it('that cannot be had are all named, with the mistakes of those that can', () => {
    const said = problemsOf({
      files: [
        path.join(folder, 'none.yaml'),
        folder,
        write('latin1', Uint8Array.of(0x61, 0x3a, 0x20, 0xe9)),
        write('large', `a: ${'x'.repeat(1024 * 1024)}`),
        write('broken', 'a: [\n'),
        write('list', '- a\n'),
        'a\0b',
      ],
    });
    expect(said).toEqual([
      expect.stringMatching(/none\.yaml: does not exist/),
      expect.stringMatching(/: is a folder/),
      expect.stringMatching(/latin1: is not UTF-8/),
      expect.stringMatching(/large: is larger than 1048576 bytes/),
      expect.stringMatching(/broken:2:1: YAML/),
      expect.stringMatching(/list:1:1: wrong type; expected a map/),
      expect.stringMatching(/NUL/),
    ]);
  });
});

describe('what a composer of schemas asks', () => {
  const source = load({ files: [named('a.yaml', 'exporters:\n  otlp:\n  file/x: {}\nservice: 1\n')] });

  it('lists the keys of a map, and none where there is no map', () => {
    expect(keysAt(source, [])).toEqual(['exporters', 'service']);
    expect(keysAt(source, ['exporters'])).toEqual(['otlp', 'file/x']);
    expect(keysAt(source, ['service'])).toEqual([]);
    expect(keysAt(source, ['nope', 'x'])).toEqual([]);
  });

  it('tells problems of its own at the place of the key', () => {
    const item = problemAt(source, ['exporters', 'file/x'], 'unknown exporter', { suggestion: 'file' });
    expect(formatProblem(item)).toBe('a.yaml:3:3: exporters.file/x: unknown exporter; did you mean "file"?');
  });
});
