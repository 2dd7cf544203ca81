import { describe, expect, it } from '@jest/globals';
import { formatPath } from '../../config/node.ts';

describe('formatPath', () => {
  it.each<[(string | number)[], string]>([
    [[], ''],
    [['a', 'b'], 'a.b'],
    [['exporters', 'otlp_http/cloud', 'endpoint'], 'exporters.otlp_http/cloud.endpoint'],
    [['a', 0, 'b', 12], 'a[0].b[12]'],
    [['headers', 'x.y'], 'headers["x.y"]'],
    [['a b'], '["a b"]'],
    [['', 'x'], '[""].x'],
    [['quo"te'], '["quo\\"te"]'],
    [['ü'], 'ü'],
  ])('writes %j as %s', (path, text) => {
    expect(formatPath(path)).toBe(text);
  });
});
