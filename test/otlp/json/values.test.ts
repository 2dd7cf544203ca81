import { describe, expect, it } from '@jest/globals';
import { JsonTranscoder } from '../../../otlp/json/to_protobuf.ts';
import { MalformedOtlp } from '../../../otlp/malformed.ts';
import { requestType } from '../proto/types.ts';

const transcoder = new JsonTranscoder(2 ** 22);

interface Decoded {
  readonly resourceMetrics: readonly {
    readonly scopeMetrics: readonly {
      readonly metrics: readonly Readonly<Record<string, { dataPoints: Record<string, unknown>[] }>>[];
    }[];
  }[];
}

/** One field of a data point of a metric of some kind, as protobufjs reads it. */
function field(metric: string, name: string, json: string): unknown {
  const text = `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"${metric}":{"dataPoints":[{"${name}":${json}}]}}]}]}]}`;
  const type = requestType.metrics;
  const bytes = transcoder.transcode('metrics', Buffer.from(text));
  const decoded = type.toObject(type.decode(bytes), { longs: String, bytes: String }) as Decoded;
  return decoded.resourceMetrics[0]?.scopeMetrics[0]?.metrics[0]?.[metric]?.dataPoints[0]?.[name];
}

const read = {
  double: (json: string) => field('gauge', 'asDouble', json),
  sfixed64: (json: string) => field('gauge', 'asInt', json),
  fixed64: (json: string) => field('gauge', 'timeUnixNano', json),
  uint32: (json: string) => field('gauge', 'flags', json),
  sint32: (json: string) => field('exponentialHistogram', 'scale', json),
};
type Kind = keyof typeof read;

