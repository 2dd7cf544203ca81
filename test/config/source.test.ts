import { describe, expect, it } from '@jest/globals';
import { formatProblem } from '../../config/problem.ts';
import { keysAt, problemAt } from '../../config/source.ts';
import { load, named } from './load.ts';

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
