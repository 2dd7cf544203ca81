// Names the field that a byte of a protobuf message belongs to, for error messages: the walk keeps no track of that.
// Invariant: it never throws; where the bytes make no sense the path ends at the last message that did.

import type { Message } from './schema.ts';
import { afterValue, afterVarint, isTag, varintAt } from './varint.ts';

/** Path such as `resource_spans[0].scope_spans[1].spans[3].name`; unknown fields appear as `field 99`. */
export function locate(root: Message, bytes: Uint8Array, position: number): string {
  const path: string[] = [];
  let message: Message | undefined = root;
  let start = 0;
  let end = bytes.length;
  while (message) {
    const hit = fieldAt(message, bytes, start, end, position);
    if (hit === undefined) break;
    path.push(hit.name);
    if (position <= hit.tagAt || position < hit.valueAt) break;
    message = hit.message;
    start = hit.valueAt;
    end = hit.end;
  }
  return path.join('.');
}

interface Hit {
  readonly name: string;
  readonly message: Message | undefined;
  readonly tagAt: number;
  /** First byte of what a length counts. */
  readonly valueAt: number;
  readonly end: number;
}

function fieldAt(
  message: Message,
  bytes: Uint8Array,
  start: number,
  end: number,
  position: number,
): Hit | undefined {
  const seen = new Map<number, number>();
  let at = start;
  while (at < end) {
    let tag: number;
    let after: number;
    let valueAt: number;
    try {
      valueAt = afterVarint(bytes, at, end);
      tag = varintAt(bytes, at, valueAt);
      if (!isTag(tag)) return undefined;
    } catch {
      return undefined;
    }
    const number = Math.floor(tag / 8);
    const field = message.fields.get(number);
    const index = seen.get(number) ?? 0;
    const name = field ? `${field.protoName}${field.repeated ? `[${index}]` : ''}` : `field ${number}`;
    try {
      after = afterValue(bytes, tag, valueAt, end);
      if (tag % 8 === 2) valueAt = afterVarint(bytes, valueAt, end);
    } catch {
      return { name, message: undefined, tagAt: at, valueAt, end };
    }
    if (position < after) {
      return { name, message: tag % 8 === 2 ? field?.message : undefined, tagAt: at, valueAt, end: after };
    }
    seen.set(number, index + 1);
    at = after;
  }
  return undefined;
}
