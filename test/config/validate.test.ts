// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the references under test are written so.
import { describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import {
  deprecated,
  durationMs,
  headers,
  httpUrl,
  listenAddress,
  secret,
  section,
  sizeBytes,
} from '../../config/fields.ts';
import { ConfigError, formatProblem, type Problem } from '../../config/problem.ts';
import { loadConfig } from '../../config/source.ts';
import { clientTlsSchema } from '../../config/tls.ts';
import { type Result, validateAt } from '../../config/validate.ts';
import { unwrap } from './load.ts';

const exporter = section({
  endpoint: httpUrl(),
  timeout: durationMs({ min: 1 }).prefault('10s'),
  max_size: z.union([sizeBytes(), z.literal('auto')]).default('auto'),
  compression: z.enum(['gzip', 'zstd', 'none']).default('gzip'),
  headers: headers().prefault({}),
  auth: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('bearer'), token: secret() }),
      z.strictObject({ type: z.literal('basic'), user: z.string(), password: secret() }),
    ])
    .optional(),
  tls: clientTlsSchema.prefault({}),
  retries: z.number().int().min(1).max(10).default(3),
  names: z.array(z.string()).min(1).optional(),
  queue: section({ size: sizeBytes().prefault('1MiB') }).optional(),
  old: deprecated(z.number().optional(), 'write retries'),
});
const base = 'exporters:\n  otlp_http/cloud:\n';
const path = ['exporters', 'otlp_http/cloud'];

function check<T>(body: string, schema: z.ZodType<T>, env: Record<string, string> = {}): Result<T> {
  const text = base + body.replace(/^(?=.)/gm, '    ');
  return validateAt(loadConfig({ files: [{ name: 'f.yaml', text }], env }), path, schema);
}

function said(body: string, env: Record<string, string> = {}): string[] {
  const result = check(body, exporter, env);
  return result.ok ? [] : new ConfigError(result.problems).problems.map(formatProblem);
}

function problemOf(line: string): Problem {
  const needed = line.startsWith('endpoint') ? '' : 'endpoint: http://h\n';
  const result = check(`${needed}${line}`, exporter);
  if (result.ok) throw new Error(`nothing is wrong with ${line}`);
  expect(result.problems).toHaveLength(1);
  return result.problems[0]!;
}

