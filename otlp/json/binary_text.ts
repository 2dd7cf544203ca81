// Bytes that are written as text in JSON: hex of ids, base64 of everything else.
// Invariant: the writing never overtakes the reading, so that text may be decoded over itself.

import { hexValues, NO_DIGIT } from './scanner.ts';

const PADDING = 0x3d;

/** Value by letter, for the standard and for the URL-safe alphabet: ProtoJSON accepts both (RFC 4648, sections 4 and 5). */
const base64Values = new Uint8Array(256).fill(NO_DIGIT);
for (let value = 0; value < 64; value++) {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  base64Values[letters.charCodeAt(value)] = value;
}
base64Values['-'.charCodeAt(0)] = 62;
base64Values['_'.charCodeAt(0)] = 63;

/** Text in [start, stop) of `source` to bytes at `at` of `target`. @returns where they end, or −1 when it is no such text */
export type Decode = (
  source: Uint8Array,
  start: number,
  stop: number,
  target: Uint8Array,
  at: number,
) => number;

/** Digits in either case (RFC 4648, section 8). */
export const decodeHex: Decode = (source, start, stop, target, at) => {
  if ((stop - start) % 2 !== 0) return -1;
  let to = at;
  for (let from = start; from < stop; from += 2) {
    const high = hexValues[source[from]!]!;
    const low = hexValues[source[from + 1]!]!;
    if (high === NO_DIGIT || low === NO_DIGIT) return -1;
    target[to++] = high * 16 + low;
  }
  return to;
};

/** Both alphabets, padded or not. */
export const decodeBase64: Decode = (source, start, stop, target, at) => {
  let end = stop;
  if ((stop - start) % 4 === 0) {
    while (end > start && stop - end < 2 && source[end - 1] === PADDING) end--;
  }
  if ((end - start) % 4 === 1) return -1;
  let to = at;
  let bits = 0;
  let held = 0;
  for (let from = start; from < end; from++) {
    const value = base64Values[source[from]!]!;
    if (value === NO_DIGIT) return -1;
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      target[to++] = (held >> bits) & 0xff;
    }
  }
  return to;
};
