// Facility and severity as log records have them, encoded once for each of the 192 priorities (RFC 5424, 6.2.1), so that a
// message costs one copy. Invariant: the mapping is the Collector's, as backends have rules that go by it.

import { attributeKey, writeIntAttribute, writeSeverity } from '../../otlp/log_record.ts';
import { ProtobufWriter } from '../../otlp/protobuf_writer.ts';

/** By severity: the SeverityNumber and the text. */
const severities: readonly (readonly [number, string])[] = [
  [21, 'emerg'],
  [19, 'alert'],
  [18, 'crit'],
  [17, 'err'],
  [13, 'warning'],
  [10, 'notice'],
  [9, 'info'],
  [5, 'debug'],
];

/** By priority: severity_number, severity_text and the attributes `priority` and `facility`, as fields of a LogRecord. */
export const priorityFields: readonly Buffer[] = encodeAll();

function encodeAll(): readonly Buffer[] {
  const out = new ProtobufWriter(2 ** 16);
  const [priorityKey, facilityKey] = [attributeKey('priority'), attributeKey('facility')];
  return Array.from({ length: 192 }, (_, priority) => {
    const [number, text] = severities[priority % 8]!;
    writeSeverity(out, number, text);
    writeIntAttribute(out, priorityKey, priority);
    writeIntAttribute(out, facilityKey, Math.floor(priority / 8));
    return Buffer.from(out.finish());
  });
}
