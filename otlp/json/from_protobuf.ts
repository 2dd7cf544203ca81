// An Export*ServiceRequest from protobuf to OTLP/JSON, driven by the tables of schema.ts.
// Invariant: every field that the tables know appears, with no precision lost; unknown fields are left out, as JSON
// has no place for them. Source: opentelemetry-proto, docs/specification.md, "JSON Protobuf Encoding".

import { locate } from '../locate.ts';
import { MalformedOtlp } from '../malformed.ts';
import { type Field, type Message, messages, requestOf, wireTypeOf } from '../schema.ts';
import type { Signal } from '../signal.ts';
import { afterVarint } from '../varint.ts';
import { FieldReader, int64At, uint64At } from '../wire.ts';
import { DEPTH_MAX } from './depth.ts';

export type JsonValue = string | number | boolean | JsonObject | JsonValue[];
export interface JsonObject {
  [name: string]: JsonValue;
}

/** Spans, metrics and log records stand so deep: request, resource, scope, item. */
const ITEM_DEPTH = 3;

/** One line of JSON without a line break at its end. @throws MalformedOtlp with position and path. */
export function requestToJson(signal: Signal, bytes: Uint8Array): string {
  return located(signal, bytes, (whole) => textOf(requestOf[signal], whole, 0, whole.length, 0));
}

/** The same before it becomes text, for those who show it in another way. @throws MalformedOtlp with position and path. */
export function requestToObject(signal: Signal, bytes: Uint8Array): JsonObject {
  return located(signal, bytes, (whole) => decode(requestOf[signal], whole, 0, whole.length, {}, 0));
}

