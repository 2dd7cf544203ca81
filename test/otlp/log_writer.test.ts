import { describe, expect, it } from '@jest/globals';
import { writeTextBody } from '../../otlp/log_record.ts';
import { encodeResource, LogWriter } from '../../otlp/log_writer.ts';
import { OtlpTooLarge } from '../../otlp/protobuf_writer.ts';
import { walk } from '../../otlp/walk.ts';
import { requestType } from './proto/types.ts';

function add(writer: LogWriter, text: string): void {
  const line = Buffer.from(text);
  writer.beginRecord(line.length);
  writeTextBody(writer.out, line, 0, line.length);
  writer.endRecord();
}

function decoded(bytes: Uint8Array): object {
  return requestType.logs.toObject(requestType.logs.decode(bytes), { longs: String });
}

const records = (...texts: readonly string[]) => texts.map((stringValue) => ({ body: { stringValue } }));

describe('LogWriter', () => {
  it('gives one request of all records, as the walk counts and hashes it', () => {
    const writer = new LogWriter(2 ** 20);
    writer.setResource(encodeResource({ 'service.name': 'edge', replicas: 3 }));
    const texts = ['a', '', 'x'.repeat(300), 'y'.repeat(20_000), 'z'.repeat(5_000)];
    for (const text of texts) add(writer, text);
    const request = writer.finish();
    expect(request?.items).toBe(texts.length);
    expect(walk('logs', request!.bytes)).toEqual({ items: texts.length, shardKey: request!.shardKey });
    expect(decoded(request!.bytes)).toEqual({
      resourceLogs: [
        {
          resource: {
            attributes: [
              { key: 'service.name', value: { stringValue: 'edge' } },
              { key: 'replicas', value: { intValue: '3' } },
            ],
          },
          scopeLogs: [{ logRecords: records(...texts) }],
        },
      ],
    });
  });

  it('needs no resource, and begins anew after each request', () => {
    const writer = new LogWriter(2 ** 23);
    expect(writer.finish()).toBeUndefined();
    for (const texts of [['first'], ['x'.repeat(3_000_000)], ['second', 'third']]) {
      for (const text of texts) add(writer, text);
      const { bytes, items, shardKey } = writer.finish()!;
      expect(walk('logs', bytes)).toEqual({ items, shardKey });
      expect(decoded(bytes)).toEqual({ resourceLogs: [{ scopeLogs: [{ logRecords: records(...texts) }] }] });
    }
    expect(writer.finish()).toBeUndefined();
  });

  it('leaves out a record that was abandoned, the first one and one that was too large', () => {
    const writer = new LogWriter(100_000);
    writer.beginRecord(1);
    writer.abandonRecord();
    expect(writer.finish()).toBeUndefined();
    add(writer, 'kept');
    expect(() => add(writer, 'x'.repeat(100_000))).toThrow(OtlpTooLarge);
    writer.abandonRecord();
    add(writer, 'kept too');
    const { bytes } = writer.finish()!;
    expect(decoded(bytes)).toEqual({
      resourceLogs: [{ scopeLogs: [{ logRecords: records('kept', 'kept too') }] }],
    });
  });
});
