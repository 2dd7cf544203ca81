// Writes the fields of one LogRecord: what receivers that speak no OTLP make of a line or a document. No object and no
// string stands between the bytes that came and the bytes that are stored. Source: opentelemetry-proto, logs.proto, common.proto.
// Invariant: text must be UTF-8 before it comes here, as strings of protobuf are; nobody looks again.

import { type AnyValue, writeAnyValue } from './any_value.ts';
import { type ProtobufWriter, widthOf } from './protobuf_writer.ts';

const TIME = 0x09;
const SEVERITY_NUMBER = 0x10;
const SEVERITY_TEXT = 0x1a;
const BODY = 0x2a;
const ATTRIBUTE = 0x32;
const FLAGS = 0x45;
const TRACE_ID = 0x4a;
const SPAN_ID = 0x52;
const OBSERVED_TIME = 0x59;
/** Of KeyValue. */
const KEY = 0x0a;
const VALUE = 0x12;
/** Of AnyValue. */
const STRING_VALUE = 0x0a;
const INT_VALUE = 0x18;

/** The key of an attribute as it stands in KeyValue; made once, written often. */
export type AttributeKey = Buffer & { readonly attributeKey: unique symbol };

export function attributeKey(name: string): AttributeKey {
  const text = Buffer.from(name, 'utf8');
  const head: number[] = [KEY];
  for (let rest = text.length; ; rest >>>= 7) {
    head.push(rest < 0x80 ? rest : (rest & 0x7f) | 0x80);
    if (rest < 0x80) break;
  }
  return Buffer.concat([Uint8Array.from(head), text]) as AttributeKey;
}

/** When it happened. @param second since 1970, whole, not negative. @param nanosecond within it */
export function writeTime(out: ProtobufWriter, second: number, nanosecond: number): void {
  out.byte(TIME);
  unixNano(out, second, nanosecond);
}

/** When it was seen here. @param second since 1970, whole, not negative. @param nanosecond within it */
export function writeObservedTime(out: ProtobufWriter, second: number, nanosecond: number): void {
  out.byte(OBSERVED_TIME);
  unixNano(out, second, nanosecond);
}

/** @param number a SeverityNumber, 1 (TRACE) to 24 (FATAL4). @param text as the source has it; empty: none */
export function writeSeverity(out: ProtobufWriter, number: number, text: string): void {
  out.byte(SEVERITY_NUMBER);
  out.varint(number);
  if (text === '') return;
  out.byte(SEVERITY_TEXT);
  out.text(text);
}

/** The bytes of `source` in [start, stop) as a body of text. */
export function writeTextBody(out: ProtobufWriter, source: Buffer, start: number, stop: number): void {
  const length = stop - start;
  out.byte(BODY);
  out.varint(1 + widthOf(length) + length);
  textValue(out, source, start, stop);
}

/** @throws MalformedOtlp when it nests too deeply */
export function writeBody(out: ProtobufWriter, value: AnyValue): void {
  out.byte(BODY);
  writeAnyValue(out, value);
}

/** The bytes of `source` in [start, stop) as an attribute of text. */
export function writeTextAttribute(
  out: ProtobufWriter,
  key: AttributeKey,
  source: Buffer,
  start: number,
  stop: number,
): void {
  const length = stop - start;
  const value = 1 + widthOf(length) + length;
  out.byte(ATTRIBUTE);
  out.varint(key.length + 1 + widthOf(value) + value);
  out.copy(key, 0, key.length);
  out.byte(VALUE);
  out.varint(value);
  textValue(out, source, start, stop);
}

/** @param value not negative, below 2^32 */
export function writeIntAttribute(out: ProtobufWriter, key: AttributeKey, value: number): void {
  const width = 1 + widthOf(value);
  out.byte(ATTRIBUTE);
  out.varint(key.length + 2 + width);
  out.copy(key, 0, key.length);
  out.byte(VALUE);
  out.varint(width);
  out.byte(INT_VALUE);
  out.varint(value);
}

/** @throws MalformedOtlp when it nests too deeply */
export function writeAttribute(out: ProtobufWriter, key: AttributeKey, value: AnyValue): void {
  out.byte(ATTRIBUTE);
  const start = out.open(1);
  out.copy(key, 0, key.length);
  out.byte(VALUE);
  writeAnyValue(out, value);
  out.close(start, 1);
}

/** @param traceId 16 bytes. @param spanId 8 bytes, or none. @param flags W3C trace flags in the lowest 8 bits */
export function writeTraceContext(
  out: ProtobufWriter,
  traceId: Buffer,
  spanId: Buffer | undefined,
  flags: number,
): void {
  if (flags !== 0) {
    out.byte(FLAGS);
    out.fixed32(flags);
  }
  out.byte(TRACE_ID);
  out.varint(traceId.length);
  out.copy(traceId, 0, traceId.length);
  if (!spanId) return;
  out.byte(SPAN_ID);
  out.varint(spanId.length);
  out.copy(spanId, 0, spanId.length);
}

function textValue(out: ProtobufWriter, source: Buffer, start: number, stop: number): void {
  out.byte(STRING_VALUE);
  out.varint(stop - start);
  out.copy(source, start, stop);
}

/** second · 10⁹ + nanosecond in 64 bits, exactly, without a bigint: the second is taken apart at 16 bits. */
function unixNano(out: ProtobufWriter, second: number, nanosecond: number): void {
  const upper = Math.floor(second / 0x10000) * 1e9;
  const lower = (second % 0x10000) * 1e9 + nanosecond;
  const low = (upper % 0x10000) * 0x10000 + lower;
  out.fixed64(Math.floor(upper / 0x10000) + Math.floor(low / 2 ** 32), low % 2 ** 32);
}
