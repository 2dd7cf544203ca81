// Appends protobuf fields to one growing buffer that is used again and again: a message is written front to back, its
// length is put before it when it ends. Invariant: never more than `limit_bytes` are held, and every length is minimal.

import { HoldfastError } from '../config/error.ts';

/** Memory that is kept for the next message; more than that is given back. */
const KEPT_BYTES_MAX = 2 ** 20;
const FIRST_BYTES = 64 * 1024;
/** Below this a loop copies faster than a call does. */
const LOOP_BYTES_MAX = 48;

/** What is written would be larger than the receiver takes. */
export class OtlpTooLarge extends HoldfastError {
  readonly limit_bytes: number;

  constructor(limit_bytes: number) {
    super('HF_OTLP_TOO_LARGE', `the request is larger than ${limit_bytes} bytes as protobuf`, false);
    this.limit_bytes = limit_bytes;
  }
}

export class ProtobufWriter {
  length = 0;
  readonly limit_bytes: number;
  #bytes: Buffer;
  #view: DataView;

  constructor(limit_bytes: number) {
    this.limit_bytes = limit_bytes;
    this.#bytes = Buffer.alloc(0);
    this.#view = new DataView(this.#bytes.buffer, 0, 0);
  }

  /** Begins anew, as `finish` does too. */
  reset(): void {
    this.length = 0;
    if (this.#bytes.length > KEPT_BYTES_MAX) this.#replace(0);
  }

  /** All that was written, as a view that is valid until something is written again. */
  finish(): Buffer {
    const message = this.#written();
    this.reset();
    return message;
  }

  /** At most 32 bits, unsigned. */
  varint(value: number): void {
    this.#reserve(5);
    const bytes = this.#bytes;
    let at = this.length;
    let rest = value;
    while (rest >= 0x80) {
      bytes[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.length = at;
  }

  /** 64 bits as two halves, each unsigned. */
  varint64(high: number, low: number): void {
    if (high === 0) {
      this.varint(low);
      return;
    }
    this.#reserve(10);
    const bytes = this.#bytes;
    let at = this.length;
    let lower = low;
    let upper = high;
    while (upper > 0) {
      bytes[at++] = (lower & 0x7f) | 0x80;
      lower = ((lower >>> 7) | (upper << 25)) >>> 0;
      upper >>>= 7;
    }
    this.length = at;
    this.varint(lower);
  }

  fixed32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.length, value, true);
    this.length += 4;
  }

  fixed64(high: number, low: number): void {
    this.#reserve(8);
    this.#view.setUint32(this.length, low, true);
    this.#view.setUint32(this.length + 4, high, true);
    this.length += 8;
  }

  double(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.length++] = value;
  }

  /** The bytes of `source` in [start, stop). */
  copy(source: Buffer, start: number, stop: number): void {
    this.#reserve(stop - start);
    const bytes = this.#bytes;
    let at = this.length;
    if (stop - start > LOOP_BYTES_MAX) {
      source.copy(bytes, at, start, stop);
      this.length = at + stop - start;
      return;
    }
    for (let from = start; from < stop; from++) bytes[at++] = source[from]!;
    this.length = at;
  }

  /** A Unicode scalar value as UTF-8. */
  codePoint(code: number): void {
    this.#reserve(4);
    if (code < 0x80) {
      this.#bytes[this.length++] = code;
    } else {
      if (code < 0x800) {
        this.#bytes[this.length++] = 0xc0 | (code >> 6);
      } else {
        if (code < 0x10000) {
          this.#bytes[this.length++] = 0xe0 | (code >> 12);
        } else {
          this.#bytes[this.length++] = 0xf0 | (code >> 18);
          this.#bytes[this.length++] = 0x80 | ((code >> 12) & 0x3f);
        }
        this.#bytes[this.length++] = 0x80 | ((code >> 6) & 0x3f);
      }
      this.#bytes[this.length++] = 0x80 | (code & 0x3f);
    }
  }

  /** Text with its length in front; half a surrogate pair becomes U+FFFD. */
  text(text: string): void {
    const length = Buffer.byteLength(text);
    this.varint(length);
    this.#reserve(length);
    this.length += this.#bytes.write(text, this.length, length, 'utf8');
  }

  /** Leaves `width` bytes for a length that `close` puts there. @returns where the content begins */
  open(width: number): number {
    this.#reserve(width);
    this.length += width;
    return this.length;
  }

  /**
   * Puts the length of what was written since `open` before it. Where it takes more or fewer bytes than were left, the
   * content moves: whoever guesses the width from the last message of the kind rarely pays that.
   * @returns the width that was needed
   */
  close(contentStart: number, width: number): number {
    const length = this.length - contentStart;
    const needed = widthOf(length);
    if (needed !== width) {
      this.#reserve(Math.max(0, needed - width));
      this.#bytes.copyWithin(contentStart + needed - width, contentStart, this.length);
    }
    this.length = contentStart - width;
    this.varint(length);
    this.length += length;
    return needed;
  }

  /** Takes out what was written in [start, stop). */
  takeOut(start: number, stop: number): void {
    this.#bytes.copyWithin(start, stop, this.length);
    this.length -= stop - start;
  }

  /** For those who write by themselves: room for `more` bytes behind `length`. */
  room(more: number): Buffer {
    this.#reserve(more);
    return this.#bytes;
  }

  #written(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }

  #reserve(more: number): void {
    if (this.length + more > this.#bytes.length) this.#grow(this.length + more);
  }

  #grow(needed: number): void {
    if (needed > this.limit_bytes) throw new OtlpTooLarge(this.limit_bytes);
    const doubled = Math.max(FIRST_BYTES, 2 * this.#bytes.length, needed);
    const old = this.#written();
    this.#replace(Math.min(doubled, this.limit_bytes));
    old.copy(this.#bytes);
  }

  #replace(size: number): void {
    this.#bytes = Buffer.allocUnsafeSlow(size);
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, size);
  }
}

/** Bytes that a varint of `value` takes; below 2^32. */
export function widthOf(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  return value < 0x10000000 ? 4 : 5;
}
