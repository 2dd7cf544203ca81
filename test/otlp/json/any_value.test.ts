import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { JsonAnyValueWriter } from '../../../otlp/json/any_value.ts';
import { requestToObject } from '../../../otlp/json/from_protobuf.ts';
import { JsonScanner } from '../../../otlp/json/scanner.ts';
import { LogWriter } from '../../../otlp/log_writer.ts';
import { MalformedOtlp } from '../../../otlp/malformed.ts';
import { walk } from '../../../otlp/walk.ts';

const BODY = 0x2a;
const log = new LogWriter(2 ** 22);
const scanner = new JsonScanner();
const values = new JsonAnyValueWriter(scanner, log.out);

/** The body of a record as OTLP/JSON, after the walk has found the request well formed. */
function anyValueOf(json: string): unknown {
  scanner.read(Buffer.from(json));
  log.finish();
  log.beginRecord(0);
  log.out.byte(BODY);
  values.write(4);
  log.endRecord();
  const { bytes } = log.finish()!;
  expect(walk('logs', bytes).items).toBe(1);
  const request = requestToObject('logs', bytes) as {
    resourceLogs: { scopeLogs: { logRecords: { body: unknown }[] }[] }[];
  };
  return request.resourceLogs[0]!.scopeLogs[0]!.logRecords[0]!.body;
}

/** What it must be, by another way. */
function expected(value: unknown): unknown {
  if (value === null) return {};
  if (typeof value === 'string') return { stringValue: value.toWellFormed() };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') {
    const text = JSON.stringify(value);
    return /^-?\d+$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text)
      ? { intValue: text }
      : { doubleValue: value };
  }
  const list = Array.isArray(value)
    ? value.map(expected)
    : Object.entries(value as object).map(([key, each]) => ({
        key: key.toWellFormed(),
        value: expected(each),
      }));
  const values = list.length > 0 ? { values: list } : {};
  return Array.isArray(value) ? { arrayValue: values } : { kvlistValue: values };
}

describe('a JSON value as AnyValue', () => {
  it('says what the JSON says', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const json = JSON.stringify(value);
        expect(anyValueOf(json)).toEqual(expected(JSON.parse(json)));
      }),
      { seed: 8, numRuns: 400 },
    );
  });

  it.each([
    ['9223372036854775807', { intValue: '9223372036854775807' }],
    ['-9223372036854775808', { intValue: '-9223372036854775808' }],
    ['9223372036854775808', { doubleValue: 2 ** 63 }],
    ['-0', { doubleValue: '-0' }],
    ['1.0', { doubleValue: 1 }],
    ['1e3', { doubleValue: 1000 }],
    ['"\\ud83d\\ude00\\n\\u0000"', { stringValue: '😀\n\0' }],
    [
      '{"a":1,"a":2}',
      {
        kvlistValue: {
          values: [
            { key: 'a', value: { intValue: '1' } },
            { key: 'a', value: { intValue: '2' } },
          ],
        },
      },
    ],
  ])('%s', (json, value) => {
    expect(anyValueOf(json)).toEqual(value);
  });

  it('takes long texts and lists, whose lengths need more bytes', () => {
    const value = {
      a: 'x'.repeat(70_000),
      b: Array.from({ length: 20_000 }, (_, i) => ({ i })),
      c: `é${'"'.repeat(300)}`,
    };
    expect(anyValueOf(JSON.stringify(value))).toEqual(expected(value));
  });

  it.each([
    ['{"user":{"tags":["a","b",tru]}}', 'user.tags[2]', 'no JSON value'],
    ['{"a":1e999}', 'a', 'a number that is too large for a double'],
    ['{"a":{"b":"\\x"}}', 'a.b', 'an escape that does not exist'],
    ['[1 2]', '[0]', 'expected a comma or the end of the array, found a number'],
    ['', '', 'expected a value, found the end of the body'],
  ])('refuses %s at %j', (json, path, reason) => {
    let thrown: unknown;
    try {
      anyValueOf(json);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(MalformedOtlp);
    expect([values.path(), (thrown as MalformedOtlp).reason]).toEqual([path, reason]);
  });

  it('nests no deeper than what can be shown again', () => {
    const objects = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
    expect(() => anyValueOf(objects(32))).not.toThrow();
    expect(() => anyValueOf(objects(33))).toThrow(/nested too deeply/);
    expect(() => anyValueOf(`${'['.repeat(100_000)}`)).toThrow(/nested too deeply/);
  });
});
