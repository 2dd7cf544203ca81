import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { requestToJson } from '../../../otlp/json/from_protobuf.ts';
import { MalformedOtlp } from '../../../otlp/malformed.ts';
import { signals } from '../../../otlp/signal.ts';
import { mutationArbitrary, requestArbitrary } from '../arbitrary.ts';
import { encode, requestType } from '../proto/types.ts';

const random = { seed: 4711, numRuns: 200 };

/** What OTLP/JSON has otherwise than protobufjs: ids in hex, and the sign of zero. */
function asOtlp(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((each) => asOtlp(each));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, asOtlp(each, name)]));
  }
  if (/^(traceId|spanId|parentSpanId)$/.test(key))
    return Buffer.from(String(value), 'base64').toString('hex');
  return Object.is(value, -0) ? '-0' : value;
}

function logBody(value: object): unknown {
  const bytes = encode(requestType.logs, {
    resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: value }] }] }],
  });
  return JSON.parse(requestToJson('logs', bytes)).resourceLogs[0].scopeLogs[0].logRecords[0].body;
}

function wire(build: (writer: protobuf.Writer) => unknown): Buffer {
  const writer = protobuf.Writer.create();
  build(writer);
  return Buffer.from(writer.finish());
}

/** A logs request whose only record has this body, given as the bytes of an AnyValue. */
function withBody(body: Uint8Array): Buffer {
  const record = wire((w) => w.uint32(42).bytes(body));
  const scope = wire((w) => w.uint32(18).bytes(record));
  return wire((w) => w.uint32(10).bytes(wire((r) => r.uint32(18).bytes(scope))));
}

describe('requestToJson', () => {
  it.each(signals)('agrees with protobufjs on random %s requests', (signal) => {
    const type = requestType[signal];
    fc.assert(
      fc.property(requestArbitrary(signal), (request) => {
        const bytes = encode(type, request);
        const theirs = type.toObject(type.decode(bytes), { longs: String, bytes: String, json: true });
        expect(JSON.parse(requestToJson(signal, bytes))).toEqual(asOtlp(theirs));
      }),
      random,
    );
  });

  it('is one line', () => {
    const bytes = encode(requestType.logs, {
      resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: 'two\nlines\u2028' } }] }] }],
    });
    expect(requestToJson('logs', bytes)).not.toContain('\n');
  });

  it('writes an empty request as an empty object', () => {
    expect(requestToJson('traces', new Uint8Array(0))).toBe('{}');
  });

  it('writes ids as lowercase hex, enums as integers and times as strings', () => {
    const span = {
      traceId: Buffer.from('5B8EFFF798038103D269B633813FC60C', 'hex'),
      spanId: Buffer.from('EEE19B7EC3C1B174', 'hex'),
      name: "I'm a server span",
      kind: 2,
      startTimeUnixNano: '1544712660000000000',
      flags: 257,
    };
    const bytes = encode(requestType.traces, { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
    expect(JSON.parse(requestToJson('traces', bytes)).resourceSpans[0].scopeSpans[0].spans[0]).toEqual({
      traceId: '5b8efff798038103d269b633813fc60c',
      spanId: 'eee19b7ec3c1b174',
      name: "I'm a server span",
      kind: 2,
      startTimeUnixNano: '1544712660000000000',
      flags: 257,
    });
  });

  it('keeps all digits of 64-bit integers, negative ones too', () => {
    expect(logBody({ intValue: '9007199254740993' })).toEqual({ intValue: '9007199254740993' });
    expect(logBody({ intValue: '-9223372036854775808' })).toEqual({ intValue: '-9223372036854775808' });
    expect(logBody({ intValue: '-1' })).toEqual({ intValue: '-1' });
  });

  it('keeps NaN, the infinities and the sign of zero as strings', () => {
    const written = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 0, 0.1].map(
      (doubleValue) => logBody({ doubleValue }),
    );
    expect(written).toEqual(
      ['NaN', 'Infinity', '-Infinity', '-0', 0, 0.1].map((doubleValue) => ({ doubleValue })),
    );
  });

  it('writes values of a oneof though they are defaults', () => {
    expect(logBody({ boolValue: false })).toEqual({ boolValue: false });
    expect(logBody({ stringValue: '' })).toEqual({ stringValue: '' });
    expect(logBody({ arrayValue: {} })).toEqual({ arrayValue: {} });
  });

  it('takes the last of several values of a oneof', () => {
    const body = wire((w) => w.uint32(10).string('first').uint32(24).int64(7));
    const json = JSON.parse(requestToJson('logs', withBody(body)));
    expect(json.resourceLogs[0].scopeLogs[0].logRecords[0].body).toEqual({ intValue: '7' });
  });

  it('merges a message that comes in two parts', () => {
    const resource = (key: string) =>
      wire((w) => w.uint32(10).bytes(wire((kv) => kv.uint32(10).string(key))));
    const twice = wire((w) => w.uint32(10).bytes(resource('a')).uint32(10).bytes(resource('b')));
    const json = JSON.parse(
      requestToJson(
        'traces',
        wire((w) => w.uint32(10).bytes(twice)),
      ),
    );
    expect(json.resourceSpans[0].resource.attributes).toEqual([{ key: 'a' }, { key: 'b' }]);
  });

  it('replaces what is not UTF-8 and stays valid JSON', () => {
    const body = wire((w) => w.uint32(10).bytes(Uint8Array.of(0x61, 0xff, 0x62)));
    expect(requestToJson('logs', withBody(body))).toContain('"a\ufffdb"');
  });

  it('leaves unknown fields out', () => {
    const unknown = wire((w) => w.uint32((99 << 3) | 2).string('later'));
    expect(requestToJson('logs', unknown)).toBe('{}');
  });

  it('refuses values that nest without bound, without exhausting the stack', () => {
    let body = wire((w) => w.uint32(10).string('deep'));
    for (let i = 0; i < 2000; i++) {
      const inner = body;
      body = wire((w) => w.uint32(42).bytes(wire((list) => list.uint32(10).bytes(inner))));
    }
    expect(() => requestToJson('logs', withBody(body))).toThrow(/nested more than 100 deep/);
  });

  it('names the place of what is malformed below the depth of the walk', () => {
    const body = wire((w) => w.uint32(42).bytes(Uint8Array.of(10, 5, 1)));
    expect(() => requestToJson('logs', withBody(body))).toThrow(
      /^resource_logs\[0\]\.scope_logs\[0\]\.log_records\[0\]\.body\.array_value\.values\[0\]: length 5 passes the end/,
    );
  });

  it.each(signals)('throws nothing but MalformedOtlp on mutated %s requests', (signal) => {
    const mutated = requestArbitrary(signal).chain((r) => mutationArbitrary(encode(requestType[signal], r)));
    fc.assert(
      fc.property(mutated, (bytes) => {
        try {
          JSON.parse(requestToJson(signal, bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedOtlp);
        }
      }),
      { ...random, numRuns: 800 },
    );
  });
});
