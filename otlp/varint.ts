// Varints and tags of the protobuf wire format (protobuf.dev, "Encoding"), read in place from a larger buffer.
// Invariant: no byte at or after `end` is ever read, and a varint that a strict parser refuses is refused here.

import { MalformedOtlp } from './malformed.ts';

/** 64 bits take at most this many bytes. */
const VARINT_BYTES_MAX = 10;
/** Field numbers have 29 bits. */
const FIELD_NUMBER_MAX = 2 ** 29 - 1;
/** Protobuf parsers refuse deeper nesting too. */
const GROUP_DEPTH_MAX = 100;

/** Where the varint at `position` ends. @throws MalformedOtlp when it does not end before `end` or has over 64 bits. */
export function afterVarint(bytes: Uint8Array, position: number, end: number): number {
  const last = position + VARINT_BYTES_MAX - 1;
  for (let at = position; at < end; at++) {
    const byte = bytes[at]!;
    if (at === last && byte > 1) throw new MalformedOtlp('a varint of more than 64 bits', position);
    if (byte < 0x80) return at + 1;
  }
  throw new MalformedOtlp('the message ends within a varint', position);
}

/** The value of the varint in [position, after): exact up to 2^53, beyond that only its size can be relied upon. */
export function varintAt(bytes: Uint8Array, position: number, after: number): number {
  let value = 0;
  for (let at = after - 1; at >= position; at--) value = value * 128 + (bytes[at]! & 0x7f);
  return value;
}

/** Says what is wrong with a tag that has no meaning. */
export function tagFault(tag: number): string {
  const wireType = tag % 8;
  if (wireType === 4) return 'the end of a group that never began';
  if (wireType > 5) return `wire type ${wireType} does not exist`;
  if (tag < 8) return 'field number 0';
  return `field number ${Math.floor(tag / 8)} is above ${FIELD_NUMBER_MAX}`;
}

/** Whether a tag names a field that can be: a number from 1 to 2^29 − 1 and a wire type that begins a value. */
export function isTag(tag: number): boolean {
  const wireType = tag % 8;
  return tag >= 8 && tag / 8 < FIELD_NUMBER_MAX + 1 && wireType <= 5 && wireType !== 4;
}

/**
 * Where the value of the field whose tag is `tag` ends, its value beginning at `position`; nothing is looked into but
 * groups, which have no length. @throws MalformedOtlp when the value passes `end`.
 */
export function afterValue(bytes: Uint8Array, tag: number, position: number, end: number, depth = 0): number {
  let from = position;
  let after: number;
  switch (tag % 8) {
    case 0:
      return afterVarint(bytes, position, end);
    case 1:
      after = position + 8;
      break;
    case 2:
      from = afterVarint(bytes, position, end);
      after = from + varintAt(bytes, position, from);
      break;
    case 3:
      return afterGroup(bytes, tag, position, end, depth + 1);
    case 5:
      after = position + 4;
      break;
    default:
      throw new MalformedOtlp(tagFault(tag), position);
  }
  if (after > end) throw new MalformedOtlp(`length ${after - from} passes the end`, position);
  return after;
}

/** Skips the deprecated groups: fields up to the end tag of the same number. */
function afterGroup(
  bytes: Uint8Array,
  startTag: number,
  position: number,
  end: number,
  depth: number,
): number {
  if (depth > GROUP_DEPTH_MAX) throw new MalformedOtlp('groups nested too deeply', position);
  let at = position;
  while (at < end) {
    const valueAt = afterVarint(bytes, at, end);
    const tag = varintAt(bytes, at, valueAt);
    if (tag === startTag + 1) return valueAt;
    if (!isTag(tag)) throw new MalformedOtlp(tagFault(tag), at);
    at = afterValue(bytes, tag, valueAt, end, depth);
  }
  throw new MalformedOtlp('the message ends within a group', position);
}
