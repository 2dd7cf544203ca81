import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  attributeKey,
  writeAttribute,
  writeBody,
  writeIntAttribute,
  writeObservedTime,
  writeSeverity,
  writeTextAttribute,
  writeTextBody,
  writeTime,
  writeTraceContext,
} from '../../otlp/log_record.ts';
import { ProtobufWriter } from '../../otlp/protobuf_writer.ts';
import { typeNamed } from './proto/types.ts';

const recordType = typeNamed('opentelemetry.proto.logs.v1.LogRecord');

function decoded(write: (out: ProtobufWriter) => void): object {
  const out = new ProtobufWriter(2 ** 24);
  write(out);
  return recordType.toObject(recordType.decode(out.finish()), { longs: String, enums: Number });
}

describe('the fields of a log record', () => {
  it('are what the official messages read', () => {
    const line = Buffer.from('<34>1 - grüße');
    const record = decoded((out) => {
      writeTime(out, 1_700_000_000, 123_456_789);
      writeObservedTime(out, 1_700_000_001, 0);
      writeSeverity(out, 17, 'err');
      writeTextBody(out, line, 4, line.length);
      writeTextAttribute(out, attributeKey('message'), line, 8, line.length);
      writeIntAttribute(out, attributeKey('priority'), 34);
      writeAttribute(out, attributeKey('tags'), ['a', true]);
      writeTraceContext(out, Buffer.alloc(16, 1), Buffer.alloc(8, 2), 1);
    });
    expect(record).toEqual({
      timeUnixNano: '1700000000123456789',
      observedTimeUnixNano: '1700000001000000000',
      severityNumber: 17,
      severityText: 'err',
      body: { stringValue: '1 - grüße' },
      attributes: [
        { key: 'message', value: { stringValue: 'grüße' } },
        { key: 'priority', value: { intValue: '34' } },
        { key: 'tags', value: { arrayValue: { values: [{ stringValue: 'a' }, { boolValue: true }] } } },
      ],
      flags: 1,
      traceId: Buffer.alloc(16, 1),
      spanId: Buffer.alloc(8, 2),
    });
  });

  it('hold bodies of any shape', () => {
    expect(decoded((out) => writeBody(out, { a: [1, null] }))).toEqual({
      body: {
        kvlistValue: { values: [{ key: 'a', value: { arrayValue: { values: [{ intValue: '1' }, {}] } } }] },
      },
    });
  });

  it('hold times to the nanosecond, up to the last that 64 bits hold', () => {
    fc.assert(
      fc.property(fc.nat(18_446_744_072), fc.nat(999_999_999), (second, nanosecond) => {
        const exact = String(BigInt(second) * 1_000_000_000n + BigInt(nanosecond));
        expect(decoded((out) => writeTime(out, second, nanosecond))).toEqual({ timeUnixNano: exact });
      }),
      { seed: 727, numRuns: 500 },
    );
  });

  it('hold texts and keys of every length that changes the width of a length', () => {
    for (const length of [0, 1, 120, 123, 124, 125, 126, 127, 128, 16_370, 16_383, 16_384, 2 ** 21]) {
      const text = Buffer.alloc(length, 'x');
      const name = 'k'.repeat(Math.min(1 + length, 200));
      const record = decoded((out) => {
        writeTextBody(out, text, 0, length);
        writeTextAttribute(out, attributeKey(name), text, 0, length);
        writeAttribute(out, attributeKey(name), text.toString());
        writeIntAttribute(out, attributeKey(name), length);
      });
      const stringValue = text.toString();
      expect(record).toEqual({
        body: { stringValue },
        attributes: [
          { key: name, value: { stringValue } },
          { key: name, value: { stringValue } },
          { key: name, value: { intValue: String(length) } },
        ],
      });
    }
  });
});
