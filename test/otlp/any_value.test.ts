import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type AnyValue, writeAnyValue } from '../../otlp/any_value.ts';
import { MalformedOtlp } from '../../otlp/malformed.ts';
import { ProtobufWriter } from '../../otlp/protobuf_writer.ts';
import { typeNamed } from './proto/types.ts';

const anyValueType = typeNamed('opentelemetry.proto.common.v1.AnyValue');

function decoded(value: AnyValue): object {
  const out = new ProtobufWriter(2 ** 24);
  writeAnyValue(out, value);
  return anyValueType.toObject(anyValueType.decodeDelimited(out.finish()), { longs: String });
}

/** The same in the words of common.proto. */
function expected(value: AnyValue): object {
  if (value === null) return {};
  if (typeof value === 'string') return { stringValue: value.toWellFormed() };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') {
    const isInteger = Number.isSafeInteger(value) && !Object.is(value, -0);
    return isInteger ? { intValue: String(value) } : { doubleValue: value };
  }
  if (Array.isArray(value)) return { arrayValue: value.length > 0 ? { values: value.map(expected) } : {} };
  const pairs = Object.entries(value).map(([key, each]) => ({
    // protobufjs takes an empty key for one that is not there.
    ...(key !== '' && { key: key.toWellFormed() }),
    value: expected(each),
  }));
  return { kvlistValue: pairs.length > 0 ? { values: pairs } : {} };
}

describe('writeAnyValue', () => {
  it('writes what JSON holds as the official messages read it', () => {
    const numbers = fc.constantFrom(
      0,
      -0,
      -1,
      2 ** 31,
      -(2 ** 32),
      2 ** 53,
      2 ** 53 - 1,
      -(2 ** 53) + 1,
      1.5,
    );
    const text = fc.string({ unit: 'binary' });
    const { tree } = fc.letrec<{ tree: AnyValue }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        fc.constant(null),
        fc.boolean(),
        numbers,
        fc.double({ noNaN: true }),
        fc.maxSafeInteger(),
        text,
        fc.array(tie('tree')),
        fc.dictionary(text, tie('tree')),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        expect(decoded(value)).toEqual(expected(value));
      }),
      { seed: 51_424, numRuns: 500 },
    );
  });

  it('writes half a surrogate pair as U+FFFD', () => {
    expect(decoded('a\ud83d')).toEqual({ stringValue: 'a\ufffd' });
  });

  it('takes values 100 deep and refuses deeper ones', () => {
    const nested = (depth: number): AnyValue => (depth === 0 ? 1 : [nested(depth - 1)]);
    const out = new ProtobufWriter(2 ** 20);
    expect(() => writeAnyValue(out, nested(100))).not.toThrow();
    expect(() => writeAnyValue(out, nested(101))).toThrow(MalformedOtlp);
  });
});
