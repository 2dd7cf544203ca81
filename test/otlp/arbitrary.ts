// Random OTLP messages, made from the official .proto files and not from our own tables.

import fc from 'fast-check';
import protobuf from 'protobufjs';
import type { Signal } from '../../otlp/signal.ts';
import { requestType } from './proto/types.ts';

/** Attribute values may hold attribute values: here they end. */
const DEPTH_MAX = 9;

/** Fields that have a meaning in profiles alone. In all other signals they count as absent (common.proto, v1.10). */
export const profilesOnly = /Strindex$/;

/** A plain object with lowerCamelCase keys that protobufjs encodes as the request of `signal`. */
export function requestArbitrary(signal: Signal): fc.Arbitrary<Record<string, unknown>> {
  return messageArbitrary(requestType[signal], 0);
}

function messageArbitrary(type: protobuf.Type, depth: number): fc.Arbitrary<Record<string, unknown>> {
  const fields: Record<string, fc.Arbitrary<unknown>> = {};
  const choices: fc.Arbitrary<Record<string, unknown>>[] = [];
  for (const field of type.fieldsArray) {
    field.resolve();
    if (profilesOnly.test(field.name)) continue;
    const value = fieldArbitrary(field, depth);
    if (value === undefined) continue;
    // protobufjs wraps `optional` into a oneof of its own.
    if (field.partOf && field.partOf.fieldsArray.length > 1) choices.push(fc.record({ [field.name]: value }));
    else fields[field.name] = value;
  }
  const own = fc.record(fields, { requiredKeys: [] });
  if (choices.length === 0) return own;
  return fc
    .tuple(own, fc.oneof(fc.constant({}), ...choices))
    .map(([rest, chosen]) => ({ ...rest, ...chosen }));
}

function fieldArbitrary(field: protobuf.Field, depth: number): fc.Arbitrary<unknown> | undefined {
  let value: fc.Arbitrary<unknown>;
  if (field.resolvedType instanceof protobuf.Type) {
    if (depth >= DEPTH_MAX) return undefined;
    const inner = field.resolvedType;
    // Built when it is drawn: the messages are recursive, and most branches are never taken.
    value = fc.constant(null).chain(() => messageArbitrary(inner, depth + 1));
  } else if (field.resolvedType) {
    value = fc.integer({ min: 0, max: 24 });
  } else {
    value = scalarArbitrary(field.type, field.name);
  }
  return field.repeated ? fc.array(value, { maxLength: depth < 3 ? 3 : 2 }) : value;
}

function scalarArbitrary(type: string, name: string): fc.Arbitrary<unknown> {
  switch (type) {
    case 'string':
      return fc.string({ unit: 'grapheme', maxLength: 12 });
    case 'bytes':
      if (name === 'traceId') return bytes(16);
      return /spanId$/i.test(name) ? bytes(8) : fc.uint8Array({ maxLength: 8 }).map((b) => Buffer.from(b));
    case 'bool':
      return fc.boolean();
    case 'double':
      return fc.double();
    case 'uint32':
    case 'fixed32':
      return fc.nat(2 ** 32 - 1);
    case 'int32':
    case 'sint32':
      return fc.integer();
    case 'int64':
    case 'sfixed64':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
    case 'uint64':
    case 'fixed64':
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);
    default:
      throw new Error(`no arbitrary for ${type}`);
  }
}

/** An id, now and then missing. */
function bytes(length: number): fc.Arbitrary<Buffer> {
  return fc.oneof(
    {
      weight: 9,
      arbitrary: fc.uint8Array({ minLength: length, maxLength: length }).map((b) => Buffer.from(b)),
    },
    { weight: 1, arbitrary: fc.constant(Buffer.alloc(0)) },
  );
}

/** One of the ways in which bytes go wrong on their way. */
export function mutationArbitrary(original: Buffer): fc.Arbitrary<Buffer> {
  const at = fc.nat(Math.max(0, original.length - 1));
  const flip = fc.tuple(at, fc.integer({ min: 1, max: 255 })).map(([index, mask]) => {
    const copy = Buffer.from(original);
    if (copy.length > 0) copy[index] = copy[index]! ^ mask;
    return copy;
  });
  const cut = at.map((length) => original.subarray(0, length));
  const insert = fc
    .tuple(at, fc.uint8Array({ minLength: 1, maxLength: 12 }))
    .map(([index, extra]) => Buffer.concat([original.subarray(0, index), extra, original.subarray(index)]));
  const remove = fc
    .tuple(at, fc.integer({ min: 1, max: 12 }))
    .map(([index, n]) => Buffer.concat([original.subarray(0, index), original.subarray(index + n)]));
  return fc.oneof(flip, cut, insert, remove);
}
