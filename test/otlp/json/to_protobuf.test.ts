import { describe, expect, it } from '@jest/globals';
import { requestToJson } from '../../../otlp/json/from_protobuf.ts';
import { JsonTranscoder } from '../../../otlp/json/to_protobuf.ts';
import { MalformedOtlp } from '../../../otlp/malformed.ts';
import { OtlpTooLarge } from '../../../otlp/protobuf_writer.ts';
import type { Signal } from '../../../otlp/signal.ts';
import { walk } from '../../../otlp/walk.ts';
import { requestType } from '../proto/types.ts';

const transcoder = new JsonTranscoder(2 ** 24);

interface Decoded {
  readonly resourceSpans: { readonly scopeSpans: { readonly spans: unknown[] }[] }[];
  readonly resourceLogs: { readonly scopeLogs: { readonly logRecords: { readonly body: unknown }[] }[] }[];
}

/** What protobufjs reads in the result. */
function decoded(signal: Signal, json: string): Decoded {
  const type = requestType[signal];
  const bytes = transcoder.transcode(signal, Buffer.from(json));
  return type.toObject(type.decode(bytes), { longs: String, bytes: String }) as Decoded;
}

function fault(json: string | Buffer, signal: Signal = 'traces'): MalformedOtlp {
  try {
    transcoder.transcode(signal, Buffer.from(json));
  } catch (error) {
    if (error instanceof MalformedOtlp) return error;
    throw error;
  }
  throw new Error('it was taken');
}

const inSpan = (members: string): string => `{"resourceSpans":[{"scopeSpans":[{"spans":[{${members}}]}]}]}`;
const inBody = (value: string): string =>
  `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":${value}}]}]}]}`;
const span = (members: string): unknown =>
  decoded('traces', inSpan(members)).resourceSpans[0]?.scopeSpans[0]?.spans[0];
const body = (value: string): unknown =>
  decoded('logs', inBody(value)).resourceLogs[0]?.scopeLogs[0]?.logRecords[0]?.body;

/** `levels` attribute values within each other, three messages each. */
function nested(levels: number): string {
  const open = '{"kvlistValue":{"values":[{"value":'.repeat(levels);
  return inBody(`${open}{"intValue":"1"}${'}]}}'.repeat(levels)}`);
}