/** As one Buffer, of which texts and numbers are read in place: a view for each is garbage for each. */
function located<T>(signal: Signal, bytes: Uint8Array, work: (whole: Buffer) => T): T {
  try {
    return work(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  } catch (error) {
    if (!(error instanceof MalformedOtlp)) throw error;
    throw new MalformedOtlp(error.reason, error.position, locate(requestOf[signal], bytes, error.position));
  }
}

/**
 * A message as text. Each item becomes text by itself, so that its objects die young: those of a whole request outlive the
 * young generation, and collecting them was 38 % of the CPU of an agent that writes files (2026-11-21).
 */
function textOf(message: Message, bytes: Buffer, start: number, end: number, depth: number): string {
  if (depth === ITEM_DEPTH) return JSON.stringify(decode(message, bytes, start, end, {}, depth));
  const own: JsonObject = {};
  const lists = new Map<string, string[]>();
  for (const reader = new FieldReader(bytes, start, end); reader.next(); ) {
    const field = message.fields.get(reader.number);
    if (!field) continue;
    if (!field.repeated || !field.message) {
      decodeField(field, bytes, reader, own, depth);
      continue;
    }
    checkWireType(field, reader);
    const text = textOf(field.message, bytes, reader.start, reader.stop, depth + 1);
    const list = lists.get(field.jsonName);
    if (list) list.push(text);
    else {
      lists.set(field.jsonName, [text]);
      // Keeps its place among the others.
      own[field.jsonName] = '';
    }
  }
  const parts = Object.entries(own).map(([name, value]) => {
    const list = lists.get(name);
    return `"${name}":${list ? `[${list.join(',')}]` : JSON.stringify(value)}`;
  });
  return `{${parts.join(',')}}`;
}

/** Decodes into `into`: a message that comes twice is merged, as protobuf parsers do. */
function decode(
  message: Message,
  bytes: Buffer,
  start: number,
  end: number,
  into: JsonObject,
  depth: number,
): JsonObject {
  if (depth > DEPTH_MAX) throw new MalformedOtlp(`messages nested more than ${DEPTH_MAX} deep`, start);
  for (const reader = new FieldReader(bytes, start, end); reader.next(); ) {
    const field = message.fields.get(reader.number);
    if (field) decodeField(field, bytes, reader, into, depth);
  }
  return into;
}

function decodeField(
  field: Field,
  bytes: Buffer,
  reader: FieldReader,
  into: JsonObject,
  depth: number,
): void {
  if (field.oneof !== undefined) clearOthers(field, into);
  const name = field.jsonName;
  if (field.repeated) {
    const list = (into[name] ?? []) as JsonValue[];
    into[name] = list;
    if (reader.wireType === 2 && wireTypeOf(field.kind) !== 2) unpack(field, bytes, reader, list);
    else list.push(decodeValue(field, bytes, reader, undefined, depth));
  } else {
    into[name] = decodeValue(field, bytes, reader, into[name], depth);
  }
}

/** Of a oneof only the last field on the wire counts. */
function clearOthers(field: Field, into: JsonObject): void {
  for (const name of othersOfOneof.get(field)!) if (into[name] !== undefined) delete into[name];
}

/** Looked up once: every attribute has a oneof, and going through its message each time was a fifth of all the work. */
const othersOfOneof: ReadonlyMap<Field, readonly string[]> = new Map(
  [...messages.values()].flatMap(({ fields }) => {
    const choices = [...fields.values()].filter((field) => field.oneof !== undefined);
    return choices.map((field) => {
      const others = choices.filter((other) => other.oneof === field.oneof && other !== field);
      return [field, others.map((other) => other.jsonName)] as const;
    });
  }),
);

function unpack(field: Field, bytes: Buffer, reader: FieldReader, list: JsonValue[]): void {
  const wireType = wireTypeOf(field.kind);
  let position = reader.start;
  while (position < reader.stop) {
    let after = position + (wireType === 1 ? 8 : 4);
    if (wireType === 0) after = afterVarint(bytes, position, reader.stop);
    if (after > reader.stop) throw new MalformedOtlp('packed values do not fill their length', position);
    list.push(scalarOf(field, bytes, position, after));
    position = after;
  }
}

function decodeValue(
  field: Field,
  bytes: Buffer,
  reader: FieldReader,
  present: JsonValue | undefined,
  depth: number,
): JsonValue {
  const { start, stop } = reader;
  checkWireType(field, reader);
  if (field.message)
    return decode(field.message, bytes, start, stop, (present as JsonObject) ?? {}, depth + 1);
  if (field.kind === 'string') return bytes.toString('utf8', start, stop);
  return scalarOf(field, bytes, start, stop);
}

function checkWireType({ kind }: Field, { wireType, start }: FieldReader): void {
  if (wireType !== wireTypeOf(kind)) {
    throw new MalformedOtlp(`wire type ${wireType} is not the one of this field`, start);
  }
}

function scalarOf(field: Field, bytes: Buffer, start: number, stop: number): JsonValue {
  switch (field.kind) {
    case 'bytes':
      return bytes.toString('base64', start, stop);
    case 'trace_id':
    case 'span_id':
      return bytes.toString('hex', start, stop);
    case 'bool':
      return uint64At(bytes, start, stop) !== 0n;
    case 'int32':
    case 'enum':
      return Number(BigInt.asIntN(32, uint64At(bytes, start, stop)));
    case 'uint32':
      return Number(BigInt.asUintN(32, uint64At(bytes, start, stop)));
    case 'sint32': {
      const zigzag = Number(BigInt.asUintN(32, uint64At(bytes, start, stop)));
      return (zigzag >>> 1) ^ -(zigzag & 1);
    }
    case 'int64':
      return int64At(bytes, start, stop).toString();
    case 'uint64':
      return uint64At(bytes, start, stop).toString();
    case 'fixed32':
      return bytes.readUInt32LE(start);
    case 'fixed64':
      return bytes.readBigUInt64LE(start).toString();
    case 'sfixed64':
      return bytes.readBigInt64LE(start).toString();
    case 'double':
      return double(bytes.readDoubleLE(start));
    default:
      throw new TypeError(`${field.kind} is no scalar kind`);
  }
}

/** JSON numbers have no NaN and no infinity, and JSON.stringify drops the sign of zero: these are strings. */
function double(value: number): JsonValue {
  if (Object.is(value, -0)) return '-0';
  return Number.isFinite(value) ? value : String(value);
}