describe('validateAt', () => {
  it('gives the typed value, with defaults, frozen to its depths', () => {
    const value = unwrap(check('endpoint: https://h/\ntimeout: 5s\nqueue:\n', exporter));
    const timeout: number = value.timeout;
    expect(timeout).toBe(5000);
    expect(value).toMatchObject({ endpoint: 'https://h', max_size: 'auto', queue: { size: 2 ** 20 } });
    expect(() => Object.assign(value.queue!, { size: 1 })).toThrow(TypeError);
    expect(() => Object.assign(value, { timeout: 1 })).toThrow(TypeError);
  });

  it('tells all that is wrong at once, each with its place', () => {
    expect(
      said(
        [
          'endpont: http://h',
          'timeout: 10x',
          'max_size: 12Q',
          'compression: gzpi',
          'headers: Bearer abc',
          'tls: {insecure: "no", min_version: 1.3}',
          'retries: 0',
          'retries: 5',
          'names: [a, 1]',
          'queue: ${env:NO}',
        ].join('\n'),
      ),
    ).toEqual([
      'f.yaml:2:3: exporters.otlp_http/cloud.endpoint: required, but missing; expected a URL such as https://host:4318',
      'f.yaml:3:5: exporters.otlp_http/cloud.endpont: unknown key; did you mean "endpoint"? expected one of endpoint, timeout, max_size, compression, headers, auth, tls, retries, names, queue, old, found "endpont"',
      'f.yaml:4:5: exporters.otlp_http/cloud.timeout: unknown unit; the units are ns, us, ms, s, m, h and d; expected a duration such as 10s, 500ms or 1m30s, found "10x"',
      'f.yaml:5:5: exporters.otlp_http/cloud.max_size: unknown unit; the units are B, kB, MB, GB, TB (1000) and KiB, MiB, GiB, TiB (1024); expected a size such as 64MiB, 10MB or a number of bytes or auto, found "12Q"',
      'f.yaml:6:5: exporters.otlp_http/cloud.compression: unknown value; did you mean "gzip"? expected one of gzip, zstd, none, found "gzpi"',
      'f.yaml:7:5: exporters.otlp_http/cloud.headers: wrong type; expected a map, found a text',
      'f.yaml:8:11: exporters.otlp_http/cloud.tls.insecure: wrong type; expected true or false, found "no"',
      'f.yaml:8:27: exporters.otlp_http/cloud.tls.min_version: wrong type; put it in quotes; expected one of 1.2, 1.3, found 1.3',
      'f.yaml:9:5: exporters.otlp_http/cloud.retries: out of range; expected at least 1, found 0',
      'f.yaml:10:5: exporters.otlp_http/cloud.retries: duplicate key; the first is in line 9',
      'f.yaml:11:16: exporters.otlp_http/cloud.names[1]: wrong type; put it in quotes; expected a text, found 1',
      'f.yaml:12:12: exporters.otlp_http/cloud.queue: the environment variable NO is not set; ${env:NO:-default} would give it a default',
    ]);
  });

  it('gives each fact of a problem by itself, for machines', () => {
    expect(problemOf('tiemout: 5s')).toEqual({
      severity: 'error',
      file: 'f.yaml',
      line: 4,
      column: 5,
      path: 'exporters.otlp_http/cloud.tiemout',
      message: 'unknown key',
      expected: expect.stringContaining('timeout'),
      found: '"tiemout"',
      suggestion: 'timeout',
    });
  });

  it('does not propose a key that is there already', () => {
    expect(problemOf('timeout: 5s\ntimeouts: 5s').suggestion).toBeUndefined();
  });

  it.each([
    ['auth: {type: beerer, token: x}', 'exporters.otlp_http/cloud.auth.type', 'one of bearer, basic'],
    ['auth: {type: bearer}', 'exporters.otlp_http/cloud.auth.token', 'a secret, as text'],
    [
      'auth: {type: basic, usr: x, user: a, password: b}',
      'exporters.otlp_http/cloud.auth.usr',
      'one of type',
    ],
    ['retries: 1.5', 'exporters.otlp_http/cloud.retries', 'a whole number'],
    ['retries: 11', 'exporters.otlp_http/cloud.retries', 'at most 10'],
    ['retries: .nan', 'exporters.otlp_http/cloud.retries', 'a number'],
    ['names: []', 'exporters.otlp_http/cloud.names', 'at least 1 items'],
    ['names: a', 'exporters.otlp_http/cloud.names', 'a list'],
    ['queue: [1]', 'exporters.otlp_http/cloud.queue', 'a map'],
    ['queue: {size: yes}', 'exporters.otlp_http/cloud.queue.size', 'a size'],
    [
      'max_size: true',
      'exporters.otlp_http/cloud.max_size',
      'a size such as 64MiB, 10MB or a number of bytes or auto',
    ],
    ['endpoint: 4318', 'exporters.otlp_http/cloud.endpoint', 'a URL'],
  ])('tells for %s what was expected at %s', (line, where, expected) => {
    const found = problemOf(line);
    expect(found.path).toBe(where);
    expect(found.expected).toContain(expected);
  });

  it('says of a header name what is wrong with it', () => {
    expect(problemOf('headers: {"a b": x}')).toMatchObject({
      path: 'exporters.otlp_http/cloud.headers["a b"]',
      message: 'not a key to use here: not a header name',
    });
  });

  it('counts a body that is empty or absent as a map without keys', () => {
    const schema = section({ a: z.number().default(1) });
    const source = loadConfig({ files: [{ name: 'f', text: 'x:\n  otlp:\n' }], env: {} });
    expect(unwrap(validateAt(source, ['x', 'otlp'], schema))).toEqual({ a: 1 });
    expect(unwrap(validateAt(source, ['x', 'nope'], z.strictObject({ a: z.number().default(2) })))).toEqual({
      a: 2,
    });
    expect(unwrap(validateAt(source, ['buffer', 'deep'], schema))).toEqual({ a: 1 });
  });

  it('reads a key without a value as its default, or as missing', () => {
    const value = unwrap(
      check('endpoint: http://h\ntimeout:\ncompression: ~\nnames: null\nheaders:\n', exporter),
    );
    expect(value).toMatchObject({ timeout: 10_000, compression: 'gzip', headers: {} });
    expect(problemOf('endpoint:\n')).toMatchObject({
      message: 'required, but missing',
      found: 'nothing',
      line: 3,
      path: 'exporters.otlp_http/cloud.endpoint',
    });
  });

  it('ends in a ConfigError with every problem, by line', () => {
    const result = check('retries: 0\nnames: 1\n', exporter);
    let error: unknown;
    try {
      unwrap(result);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ code: 'HF_CONFIG_INVALID', retryable: false });
    expect((error as ConfigError).problems.map((item) => item.line)).toEqual([2, 3, 4]);
    expect((error as ConfigError).message.split('\n')).toHaveLength(3);
  });
});

