// Writes AnyValue, the value of attributes and bodies, from what JSON and configurations hold (common.proto).
// Invariant: integers that a number holds exactly stay integers; no value is left out, null is a value that is not set.

import {
  ARRAY_VALUE,
  BOOL_VALUE,
  DOUBLE_VALUE,
  INT_VALUE,
  KEY,
  KVLIST_VALUE,
  STRING_VALUE,
  VALUE,
  VALUES,
} from './any_value_tags.ts';
import { DEPTH_MAX } from './json/depth.ts';
import { MalformedOtlp } from './malformed.ts';
import type { ProtobufWriter } from './protobuf_writer.ts';

export type AnyValue =
  | string
  | number
  | boolean
  | null
  | readonly AnyValue[]
  | { readonly [key: string]: AnyValue };

/** Length and content, to be put behind the tag of whatever has the value. @throws MalformedOtlp beyond 100 levels */
export function writeAnyValue(out: ProtobufWriter, value: AnyValue, depth = 0): void {
  if (depth > DEPTH_MAX) throw new MalformedOtlp(`values nested more than ${DEPTH_MAX} deep`, out.length);
  const start = out.open(1);
  switch (typeof value) {
    case 'string':
      out.byte(STRING_VALUE);
      out.text(value);
      break;
    case 'boolean':
      out.byte(BOOL_VALUE);
      out.byte(value ? 1 : 0);
      break;
    case 'number':
      writeNumber(out, value);
      break;
    default:
      if (value !== null) writeWithin(out, value, depth);
  }
  out.close(start, 1);
}

function writeNumber(out: ProtobufWriter, value: number): void {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    out.byte(DOUBLE_VALUE);
    out.double(value);
    return;
  }
  out.byte(INT_VALUE);
  // int64 on the wire is two's complement.
  out.varint64(Math.floor(value / 2 ** 32) >>> 0, value >>> 0);
}

function writeWithin(
  out: ProtobufWriter,
  value: readonly AnyValue[] | { readonly [key: string]: AnyValue },
  depth: number,
): void {
  const isList = Array.isArray(value);
  out.byte(isList ? ARRAY_VALUE : KVLIST_VALUE);
  const start = out.open(1);
  if (isList) {
    for (const each of value) {
      out.byte(VALUES);
      writeAnyValue(out, each, depth + 1);
    }
  } else {
    for (const [key, each] of Object.entries(value)) {
      out.byte(VALUES);
      const pair = out.open(1);
      out.byte(KEY);
      out.text(key);
      out.byte(VALUE);
      writeAnyValue(out, each, depth + 1);
      out.close(pair, 1);
    }
  }
  out.close(start, 1);
}
