import { describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import {
  deprecated,
  durationMs,
  fieldMeta,
  filePath,
  grpcTarget,
  headers,
  httpUrl,
  listenAddress,
  secret,
  section,
  sectionOf,
  sizeBytes,
} from '../../config/fields.ts';
import { Secret } from '../../config/secret.ts';

const said = (schema: z.ZodType, value: unknown): string | undefined =>
  schema.safeParse(value).error?.issues[0]?.message;

describe('fields', () => {
  it('turn what a user writes into the type that the code uses', () => {
    expect(durationMs().parse('1m30s')).toBe(90_000);
    expect(durationMs().parse(0)).toBe(0);
    expect(sizeBytes().parse('64MiB')).toBe(67_108_864);
    expect(sizeBytes().parse(4096)).toBe(4096);
    expect(listenAddress().parse(':4318')).toEqual({ kind: 'tcp', host: '', port: 4318 });
    expect(grpcTarget().parse('[::1]:1')).toBe('[::1]:1');
    expect(httpUrl().parse('https://host/')).toBe('https://host');
    expect(secret().parse('s').reveal()).toBe('s');
    expect(filePath().parse('/a')).toBe('/a');
  });

  it('take defaults in their own type and, with prefault, in words', () => {
    const schema = section({
      a: durationMs().default(10_000),
      b: durationMs().prefault('10s'),
      c: sizeBytes().prefault('1KiB'),
      d: durationMs().optional(),
    });
    const value = schema.parse({});
    const milliseconds: number = value.a;
    expect({ ...value, a: milliseconds }).toEqual({ a: 10_000, b: 10_000, c: 1024 });
  });

  it('hold their limits, and say them as a user would write them', () => {
    const timeout = durationMs({ min: 1000, max: 3_600_000 });
    expect(timeout.parse('1s')).toBe(1000);
    expect(said(timeout, '999ms')).toBe('must be at least 1s');
    expect(said(timeout, '61m')).toBe('must be at most 1h');
    expect(said(sizeBytes({ min: 1 }), 0)).toBe('must be at least 1B');
    expect(said(sizeBytes({ max: 1024 }), '1MiB')).toBe('must be at most 1KiB');
  });

  it.each<[string, z.ZodType, unknown]>([
    ['a duration without a unit', durationMs(), 10],
    ['a negative duration', durationMs(), '-1s'],
    ['a duration that is a list', durationMs(), []],
    ['a size that is true', sizeBytes(), true],
    ['port 0 to connect to', grpcTarget(), 'h:0'],
    ['no host to connect to', grpcTarget(), ':4318'],
    ['a URL without a scheme', httpUrl(), 'host:4318'],
    ['an empty secret, behind which all would be open', secret(), ''],
    ['a secret that is a number', secret(), 12],
    ['an empty path', filePath(), ''],
    ['a path with a NUL', filePath(), 'a\0b'],
    ['a header name with a space', headers(), { 'a b': 'x' }],
    ['a header value that adds a header', headers(), { a: 'x\r\nb: y' }],
  ])('refuse %s', (_what, schema, value) => {
    expect(schema.safeParse(value).success).toBe(false);
  });

  it('keep header values opaque, empty ones too', () => {
    const value = headers().parse({ authorization: 'Bearer x', 'x-empty': '' });
    expect(value['authorization']).toBeInstanceOf(Secret);
    expect(value['x-empty']!.reveal()).toBe('');
    expect(JSON.stringify(value)).not.toContain('Bearer');
  });

  it('repeat no value in what they say', () => {
    const schemas = [
      durationMs(),
      sizeBytes(),
      listenAddress(),
      grpcTarget(),
      httpUrl(),
      filePath(),
      headers(),
    ];
    for (const value of [
      'hunter2',
      'hunter2\0',
      'http://hunter2:x@y',
      'hunter2:hunter2',
      '1hunter2',
      { hunter2: 'hunter2\n' },
    ]) {
      for (const schema of schemas) {
        const issues = schema.safeParse(value).error?.issues ?? [];
        expect(issues.map((issue) => issue.message).join()).not.toContain('hunter2');
      }
    }
  });

  it('read an empty section as all its defaults, and know it from an absent one', () => {
    const protocols = section({
      grpc: section({ endpoint: listenAddress().prefault('127.0.0.1:4317') }).optional(),
      http: section({ endpoint: listenAddress().prefault('127.0.0.1:4318') }).optional(),
    });
    expect(protocols.parse({ grpc: null })).toEqual({
      grpc: { endpoint: { kind: 'tcp', host: '127.0.0.1', port: 4317 } },
    });
    expect(protocols.parse(null)).toEqual({});
    expect(section({ a: section({ b: z.number().default(1) }).prefault({}) }).parse({})).toEqual({
      a: { b: 1 },
    });
  });

  it('refuse unknown keys in a section', () => {
    expect(section({ a: z.number().optional() }).safeParse({ b: 1 }).success).toBe(false);
    expect(
      sectionOf(z.strictObject({ a: z.number() }).refine((value) => value.a > 1)).safeParse({ a: 1 }).success,
    ).toBe(false);
  });

  it('keep what is known of them through refinements', () => {
    expect(fieldMeta.get(durationMs().refine((value) => value > 1))?.kind).toBe('duration');
    expect(fieldMeta.get(secret().refine(() => true))?.opaque).toBe(true);
    const old = deprecated(durationMs(), 'write timeout');
    expect(fieldMeta.get(old)).toMatchObject({ kind: 'duration', deprecated: 'write timeout' });
    expect(old.parse('1s')).toBe(1000);
  });

  it('can be told in JSON Schema as what a user writes', () => {
    const schema = section({
      timeout: durationMs().prefault('10s'),
      max: sizeBytes(),
      token: secret().optional(),
    });
    expect(z.toJSONSchema(schema, { io: 'input' })).toMatchObject({
      type: 'object',
      required: ['max'],
      properties: { timeout: { default: '10s' }, max: {}, token: { type: 'string' } },
    });
  });
});