describe('what was substituted', () => {
  const withText = section({
    text: z.string().optional(),
    token: secret().optional(),
    n: z.number().optional(),
  });

  it.each([
    '0123',
    'true',
    'null',
    '',
    '1e9',
    '[a]',
    '{a: b}',
    'a: b',
    '#c',
    '~',
    '0x1F',
    '*x',
    'multi\nline',
  ])('is %j as it stands where a text is wanted', (text) => {
    expect(unwrap(check('text: ${env:X}', withText, { X: text })).text).toBe(text);
    if (text === '') return;
    expect(unwrap(check('token: ${env:X}', withText, { X: text })).token!.reveal()).toBe(text);
  });

  it('is what YAML reads where that is wanted', () => {
    expect(unwrap(check('n: ${env:X}\ntext: ${env:X}', withText, { X: '12' }))).toMatchObject({
      n: 12,
      text: '12',
    });
    expect(unwrap(check('n: ${env:X}', withText, { X: '' })).n).toBeUndefined();
  });

  it('is read as text in many places of one part, at several depths', () => {
    const deep = section({ a: z.record(z.string(), z.array(withText)) });
    const value = unwrap(
      check('a: {x: [{text: "${X}"}, {text: "${X}", token: "${X}"}], y: [{n: "${X}"}]}', deep, { X: '7' }),
    );
    expect(value.a['x']![1]).toMatchObject({ text: '7' });
    expect(value.a['y']![0]).toMatchObject({ n: 7 });
  });

  it('may not be an empty secret, behind which all would stand open', () => {
    expect(check('token: ${env:X}', withText, { X: '' }).ok).toBe(false);
    expect(check('token:', withText).ok).toBe(false);
    expect(check('token: ""', withText).ok).toBe(false);
  });

  it('is judged where it came out wrong, without being shown', () => {
    const lines = said('endpoint: http://h\nretries: ${env:X}\ntimeout: ${env:X}\ncompression: x${env:X}', {
      X: 'hunter2',
    });
    expect(lines).toHaveLength(3);
    expect(lines.join()).not.toContain('hunter2');
    expect(lines.join()).toContain('found a text from a reference');
  });

  it('leaves no trail of follow-up problems where it could not be had', () => {
    expect(said('endpoint: ${env:A}\nheaders: ${env:B}\nretries: x${env:C}y')).toEqual([
      expect.stringContaining('variable A is not set'),
      expect.stringContaining('variable B is not set'),
      expect.stringContaining('variable C is not set'),
    ]);
    const source = loadConfig({ files: [{ name: 'f', text: 'a: ${env:NO}' }], env: {} });
    const result = validateAt(source, ['a'], exporter);
    expect(result.ok ? [] : result.problems).toHaveLength(1);
  });

  it('fails every part that it is a part of, and no other', () => {
    const source = loadConfig({ files: [{ name: 'f', text: 'a: {b: "${env:NO}"}\nc: {b: x}' }], env: {} });
    const schema = z.unknown();
    expect(validateAt(source, [], schema).ok).toBe(false);
    expect(validateAt(source, ['a'], schema).ok).toBe(false);
    expect(validateAt(source, ['a', 'b', 'deeper'], schema).ok).toBe(false);
    expect(validateAt(source, ['c'], schema).ok).toBe(true);
  });
});

describe('secrets', () => {
  it.each([
    'auth: {type: bearer, token: [hunter2]}',
    'auth: {type: bearer, tokn: hunter2, token: x}',
    'auth: hunter2',
    'auth: [hunter2]',
    'headers: hunter2',
    'headers: [hunter2]',
    'headers: {a: {b: hunter2}}',
    'headers: {a: "x\\nhunter2"}',
    'endpoint: https://me:hunter2@host',
    'endpoint: ["hunter2"]',
    'endpoint: https://host/?k=hunter2#x',
    'tls: {key_pem: {x: hunter2}}',
    'tls: hunter2',
  ])('do not show in what is said of %s', (line) => {
    const lines = said(`${line.startsWith('endpoint') ? '' : 'endpoint: http://h\n'}${line}`);
    expect(lines).not.toEqual([]);
    expect(lines.join('\n')).not.toContain('hunter2');
  });

  it('do not show where the schema cannot be looked into', () => {
    const opaque = z.record(z.string(), z.unknown()).refine((value) => value['a'] !== 'hunter2', {
      path: ['a'],
      error: 'not that one',
    });
    const result = check('a: hunter2', z.custom<unknown>(() => true).pipe(opaque));
    expect(result.ok ? '' : formatProblem(result.problems[0]!)).toBe(
      'f.yaml:3:5: exporters.otlp_http/cloud.a: not that one; found a text',
    );
  });
});

describe('warnings', () => {
  it('come with a good value and with problems alike, at their places', () => {
    const good = check('endpoint: http://h\nold: 1', exporter);
    const bad = check('old: 1', exporter);
    expect(good.ok).toBe(true);
    expect(bad.ok).toBe(false);
    expect(good.warnings.map(formatProblem)).toEqual([
      'f.yaml:4:5: exporters.otlp_http/cloud.old: warning: deprecated: write retries',
    ]);
    expect(bad.warnings).toHaveLength(1);
  });

  it('reach into lists and records', () => {
    const schema = section({
      a: z.array(z.record(z.string(), section({ old: deprecated(z.number(), 'write new') }))),
    });
    const result = check('a: [{x: {old: 1}}]', schema);
    expect(result.warnings.map((item) => item.path)).toEqual(['exporters.otlp_http/cloud.a[0].x.old']);
  });
});

describe('an address', () => {
  it('is not taken for a text that lacks quotes', () => {
    const result = check('listen: 4318', section({ listen: listenAddress() }));
    expect(result.ok ? '' : formatProblem(result.problems[0]!)).toContain('wrong type; expected host:port');
  });
});
