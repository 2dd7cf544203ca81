import { describe, expect, it } from '@jest/globals';
import { type ConfigNode, nodeAt, positionOf } from '../../config/node.ts';
import { maxDepth, maxTextBytes, parseText } from '../../config/parse.ts';
import { formatProblem } from '../../config/problem.ts';

function plain(node: ConfigNode | undefined): unknown {
  if (node === undefined) return undefined;
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(plain);
  return Object.fromEntries([...node.entries].map(([key, entry]) => [key, plain(entry.node)]));
}

const parse = (text: string) => parseText(text, { file: 'f.yaml' });
const problems = (text: string) => parse(text).faults.map((item) => formatProblem(item.problem));

describe('parseText', () => {
  it('reads maps, lists and the scalars of YAML 1.2', () => {
    const { root, faults } = parse('a: 1\nb: [x, "1", true, ~, 1.5]\nc:\n  d: yes\n  e:\n4317: f\n');
    expect(faults).toEqual([]);
    expect(plain(root)).toEqual({
      a: 1,
      b: ['x', '1', true, null, 1.5],
      c: { d: 'yes', e: null },
      4317: 'f',
    });
  });

  it('knows where every key and item stands', () => {
    const { root } = parse('a: 1\nb:\n  c:\n    - x\n    - d: 2\n');
    expect(positionOf(root!, ['b', 'c'])).toEqual({ file: 'f.yaml', line: 3, column: 3 });
    expect(positionOf(root!, ['b', 'c', 0])).toEqual({ file: 'f.yaml', line: 4, column: 7 });
    expect(positionOf(root!, ['b', 'c', 1, 'd'])).toEqual({ file: 'f.yaml', line: 5, column: 7 });
    expect(nodeAt(root!, ['b', 'c', 1, 'd'])?.at).toEqual({ file: 'f.yaml', line: 5, column: 10 });
  });

  it('points at the nearest thing above what is not there', () => {
    const { root } = parse('a:\n  b: 1\n');
    expect(positionOf(root!, ['a', 'x', 'y']).line).toBe(1);
    expect(positionOf(root!, ['a', 'b', 'y']).line).toBe(2);
  });

  it('counts the byte order mark and Windows line ends as nothing', () => {
    const { root } = parse('\uFEFFa: 1\r\nb: 2\r\n');
    expect(plain(root)).toEqual({ a: 1, b: 2 });
    expect(positionOf(root!, ['b'])).toEqual({ file: 'f.yaml', line: 2, column: 1 });
  });

  it('has no root for a text without content', () => {
    for (const text of ['', '\n\n', '# only a comment\n', '---\n']) {
      expect(parse(text).faults).toEqual([]);
      expect(plain(parse(text).root) ?? null).toBeNull();
    }
  });

  it('follows aliases, anchors that are set again, and merge keys', () => {
    const text =
      'a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3\ne: *x\nf: &x [4]\ng: *x\nh:\n  <<: [{p: 1, q: 1}, {q: 2}]\n';
    expect(problems(text)).toEqual([]);
    expect(plain(parse(text).root)).toEqual({
      a: { b: 1, c: 2 },
      d: { b: 1, c: 3 },
      e: { b: 1, c: 2 },
      f: [4],
      g: [4],
      h: { p: 1, q: 1 },
    });
  });

  it('keeps the first of duplicate keys and goes on', () => {
    const { root, faults } = parse('a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n');
    expect(plain(root)).toEqual({ a: 1, b: { c: 1, d: 2 } });
    expect(faults.map((item) => formatProblem(item.problem))).toEqual([
      'f.yaml:5:3: b.c: duplicate key; the first is in line 3',
    ]);
  });

  it.each([
    ['a: [1, 2', /f\.yaml:1:9: YAML: Flow sequence/],
    ['a: b: c', /f\.yaml:1:4: YAML: Nested mappings/],
    ['a:\n\t- b', /f\.yaml:2:1: YAML: Tabs/],
    ['a: "x', /YAML: Missing closing/],
    ['a: 1\n---\nb: 2', /f\.yaml:2:1: YAML: a second document/],
    ['? [a]\n: 1', /f\.yaml:1:3: a key must be a plain word/],
    ['~: 1', /a key must be a plain word/],
    ['__proto__: {x: 1}', /not a key to use/],
    ['a: !!binary aGk=', /YAML type has no meaning/],
    ['a:\n  <<: 1', /only maps can be merged/],
    ['a: *x\nb: &x 1', /f\.yaml:1:4: a: an alias to nothing before it/],
    ['a: &x [*x]', /a part of/],
    ['a: &x\n  b:\n    <<: *x', /a part of/],
  ])('says what is wrong with %j, and where', (text, expected) => {
    expect(problems(text).join('\n')).toMatch(expected);
  });

  it.each([
    'a: !hunter2 x',
    'a: *hunter2',
    'a: "hunter2\\q"',
    'a: "\\qhunter2"',
    'a: |hunter2\n  x',
    'a: @hunter2',
    'a: `hunter2',
    '%hunter2\n---\na: 1',
    'a: "x" hunter2',
    "a: 'x' hunter2: 3",
    'a: [x] hunter2',
    'a: {hunter2',
    'a: %hunter2',
    'a: &hunter2 &hunter2 x',
    ']hunter2',
  ])('repeats nothing of %j', (text) => {
    const said = problems(text);
    expect(said).not.toEqual([]);
    expect(said.join('\n')).not.toContain('hunter2');
  });

  it('refuses alias bombs, circles and deep nesting without following them', () => {
    const bomb = Array.from(
      { length: 40 },
      (_, n) => `b${n}: &b${n} [${Array(9).fill(n === 0 ? 'x' : `*b${n - 1}`)}]`,
    );
    expect(problems(bomb.join('\n')).join()).toMatch(/more than 100000 values/);
    expect(parse(bomb.join('\n')).root).toBeUndefined();
    const deep = `${'a: {'.repeat(1)}${'b: {'.repeat(maxDepth + 1)}${'}'.repeat(maxDepth + 2)}`;
    expect(problems(deep).join()).toMatch(/nested deeper/);
    expect(problems('['.repeat(20_000)).join()).toMatch(/nested deeper/);
    expect(problems('- '.repeat(20_000)).join()).toMatch(/nested deeper/);
  });

  it('refuses a text larger than any configuration', () => {
    expect(problems(`a: ${'x'.repeat(maxTextBytes)}`)).toEqual(['f.yaml:1:1: larger than 1048576 bytes']);
  });

  it('makes no prototype of what a file says', () => {
    const { root } = parse('constructor: 1\ntoString: 2\n');
    expect(plain(root)).toEqual({ constructor: 1, toString: 2 });
  });
});
