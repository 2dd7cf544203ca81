// Reading and writing single fields of a protobuf message, for the few messages that are looked into: responses,
// statuses, and requests on their way to JSON. Invariant: a reader stays within the bounds it was given.

import { MalformedOtlp } from './malformed.ts';
import { afterValue, afterVarint, isTag, tagFault, varintAt } from './varint.ts';

/** Steps over the fields of one message; the properties describe the field that `next` found. */
export class FieldReader {
  number = 0;
  wireType = 0;
  /** The value lies in [start, stop): for LEN fields the content, without the length. */
  start = 0;
  stop = 0;
  readonly bytes: Uint8Array;
  readonly #end: number;
  #position: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.#position = start;
    this.#end = end;
  }

  /** False at the end of the message. @throws MalformedOtlp */
  next(): boolean {
    const { bytes } = this;
    const at = this.#position;
    if (at >= this.#end) return false;
    const valueAt = afterVarint(bytes, at, this.#end);
    const tag = varintAt(bytes, at, valueAt);
    if (!isTag(tag)) throw new MalformedOtlp(tagFault(tag), at);
    this.stop = afterValue(bytes, tag, valueAt, this.#end);
    this.start = tag % 8 === 2 ? afterVarint(bytes, valueAt, this.#end) : valueAt;
    this.number = Math.floor(tag / 8);
    this.wireType = tag % 8;
    this.#position = this.stop;
    return true;
  }

  /** The content of a LEN field as a view. */
  content(): Uint8Array {
    return this.bytes.subarray(this.start, this.stop);
  }

  /** The content of a LEN field as text; what is not UTF-8 becomes U+FFFD. */
  text(): string {
    const { buffer, byteOffset } = this.bytes;
    return Buffer.from(buffer, byteOffset + this.start, this.stop - this.start).toString('utf8');
  }

  /** The value of a varint field as a signed 64-bit integer, rounded above 2^53. */
  integer(): number {
    return Number(int64At(this.bytes, this.start, this.stop));
  }
}

/** The varint in [start, stop), all 64 bits, unsigned. */
export function uint64At(bytes: Uint8Array, start: number, stop: number): bigint {
  // Seven bytes hold 49 bits, which a number still holds exactly.
  if (stop - start <= 7) return BigInt(varintAt(bytes, start, stop));
  const middle = start + 7;
  return (BigInt(varintAt(bytes, middle, stop)) << 49n) | BigInt(varintAt(bytes, start, middle));
}

/** The varint in [start, stop) as int64: negative numbers are two's complement, not zigzag. */
export function int64At(bytes: Uint8Array, start: number, stop: number): bigint {
  return BigInt.asIntN(64, uint64At(bytes, start, stop));
}

/** A varint field; nothing at all for 0, which is the default. */
export function varintField(number: number, value: number | bigint): Uint8Array {
  if (BigInt(value) === 0n) return new Uint8Array(0);
  return Uint8Array.from([
    ...varintBytes(BigInt(number * 8)),
    ...varintBytes(BigInt.asUintN(64, BigInt(value))),
  ]);
}

/** A string, bytes or message field, present even when empty. */
export function lengthField(number: number, content: string | Uint8Array): Uint8Array {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
  const head = [...varintBytes(BigInt(number * 8 + 2)), ...varintBytes(BigInt(bytes.length))];
  return Buffer.concat([Uint8Array.from(head), bytes]);
}

/** The same, but nothing at all when empty: strings without presence. */
export function textField(number: number, text: string): Uint8Array {
  return text === '' ? new Uint8Array(0) : lengthField(number, text);
}

function varintBytes(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return bytes;
}
