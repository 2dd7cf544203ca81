// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the references under test are written so.
// Whatever stands in files, options and the environment: a value, or a ConfigError that shows no secret.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import * as z from 'zod';
import {
  durationMs,
  headers,
  httpUrl,
  listenAddress,
  secret,
  section,
  sizeBytes,
} from '../../config/fields.ts';
import { ConfigError } from '../../config/problem.ts';
import { redact } from '../../config/redact.ts';
import { loadConfig } from '../../config/source.ts';
import { clientTlsSchema } from '../../config/tls.ts';
import { validateAt } from '../../config/validate.ts';
import { unwrap } from './load.ts';

const component = section({
  endpoint: httpUrl().optional(),
  listen: listenAddress().optional(),
  timeout: durationMs().prefault('1s'),
  size: z.union([sizeBytes(), z.literal('auto')]).optional(),
  headers: headers().prefault({}),
  token: secret().optional(),
  tls: clientTlsSchema.prefault({}),
});
const whole = z.strictObject({
  exporters: z.record(z.string(), component).optional(),
  a: z.unknown(),
  b: component.optional(),
});

// biome-ignore format: a line per word would hide the rest
const words = [
  'exporters',
  'otlp',
  'endpoint',
  'listen',
  'timeout',
  'size',
  'headers',
  'token',
  'tls',
  'insecure',
  'key_pem',
  'a',
  'b',
  '${env:S}',
  '${S}',
  '${env:NO}',
  '${NO:-1}',
  '${file:x}',
  '${',
  '}',
  '$$',
  '$',
  '10s',
  '64MiB',
  'https://h',
  ':1',
  '1',
  '-1',
  'true',
  '~',
  '"',
  "'",
  ':',
  ': ',
  '- ',
  '? ',
  ', ',
  '\n',
  '\n  ',
  '\n    ',
  '\t',
  '{',
  '}',
  '[',
  ']',
  '&x ',
  '*x',
  '<<: ',
  '|',
  '>',
  '!t ',
  '!!str ',
  '#',
  ' # c',
  '---',
  '...',
  '%',
  '@',
  '`',
  '\\',
  '\u0000',
  '\uFEFF',
  '\u2028',
  'é',
  '__proto__',
  '.nan',
];
const text = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.array(fc.constantFrom(...words), { maxLength: 40 }).map((parts) => parts.join('')),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
);

/** Indented as YAML is, so that much of it can be read and reaches the schema. */
const block: fc.Arbitrary<string> = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.constantFrom(...words), fc.constantFrom(...words)), {
    maxLength: 12,
  })
  .map((lines) => lines.map(([depth, key, value]) => `${'  '.repeat(depth)}${key}: ${value}`).join('\n'));

const hidden = 'hunter2-hunter2';

function attempt(files: readonly string[], sets: readonly string[], env: Record<string, string>): string {
  try {
    const source = loadConfig({
      files: files.map((content, index) => ({ name: `f${index}`, text: content })),
      sets,
      env,
      readText: () => ({ ok: true, value: hidden }),
    });
    validateAt(source, ['exporters', 'otlp'], component);
    const value = unwrap(validateAt(source, [], whole));
    return JSON.stringify(redact({ ...value, a: undefined }, whole));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expect(error.problems.length).toBeGreaterThan(0);
    expect(error.code).toBe('HF_CONFIG_INVALID');
    return `${error.message}\n${JSON.stringify(error.problems)}`;
  }
}

describe('a configuration of any kind', () => {
  it('is a value or a ConfigError, and shows nothing of what was substituted', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(text, block), { maxLength: 2 }),
        fc.array(text, { maxLength: 1 }),
        (files, sets) => {
          expect(attempt(files, sets, { S: hidden })).not.toContain(hidden);
        },
      ),
      { numRuns: 1000, interruptAfterTimeLimit: 2000 },
    );
  });

  it('ends well whatever the environment holds', () => {
    const file =
      'exporters: {otlp: {token: "${S}", timeout: "${S}", tls: {insecure: "${S}"}, endpoint: "${S}"}}\nb: ${S}\n';
    fc.assert(
      fc.property(fc.oneof(text, block), (value) => {
        attempt([file], [], { S: value });
      }),
      { numRuns: 400, interruptAfterTimeLimit: 1500 },
    );
  });
});
