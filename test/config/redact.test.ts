import { describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import {
  durationMs,
  grpcTarget,
  headers,
  httpUrl,
  listenAddress,
  secret,
  section,
  sizeBytes,
} from '../../config/fields.ts';
import { redact } from '../../config/redact.ts';

const schema = section({
  timeout: durationMs().prefault('90s'),
  max: z.union([sizeBytes(), z.literal('auto')]).prefault('64MiB'),
  listen: listenAddress().prefault(':4318'),
  to: grpcTarget().prefault('unix:/run/x'),
  url: httpUrl().prefault('https://h/in?key=hunter2'),
  token: secret().optional(),
  headers: headers().prefault({}),
  list: z.array(section({ every: durationMs() })).default([]),
  n: z.number().default(90_000),
});

const value = schema.parse({ token: 'hunter2', headers: { a: 'hunter2' }, list: [{ every: '500ms' }] });

describe('redact', () => {
  it('writes secrets as such, and durations, sizes and addresses as a user would', () => {
    expect(redact(value, schema)).toEqual({
      timeout: '1m30s',
      max: '64MiB',
      listen: ':4318',
      to: 'unix:/run/x',
      url: 'https://h/in?[redacted]',
      token: '[redacted]',
      headers: { a: '[redacted]' },
      list: [{ every: '500ms' }],
      n: 90_000,
    });
  });

  it('shows no secret without a schema either', () => {
    expect(JSON.stringify(redact({ a: [value.token], b: value.headers }))).not.toContain('hunter2');
  });

  it('shows no secret that stands in the input of a schema', () => {
    expect(JSON.stringify(redact({ token: 'hunter2', headers: { a: 'hunter2' } }, schema))).not.toContain(
      'hunter2',
    );
  });

  it('gives that from which, secrets apart, the same configuration comes again', () => {
    const plain = schema.parse({ list: [{ every: '1h' }], url: 'https://h' });
    expect(redact(plain, schema)).toMatchObject({ timeout: '1m30s' });
    expect(schema.parse(redact(plain, schema))).toEqual(plain);
  });
});
