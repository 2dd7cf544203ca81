import { describe, expect, it } from '@jest/globals';
import { positionOf } from '../../config/node.ts';
import { load, named, plain } from './load.ts';

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
