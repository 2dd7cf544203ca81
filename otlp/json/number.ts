// The value of a number in JSON text, exact: 64-bit integers as two halves, doubles rounded as JSON.parse rounds them.
// Invariant: an integer is what the digits say or out of range, never the nearest double.

import { MINUS } from './scanner.ts';

const TWO_32 = 2 ** 32;
/** So many digits at a time keep every product below 2^53. */
const CHUNK_DIGITS = 6;
/** 2^64 has 20 digits. */
const INTEGER_DIGITS_MAX = 20;
/** Up to here digits and powers of ten are exact doubles, so one division rounds correctly (Clinger, 1990). */
const EXACT_DIGITS_MAX = 15;
const powersOfTen = Array.from({ length: EXACT_DIGITS_MAX + 1 }, (_, exponent) => 10 ** exponent);

/** The integer that was read last. One object is used for all, so that reading allocates nothing. */
export class JsonInteger {
  negative = false;
  /** Magnitude: high × 2^32 + low. */
  high = 0;
  low = 0;

  /** Reads the number in [start, stop), which is one. @returns false when it is no integer or far out of range */
  read(bytes: Buffer, start: number, stop: number): boolean {
    this.negative = bytes[start] === MINUS;
    const first = this.negative ? start + 1 : start;
    this.high = 0;
    this.low = 0;
    for (let at = first; at < stop; at += CHUNK_DIGITS) {
      const chunkEnd = Math.min(at + CHUNK_DIGITS, stop);
      let chunk = 0;
      let scale = 1;
      for (let i = at; i < chunkEnd; i++) {
        const digit = bytes[i]! - 0x30;
        // A point or an exponent: 1.0 and 1e3 are integers too (ProtoJSON).
        if (digit < 0 || digit > 9) return this.#readRational(bytes, first, stop);
        chunk = chunk * 10 + digit;
        scale *= 10;
      }
      if (at - first > INTEGER_DIGITS_MAX) return false;
      const low = this.low * scale + chunk;
      const carry = Math.floor(low / TWO_32);
      this.low = low - carry * TWO_32;
      this.high = this.high * scale + carry;
    }
    return this.#within64();
  }

  /** With a point or an exponent; most are short, and then the double is exact wherever it is an integer. */
  #readRational(bytes: Buffer, first: number, stop: number): boolean {
    const value = stop - first > EXACT_DIGITS_MAX ? 0 : doubleAt(bytes, first, stop);
    // Zero may be what is left of a small fraction.
    if (value === 0 || value > Number.MAX_SAFE_INTEGER) {
      return this.#readDigits(bytes.toString('latin1', first, stop));
    }
    this.high = Math.floor(value / TWO_32);
    this.low = value % TWO_32;
    return Number.isInteger(value) && this.#within64();
  }

  #readDigits(text: string): boolean {
    const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
    const [whole = '', fraction = ''] = mantissa.split('.');
    const digits = (whole + fraction).replace(/^0+/, '');
    const significant = digits.replace(/0+$/, '');
    this.high = 0;
    this.low = 0;
    if (significant === '') return this.#within64();
    const zeros = Number(exponent) - fraction.length + (digits.length - significant.length);
    if (zeros < 0 || significant.length + zeros > INTEGER_DIGITS_MAX) return false;
    const value = BigInt(significant + '0'.repeat(zeros));
    this.high = Number(value >> 32n);
    this.low = Number(value & 0xffffffffn);
    return this.#within64();
  }

  /** Integers have no negative zero. */
  #within64(): boolean {
    if (this.high === 0 && this.low === 0) this.negative = false;
    return this.high < TWO_32;
  }
}

/** The double nearest to the number in [start, stop), which is one; infinite when it is out of range. */
export function doubleAt(bytes: Buffer, start: number, stop: number): number {
  const negative = bytes[start] === MINUS;
  const first = negative ? start + 1 : start;
  if (stop - first > EXACT_DIGITS_MAX) return Number(bytes.toString('latin1', start, stop));
  let digits = 0;
  let fractionDigits = 0;
  let point = false;
  for (let at = first; at < stop; at++) {
    const byte = bytes[at]!;
    if (byte === 0x2e) {
      point = true;
      continue;
    }
    if (byte < 0x30 || byte > 0x39) return Number(bytes.toString('latin1', start, stop));
    digits = digits * 10 + byte - 0x30;
    if (point) fractionDigits++;
  }
  const value = digits / powersOfTen[fractionDigits]!;
  return negative ? -value : value;
}
