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

/** One line of JSON without a line break at its end. @throws MalformedOtlp with position and path. */
export function requestToJson(signal: Signal, bytes: Uint8Array): string {
  return JSON.stringify(requestToObject(signal, bytes));
}

/** The same before it becomes text, for those who show it in another way. @throws MalformedOtlp with position and path. */
export function requestToObject(signal: Signal, bytes: Uint8Array): JsonObject {
  try {
    return decode(requestOf[signal], bytes, 0, bytes.length, {}, 0);
  } catch (error) {
    if (!(error instanceof MalformedOtlp)) throw error;
    throw new MalformedOtlp(error.reason, error.position, locate(requestOf[signal], bytes, error.position));
  }
}

/** Decodes into `into`: a message that comes twice is merged, as protobuf parsers do. */
function decode(
  message: Message,
  bytes: Uint8Array,
  start: number,
  end: number,
  into: JsonObject,
  depth: number,
): JsonObject {
  if (depth > DEPTH_MAX) throw new MalformedOtlp(`messages nested more than ${DEPTH_MAX} deep`, start);
  for (const reader = new FieldReader(bytes, start, end); reader.next(); ) {
    const field = message.fields.get(reader.number);
    if (!field) continue;
    if (field.oneof !== undefined) clearOthers(field, into);
    const name = field.jsonName;
    if (field.repeated) {
      const list = (into[name] ?? []) as JsonValue[];
      into[name] = list;
      if (reader.wireType === 2 && wireTypeOf(field.kind) !== 2) unpack(field, reader, list);
      else list.push(decodeValue(field, reader, undefined, depth));
    } else {
      into[name] = decodeValue(field, reader, into[name], depth);
    }
  }
  return into;
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

function unpack(field: Field, reader: FieldReader, list: JsonValue[]): void {
  const wireType = wireTypeOf(field.kind);
  let position = reader.start;
  while (position < reader.stop) {
    let after = position + (wireType === 1 ? 8 : 4);
    if (wireType === 0) after = afterVarint(reader.bytes, position, reader.stop);
    if (after > reader.stop) throw new MalformedOtlp('packed values do not fill their length', position);
    list.push(scalarOf(field, reader.bytes, position, after));
    position = after;
  }
}

function decodeValue(
  field: Field,
  reader: FieldReader,
  present: JsonValue | undefined,
  depth: number,
): JsonValue {
  const { bytes, start, stop } = reader;
  if (reader.wireType !== wireTypeOf(field.kind)) {
    throw new MalformedOtlp(`wire type ${reader.wireType} is not the one of this field`, start);
  }
  if (field.message)
    return decode(field.message, bytes, start, stop, (present as JsonObject) ?? {}, depth + 1);
  if (field.kind === 'string') return reader.text();
  return scalarOf(field, bytes, start, stop);
}

function scalarOf(field: Field, bytes: Uint8Array, start: number, stop: number): JsonValue {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset + start, stop - start);
  switch (field.kind) {
    case 'bytes':
      return view.toString('base64');
    case 'trace_id':
    case 'span_id':
      return view.toString('hex');
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
      return view.readUInt32LE();
    case 'fixed64':
      return view.readBigUInt64LE().toString();
    case 'sfixed64':
      return view.readBigInt64LE().toString();
    case 'double':
      return double(view.readDoubleLE());
    default:
      throw new TypeError(`${field.kind} is no scalar kind`);
  }
}

/** JSON numbers have no NaN and no infinity, and JSON.stringify drops the sign of zero: these are strings. */
function double(value: number): JsonValue {
  if (Object.is(value, -0)) return '-0';
  return Number.isFinite(value) ? value : String(value);
}
