// Several Export*ServiceRequests become one by concatenation: their only field is repeated, so the bytes one after the
// other ARE the merged message (protobuf encoding, "Last One Wins"). Nothing is decoded, unknown fields pass unharmed.
// Invariant: the result holds every byte of every payload, in order.

import assert from 'node:assert/strict';
import type { Entry } from './entry.ts';

/**
 * One allocation; a single entry is handed out as it is, without a copy. All payloads must be of codec `identity`.
 * @param allocate gives at least so many bytes; what they hold does not matter.
 */
export function concatenate(
  entries: readonly Pick<Entry, 'codec' | 'payload'>[],
  allocate: (bytes: number) => Uint8Array = Buffer.allocUnsafe,
): Uint8Array {
  let bytes = 0;
  for (const entry of entries) {
    assert.equal(entry.codec, 'identity', 'compressed payloads cannot be merged by concatenation');
    bytes += entry.payload.length;
  }
  if (entries.length === 1) return entries[0]!.payload;
  const merged = allocate(bytes).subarray(0, bytes);
  let position = 0;
  for (const entry of entries) {
    merged.set(entry.payload, position);
    position += entry.payload.length;
  }
  return merged;
}
