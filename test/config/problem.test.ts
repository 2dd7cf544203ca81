import { describe, expect, it } from '@jest/globals';
import { HoldfastError } from '../../config/error.ts';
import { ConfigError, formatProblem, formatProblems, problem } from '../../config/problem.ts';

const at = (file: string, line: number, column = 1) => ({ file, line, column });

describe('formatProblem', () => {
  it('says place, path, message, suggestion, expected and found', () => {
    const item = problem(at('f.yaml', 12, 5), ['exporters', 'otlp_http/cloud', 'endpont'], 'unknown key', {
      expected: 'one of endpoint, timeout',
      found: '"endpont"',
      suggestion: 'endpoint',
    });
    expect(formatProblem(item)).toBe(
      'f.yaml:12:5: exporters.otlp_http/cloud.endpont: unknown key; did you mean "endpoint"? expected one of endpoint, timeout, found "endpont"',
    );
  });

  it('leaves out what there is not', () => {
    expect(formatProblem(problem(at('--set #2', 0, 0), [], 'the = is missing'))).toBe(
      '--set #2: the = is missing',
    );
  });

  it('stays on one line and sends no control characters to a terminal', () => {
    const item = problem(at('f\n', 1), ['a\u001b[31m'], 'x\r\ny', { found: '\u0007' });
    expect(formatProblem(item)).not.toMatch(/\p{Cc}/u);
  });

  it('quotes keys that would not read back', () => {
    expect(problem(at('f', 1), ['headers', 'x.y', 0, 'a b'], 'm').path).toBe('headers["x.y"][0]["a b"]');
  });
});

describe('ConfigError', () => {
  const problems = [
    problem(at('b', 9), ['x'], 'one'),
    problem(at('a', 5), [], 'two'),
    problem(at('b', 2), [], 'three'),
  ];

  it('is an operating error that carries each problem once, in the order of files and lines', () => {
    const error = new ConfigError([...problems, problem(at('b', 9), ['x'], 'one')]);
    expect(error).toBeInstanceOf(HoldfastError);
    expect(error.code).toBe('HF_CONFIG_INVALID');
    expect(error.problems.map((item) => item.message)).toEqual(['three', 'one', 'two']);
    expect(error.message).toBe(formatProblems(problems));
  });
});
