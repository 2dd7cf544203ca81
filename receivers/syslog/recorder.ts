// Messages in, log records out: parses each and writes it into the batch that is being filled, under the names of the
// Collector's syslog receiver. Invariant: every message becomes exactly one record, whose body is the message as it came.

import { isUtf8 } from 'node:buffer';
import type { AnyValue } from '../../otlp/any_value.ts';
import {
  attributeKey,
  writeAttribute,
  writeIntAttribute,
  writeObservedTime,
  writeTextAttribute,
  writeTextBody,
  writeTime,
} from '../../otlp/log_record.ts';
import type { LogWriter } from '../../otlp/log_writer.ts';
import { ProtobufWriter } from '../../otlp/protobuf_writer.ts';
import { afterByteOrderMark, SyslogMessage } from './message.ts';
import { SyslogParser, type SyslogProtocol } from './parse.ts';
import { priorityFields } from './priority.ts';
import { Zone } from './zone.ts';

const ATTRIBUTE = 0x32;
const VALUE = 0x12;
/** Of what is not in the message itself, and of the lengths and keys around what is. */
const RECORD_BYTES = 200;

const key = {
  version: attributeKey('version'),
  hostname: attributeKey('hostname'),
  appname: attributeKey('appname'),
  process: attributeKey('proc_id'),
  id: attributeKey('msg_id'),
  data: attributeKey('structured_data'),
  message: attributeKey('message'),
  error: attributeKey('syslog.parse_error'),
  truncated: attributeKey('syslog.truncated'),
  encoding: attributeKey('syslog.encoding'),
} as const;

/** What says the same of each record of a connection or of all. */
export function encodeAttributes(attributes: Readonly<Record<string, AnyValue>>): Buffer {
  const out = new ProtobufWriter(2 ** 20);
  for (const [name, value] of Object.entries(attributes)) writeAttribute(out, attributeKey(name), value);
  return Buffer.from(out.finish());
}

export class Recorder {
  readonly #parser: SyslogParser;
  readonly #message = new SyslogMessage();
  readonly #time: { zone: Zone; now_s: number };
  #now_ns = 0;

  /** @param location as `Zone` takes it */
  constructor(protocol: SyslogProtocol, location: string) {
    this.#parser = new SyslogParser(protocol);
    this.#time = { zone: new Zone(location), now_s: 0 };
  }

  /** When the messages that follow came. @param now_ms since 1970 */
  arrive(now_ms: number): void {
    this.#time.now_s = Math.floor(now_ms / 1000);
    this.#now_ns = (now_ms % 1000) * 1e6;
  }

  /**
   * The message in [start, stop), without trailer, as one record.
   * @param isText it is known to be UTF-8. @param isCut it was longer. @param fixed attributes of its connection
   * @throws OtlpTooLarge
   */
  record(
    writer: LogWriter,
    bytes: Buffer,
    start: number,
    stop: number,
    isText: boolean,
    isCut: boolean,
    fixed: Buffer,
  ): void {
    const end = isCut ? characterEnd(bytes, start, stop) : stop;
    if (isText || isUtf8(bytes.subarray(start, end))) {
      this.#write(writer, bytes, start, end, isCut, false, fixed);
      return;
    }
    // Of what is not UTF-8 nothing gets lost as Latin-1: each byte is the character of that number.
    const text = Buffer.from(bytes.toString('latin1', start, end), 'utf8');
    this.#write(writer, text, 0, text.length, isCut, true, fixed);
  }

  #write(
    writer: LogWriter,
    bytes: Buffer,
    from: number,
    stop: number,
    isCut: boolean,
    isLatin: boolean,
    fixed: Buffer,
  ): void {
    const message = this.#message;
    const start = afterByteOrderMark(bytes, from, stop);
    this.#parser.parse(bytes, start, stop, this.#time, message);
    writer.beginRecord(2 * (stop - start) + RECORD_BYTES);
    const { out } = writer;
    if (message.second >= 0) writeTime(out, message.second, message.nanosecond);
    writeObservedTime(out, this.#time.now_s, this.#now_ns);
    if (message.priority >= 0) {
      const fields = priorityFields[message.priority]!;
      out.copy(fields, 0, fields.length);
    }
    writeTextBody(out, bytes, start, stop);
    this.#writeHeader(out, bytes);
    if (message.textStop > 0) {
      writeTextAttribute(out, key.message, bytes, message.textStart, message.textStop);
    }
    if (message.error !== '') writeAttribute(out, key.error, message.error);
    if (isCut) writeAttribute(out, key.truncated, true);
    if (isLatin) writeAttribute(out, key.encoding, 'iso-8859-1');
    if (fixed.length > 0) out.copy(fixed, 0, fixed.length);
    writer.endRecord();
  }

  #writeHeader(out: ProtobufWriter, bytes: Buffer): void {
    const message = this.#message;
    if (message.version > 0) writeIntAttribute(out, key.version, message.version);
    if (message.hostStop > 0) {
      writeTextAttribute(out, key.hostname, bytes, message.hostStart, message.hostStop);
    }
    if (message.appStop > 0) writeTextAttribute(out, key.appname, bytes, message.appStart, message.appStop);
    if (message.procStop > 0) {
      writeTextAttribute(out, key.process, bytes, message.procStart, message.procStop);
    }
    if (message.idStop > 0) writeTextAttribute(out, key.id, bytes, message.idStart, message.idStop);
    if (message.dataStop === 0) return;
    out.byte(ATTRIBUTE);
    const start = out.open(2);
    out.copy(key.data, 0, key.data.length);
    out.byte(VALUE);
    this.#parser.data.write(out, bytes);
    out.close(start, 2);
  }
}

/** A cut never leaves half a character of UTF-8: where one begins at most three bytes before `stop`, it is left out. */
function characterEnd(bytes: Buffer, start: number, stop: number): number {
  let at = stop - 1;
  while (at > start && at > stop - 4 && (bytes[at]! & 0xc0) === 0x80) at -= 1;
  const lead = at >= start ? bytes[at]! : 0;
  const width = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return at + width > stop ? at : stop;
}
