// The walk as one would write it without thinking of speed: recursion over the tables with FieldReader.

import { MalformedOtlp } from '../../otlp/malformed.ts';
import { type Field, type Message, wireTypeOf } from '../../otlp/schema.ts';
import { FieldReader } from '../../otlp/wire.ts';

/** README.md of otlp/ states the depth: of these messages only the bounds are checked. */
const bounds = new Set([
  ...['Resource', 'InstrumentationScope', 'KeyValue', 'AnyValue', 'Status'],
  ...['Exemplar', 'Buckets', 'ValueAtQuantile'],
]);
const items = new Set(['Span', 'LogRecord', 'NumberDataPoint', 'HistogramDataPoint', 'SummaryDataPoint']).add(
  'ExponentialHistogramDataPoint',
);

/** Items within. @throws MalformedOtlp */
export function referenceWalk(message: Message, bytes: Uint8Array, start = 0, end = bytes.length): number {
  let count = 0;
  for (const reader = new FieldReader(bytes, start, end); reader.next(); ) {
    const field = message.fields.get(reader.number);
    if (!field) continue;
    checkField(field, reader);
    if (!field.message || bounds.has(field.message.name)) continue;
    if (items.has(field.message.name)) count++;
    count += referenceWalk(field.message, bytes, reader.start, reader.stop);
  }
  return count;
}

function checkField(field: Field, reader: FieldReader): void {
  const length = reader.stop - reader.start;
  const packed = field.repeated && wireTypeOf(field.kind) === 1 && reader.wireType === 2;
  const wrong =
    (reader.wireType !== wireTypeOf(field.kind) && !packed) ||
    (packed && length % 8 !== 0) ||
    (field.kind === 'trace_id' && length !== 0 && length !== 16) ||
    (field.kind === 'span_id' && length !== 0 && length !== 8);
  if (wrong) throw new MalformedOtlp('wrong', reader.start);
}