describe('a request in JSON', () => {
  it('may be empty', () => {
    for (const json of ['{}', ' \r\n\t{ } ', '{"resourceSpans":[]}', '{"resourceSpans":null}']) {
      expect(transcoder.transcode('traces', Buffer.from(json))).toHaveLength(0);
    }
  });

  it('gives a view that stands until the next one', () => {
    const first = transcoder.transcode('traces', Buffer.from(inSpan('"name":"first"')));
    const copy = Buffer.from(first);
    expect(first).toEqual(copy);
    transcoder.transcode('traces', Buffer.from(inSpan('"name":"other"')));
    expect(first).not.toEqual(copy);
  });

  it('is read after one that was refused as if nothing had been', () => {
    fault('{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"},{"name":1}]}]}]}');
    expect(span('"name":"b"')).toEqual({ name: 'b' });
  });

  it('ignores keys that it does not know, whatever their values', () => {
    const unknown = '"later":{"a":[1,-2.5e3,"\\u0041\\"",true,false,null,{"name":"no"}],"":{}},"x":"y"';
    expect(span(`${unknown},"name":"a",${unknown}`)).toEqual({ name: 'a' });
  });

  it('knows lowerCamelCase only, not the names of the .proto files', () => {
    expect(span('"name":"a","trace_state":"b","TraceState":"c","dropped_links_count":1')).toEqual({
      name: 'a',
    });
  });

  it('knows keys that are written with escapes', () => {
    expect(span('"na\\u006De":"a","n\\u00e4me":"b"')).toEqual({ name: 'a' });
  });

  it('ignores what only profiles may set, as the definitions ask', () => {
    const attribute = '{"keyStrindex":3,"value":{"stringValueStrindex":4}}';
    expect(span(`"attributes":[${attribute}]`)).toEqual({ attributes: [{ value: {} }] });
  });

  it('takes null for the default', () => {
    expect(span('"name":null,"kind":null,"events":null,"status":null,"flags":7')).toEqual({ flags: 7 });
  });

  it('refuses null within an array', () => {
    expect(fault(inSpan('"attributes":[{},null]')).message).toBe(
      'resourceSpans[0].scopeSpans[0].spans[0].attributes[1]: expected an object, found null at byte 61',
    );
  });

  it.each([
    ['a value', '"name":"first","name":"last"', { name: 'last' }],
    ['a message', '"status":{"code":2,"message":"m"},"status":{"code":1}', { status: { code: 1 } }],
    [
      'a list',
      '"events":[{"name":"a"},{}],"kind":2,"events":[{"name":"b"}]',
      { events: [{ name: 'b' }], kind: 2 },
    ],
    ['a list by an empty one', '"events":[{"name":"a"}],"events":[],"kind":2', { kind: 2 }],
    ['a value by null', '"name":"first","kind":1,"name":null', { kind: 1 }],
    [
      'one of several',
      '"name":"a","events":[{}],"kind":1,"events":[{},{}],"name":"b","kind":2',
      { events: [{}, {}], name: 'b', kind: 2 },
    ],
    ['one thrice', '"flags":1,"kind":3,"flags":2,"name":"n","flags":3', { kind: 3, name: 'n', flags: 3 }],
  ])('replaces what came before of a key that comes again: %s', (_what, members, expected) => {
    expect(span(members)).toEqual(expected);
  });

  it('takes of a oneof the last value, and leaves nothing of the others', () => {
    expect(body('{"stringValue":"a","intValue":1}')).toEqual({ intValue: '1' });
    expect(body('{"kvlistValue":{"values":[{}]},"boolValue":true,"arrayValue":{}}')).toEqual({
      arrayValue: {},
    });
    const bytes = transcoder.transcode('logs', Buffer.from(inBody('{"stringValue":"gone","intValue":1}')));
    expect(bytes.includes('gone')).toBe(false);
  });

  it('lets null of a oneof take only its own value away', () => {
    expect(body('{"stringValue":"a","intValue":null}')).toEqual({ stringValue: 'a' });
    expect(body('{"stringValue":"a","stringValue":null}')).toEqual({});
  });

  it('keeps the choice of a oneof though the value is a default', () => {
    expect(body('{"intValue":"0"}')).toEqual({ intValue: '0' });
    expect(body('{"boolValue":false}')).toEqual({ boolValue: false });
    expect(body('{"stringValue":""}')).toEqual({ stringValue: '' });
    expect(body('{"bytesValue":""}')).toEqual({ bytesValue: '' });
    expect(body('{}')).toEqual({});
  });

  it('keeps the last of very many', () => {
    const again = ',"kind":1,"events":null,"links":[{}],"kind":2,"links":[],"name":"b"'.repeat(20_000);
    const events = `[${'{},'.repeat(20_000)}{"name":"e"}]`;
    expect(span(`"kind":3,"name":"a","attributes":${events}${again}`)).toMatchObject({ kind: 2, name: 'b' });
  });

  it('takes messages nested 100 deep, which the way back takes too, and refuses more', () => {
    // The body is the fourth message within the request; each level adds three.
    const deepest = 32;
    const bytes = Buffer.from(transcoder.transcode('logs', Buffer.from(nested(deepest))));
    expect(requestToJson('logs', bytes)).toBe(nested(deepest));
    expect(fault(nested(deepest + 1), 'logs').reason).toBe('messages nested more than 100 deep');
    expect(fault(nested(100_000), 'logs').reason).toBe('messages nested more than 100 deep');
  });

  it('refuses unknown values nested without bound, without exhausting the stack', () => {
    const deep = (levels: number): string => `{"x":${'['.repeat(levels)}${']'.repeat(levels)}}`;
    expect(decoded('traces', deep(100))).toEqual({});
    expect(fault(deep(101)).reason).toBe('values nested more than 100 deep');
    expect(fault(`{"x":${'{"a":'.repeat(1_000_000)}`).reason).toBe('values nested more than 100 deep');
  });

  it('counts the same items as the walk of what a client would have sent as protobuf', () => {
    const bytes = transcoder.transcode(
      'traces',
      Buffer.from(inSpan('"name":"a"').replace(']}]}]}', ',{},{}]}]}]}')),
    );
    expect(walk('traces', bytes).items).toBe(3);
  });

  it('is not taken beyond the limit, though its JSON is shorter', () => {
    const point = (n: number): Buffer =>
      Buffer.from(
        `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"histogram":{"dataPoints":[{"explicitBounds":[${'0,'.repeat(n)}0]}]}}]}]}]}`,
      );
    const small = new JsonTranscoder(100_000);
    expect(small.transcode('metrics', point(12_000)).length).toBeLessThanOrEqual(100_000);
    expect(() => small.transcode('metrics', point(40_000))).toThrow(OtlpTooLarge);
    expect(small.transcode('metrics', point(1)).length).toBeGreaterThan(16);
  });

  it('may be far larger than what is kept of memory', () => {
    const name = 'n'.repeat(3_000_000);
    for (let round = 0; round < 2; round++) expect(span(`"name":"${name}"`)).toEqual({ name });
  });
});