function logRecord(member: string): Record<string, unknown> {
  const text = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{${member}}]}]}]}`;
  const type = requestType.logs;
  const bytes = transcoder.transcode('logs', Buffer.from(text));
  const decoded = type.toObject(type.decode(bytes), { longs: String, bytes: String }) as {
    resourceLogs: { scopeLogs: { logRecords: Record<string, unknown>[] }[] }[];
  };
  return decoded.resourceLogs[0]?.scopeLogs[0]?.logRecords[0] ?? {};
}

describe('an integer', () => {
  it.each<[Kind, string, string | number | undefined]>([
    ['sfixed64', '9007199254740993', '9007199254740993'],
    ['sfixed64', '"9007199254740993"', '9007199254740993'],
    ['sfixed64', '9223372036854775807', '9223372036854775807'],
    ['sfixed64', '-9223372036854775808', '-9223372036854775808'],
    ['sfixed64', '"-9007199254740993"', '-9007199254740993'],
    ['sfixed64', '-4294967296', '-4294967296'],
    ['sfixed64', '-1', '-1'],
    ['sfixed64', '-0', '0'],
    ['sfixed64', '0', '0'],
    ['sfixed64', '1.0', '1'],
    ['sfixed64', '-120e-1', '-12'],
    ['sfixed64', '"9.223372036854775807E+18"', '9223372036854775807'],
    ['sfixed64', '0.0e999999999999999999', '0'],
    ['sfixed64', '"\\u0031\\u0032"', '12'],
    ['fixed64', '18446744073709551615', '18446744073709551615'],
    ['fixed64', '"1763719820000000001"', '1763719820000000001'],
    // A default without presence, which protobufjs leaves out.
    ['fixed64', '-0.0', undefined],
    ['uint32', '4294967295', 4294967295],
    ['uint32', '"7"', 7],
    ['sint32', '-2147483648', -2147483648],
    ['sint32', '2147483647', 2147483647],
    ['sint32', '-0', undefined],
    ['sint32', '"-3"', -3],
  ])('of kind %s may be written as %s', (kind, json, value) => {
    expect(read[kind](json)).toBe(value);
  });

  it.each<[Kind, string]>([
    ['sfixed64', '9223372036854775808'],
    ['sfixed64', '-9223372036854775809'],
    ['sfixed64', '100000000000000000000000000'],
    ['sfixed64', '1e19'],
    ['sfixed64', '1e999999999999'],
    ['sfixed64', '1.5'],
    ['sfixed64', '1e-1'],
    ['sfixed64', '1e-400'],
    ['sfixed64', '0.99999999999999'],
    ['sfixed64', '9007199254740992.5'],
    ['sfixed64', '""'],
    ['sfixed64', '" 1"'],
    ['sfixed64', '"1 "'],
    ['sfixed64', '"+1"'],
    ['sfixed64', '"01"'],
    ['sfixed64', '"0x1"'],
    ['sfixed64', '"NaN"'],
    ['sfixed64', '"1_000"'],
    ['fixed64', '18446744073709551616'],
    ['fixed64', '-1'],
    ['uint32', '4294967296'],
    ['uint32', '-1'],
    ['sint32', '2147483648'],
    ['sint32', '-2147483649'],
    ['sint32', 'true'],
    ['sint32', '[1]'],
    ['sint32', '{}'],
  ])('of kind %s is refused as %s', (kind, json) => {
    expect(() => read[kind](json)).toThrow(MalformedOtlp);
    expect(() => read[kind](json)).toThrow(/: expected an integer from \S+ to \S+, found (an?|true)/);
  });
});

describe('a double', () => {
  it.each<[string, number]>([
    ['0', 0],
    ['-0', -0],
    ['-0.0', -0],
    ['"-0"', -0],
    ['0.1', 0.1],
    ['123456789.012345', 123456789.012345],
    ['1e-7', 1e-7],
    ['"2.5E3"', 2500],
    ['1.7976931348623157e308', Number.MAX_VALUE],
    ['5e-324', Number.MIN_VALUE],
    ['1e-400', 0],
    ['9007199254740993', 9007199254740992],
    ['"NaN"', Number.NaN],
    ['"Infinity"', Number.POSITIVE_INFINITY],
    ['"-Infinity"', Number.NEGATIVE_INFINITY],
    ['"\\u004eaN"', Number.NaN],
  ])('may be written as %s', (json, value) => {
    expect(Object.is(read.double(json), value)).toBe(true);
  });

  it.each(['1e309', '-1e309', '"1e309"', '"inf"', '"nan"', '"+Infinity"', '""', '" 1"', 'NaN', 'true', '{}'])(
    'is refused as %s',
    (json) => {
      expect(() => read.double(json)).toThrow(
        /: expected a number, "NaN", "Infinity" or "-Infinity", found /,
      );
    },
  );
});

describe('an id', () => {
  it.each([
    ['5b8efff798038103d269b633813fc60c', 'W47/95gDgQPSabYzgT/GDA=='],
    ['5B8EFFF798038103D269B633813FC60C', 'W47/95gDgQPSabYzgT/GDA=='],
    ['00000000000000000000000000000000', 'AAAAAAAAAAAAAAAAAAAAAA=='],
    ['\\u0035b8efff798038103d269b633813fc60c', 'W47/95gDgQPSabYzgT/GDA=='],
    ['', undefined],
  ])('of a trace is hex in either case: "%s"', (hex, base64) => {
    expect(logRecord(`"traceId":"${hex}"`)).toEqual(base64 === undefined ? {} : { traceId: base64 });
  });

  it.each([
    '"W47/95gDgQPSabYzgT/GDA=="',
    '"5b8e"',
    '"5b8efff798038103d269b633813fc60"',
    `"${'ab'.repeat(17)}"`,
    '12',
    `"${'0x'.repeat(16)}"`,
  ])('of a trace is refused as %s', (json) => {
    expect(() => logRecord(`"traceId":${json}`)).toThrow(
      /\.logRecords\[0\]\.traceId: expected a string of 32 hex digits or none, found a/,
    );
  });

  it('of a span has half as many digits', () => {
    expect(logRecord('"spanId":"EEE19B7EC3C1B174"')).toEqual({ spanId: '7uGbfsPBsXQ=' });
    expect(() => logRecord(`"spanId":"${'ab'.repeat(16)}"`)).toThrow(
      /expected a string of 16 hex digits or none/,
    );
  });
});

describe('bytes', () => {
  const value = (text: string): unknown => logRecord(`"body":{"bytesValue":${text}}`)['body'];

  it.each(['"+/8="', '"-_8="', '"+/8"', '"-_8"', '"+\\/8="', '"\\u002b_8"'])(
    'are base64 of either alphabet, padded or not: %s',
    (text) => {
      expect(value(text)).toEqual({ bytesValue: '+/8=' });
    },
  );

  it.each(['"A"', '"AAAAA"', '"A==="', '"AA="', '"AA=A"', '"===="', '"A A="', '"ä"', '12', 'null x'])(
    'are refused as %s',
    (text) => {
      expect(() => value(text)).toThrow(MalformedOtlp);
    },
  );
});

describe('a string', () => {
  const text = (json: string): unknown => logRecord(`"severityText":${json}`)['severityText'];

  it.each([
    ['"plain"', 'plain'],
    ['"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\/\b\f\n\r\t'],
    ['"\\u0000\\u007f\\u0080\\u07ff\\u0800\\uffff"', '\0\x7f\x80\u07ff\u0800\uffff'],
    ['"ä€😀 \\ud83d\\ude00\\uD83D\\uDE00"', 'ä€😀 😀😀'],
    [`"${'x'.repeat(200)}\\n"`, `${'x'.repeat(200)}\n`],
  ])('%s', (json, value) => {
    expect(text(json)).toBe(value);
  });

  it.each([
    ['"\\ud83d"', '\ufffd'],
    ['"\\ude00"', '\ufffd'],
    ['"\\ude00\\ud83d"', '\ufffd\ufffd'],
    ['"\\ud83dx\\ude00"', '\ufffdx\ufffd'],
    ['"\\ud83d\\ud83d\\ude00"', '\ufffd😀'],
    ['"\\ud83d\\n"', '\ufffd\n'],
  ])('has U+FFFD for half a surrogate pair: %s', (json, value) => {
    expect(text(json)).toBe(value);
  });

  it('is refused as anything else', () => {
    for (const json of ['1', 'true', '{}', '[]'])
      expect(() => text(json)).toThrow(/expected a string, found/);
  });
});

describe('a truth value and an enum', () => {
  const sum = (member: string): unknown => {
    const type = requestType.metrics;
    const json = `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"sum":{${member}}}]}]}]}`;
    const decoded = type.toObject(type.decode(transcoder.transcode('metrics', Buffer.from(json))));
    return decoded['resourceMetrics'][0].scopeMetrics[0].metrics[0].sum;
  };

  it('are what they are', () => {
    expect(sum('"isMonotonic":true,"aggregationTemporality":2')).toEqual({
      isMonotonic: true,
      aggregationTemporality: 2,
    });
    expect(sum('"isMonotonic":false')).toEqual({});
  });

  it('keep integers that have no name yet, negative ones too', () => {
    expect(sum('"aggregationTemporality":77')).toEqual({ aggregationTemporality: 77 });
    expect(sum('"aggregationTemporality":-1')).toEqual({ aggregationTemporality: -1 });
  });

  it.each(['"AGGREGATION_TEMPORALITY_DELTA"', '"1"', 'true', '1.5', '2147483648'])(
    'are refused as an enum: %s',
    (json) => {
      expect(() => sum(`"aggregationTemporality":${json}`)).toThrow(/expected the integer of an enum value/);
    },
  );

  it.each(['1', '"true"', '{}', 'tru'])('are refused as a truth value: %s', (json) => {
    expect(() => sum(`"isMonotonic":${json}`)).toThrow(MalformedOtlp);
  });
});