describe('a request that is no JSON', () => {
  it.each([
    ['', 'expected an object, found the end of the body at byte 0'],
    ['   ', 'expected an object, found the end of the body at byte 3'],
    ['null', 'expected an object, found null at byte 0'],
    ['[]', 'expected an object, found an array at byte 0'],
    ['{} {}', 'expected the end of the body, found an object at byte 3'],
    ['{', 'expected a key, found the end of the body at byte 1'],
    ['{,}', 'expected a key, found a comma at byte 1'],
    ['{"a":1,}', 'expected a key, found the end of an object at byte 7'],
    ["{'a':1}", 'expected a key, found no JSON value at byte 1'],
    ['{"a" 1}', 'expected a colon, found a number at byte 5'],
    ['{"a":1 "b":2}', 'expected a comma or the end of the object, found a string at byte 7'],
    ['{"a":[1 2]}', 'expected a comma or the end of the array, found a number at byte 8'],
    ['{"a":[1,]}', 'expected a value, found the end of an array at byte 8'],
    ['{"a":}', 'expected a value, found the end of an object at byte 5'],
    ['{"a":01}', 'expected a value, found a number at byte 5'],
    ['{"a":1.}', 'expected a value, found a number at byte 5'],
    ['{"a":.5}', 'expected a value, found no JSON value at byte 5'],
    ['{"a":+1}', 'expected a value, found no JSON value at byte 5'],
    ['{"a":1e}', 'expected a value, found a number at byte 5'],
    ['{"a":NaN}', 'expected a value, found no JSON value at byte 5'],
    ['{"a":tru}', 'no JSON value at byte 5'],
    ['{"a":nul', 'no JSON value at byte 5'],
    ['{"a":truefalse}', 'expected a comma or the end of the object, found false at byte 9'],
    ['{"a":"b', 'a string that does not end at byte 5'],
    ['{"a":"b\\"}', 'a string that does not end at byte 5'],
    ['{"a":"\n"}', 'a control character within a string at byte 6'],
    ['{"a":"\\x"}', 'an escape that does not exist at byte 6'],
    ['{"a":"\\u12g4"}', 'an escape without four hex digits at byte 6'],
    ['{"a":"\\u12', 'an escape without four hex digits at byte 6'],
    ['{"a":1}//', 'expected the end of the body, found no JSON value at byte 7'],
    ['\ufeff{}', 'expected an object, found no JSON value at byte 0'],
    ['{"resourceSpans":{}}', 'resourceSpans: expected an array, found an object at byte 17'],
    [
      '{"resourceSpans":[{}',
      'resourceSpans[0]: expected a comma or the end of the array, found the end of the body at byte 20',
    ],
  ])('is refused with the place and what was expected: %j', (json, message) => {
    expect(fault(json).message).toBe(message);
  });

  it('is refused with the first byte that is not UTF-8', () => {
    const json = Buffer.concat([
      Buffer.from('{"later":"\ufffdä'),
      Buffer.from([0xc3, 0x22]),
      Buffer.from('}'),
    ]);
    expect(fault(json).message).toBe('not UTF-8 at byte 15');
  });

  it('is refused with the path in JSON names, without a byte of what was sent', () => {
    const json = `{"resourceSpans":[{},{"scopeSpans":[{"scope":{"name":"s"},"spans":[{},{"events":[{"name":"ok"}],"kind":"SECRET"}]}]}]}`;
    const { message, code } = fault(json);
    expect(message).toBe(
      `resourceSpans[1].scopeSpans[0].spans[1].kind: expected the integer of an enum value, found a string at byte ${json.indexOf('"SECRET"')}`,
    );
    expect(code).toBe('HF_OTLP_MALFORMED');
  });

  it('is refused with the index within packed values', () => {
    const json =
      '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"histogram":{"dataPoints":[{"bucketCounts":["1",2,-3]}]}}]}]}]}';
    expect(fault(json, 'metrics').message).toBe(
      `resourceMetrics[0].scopeMetrics[0].metrics[0].histogram.dataPoints[0].bucketCounts[2]: expected an integer from 0 to 2^64-1, found another number at byte ${json.indexOf('-3')}`,
    );
  });
});
