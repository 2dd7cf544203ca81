// Steps over JSON text (RFC 8259) byte by byte: tokens, strings, what is skipped. It builds nothing.
// Invariant: `position` never passes `end`, and what it passed over is JSON: escapes are checked where they are met.

import { MalformedOtlp } from '../malformed.ts';
import type { ProtobufWriter } from '../protobuf_writer.ts';

/** What `peek` gives where nothing is left. */
export const END = -1;
export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const MINUS = 0x2d;
export const COLON = 0x3a;
export const OPEN_ARRAY = 0x5b;
export const CLOSE_ARRAY = 0x5d;
export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;
const BACKSLASH = 0x5c;
const LOWER_U = 0x75;
/** What `hexValues` says of bytes that are no digit. */
export const NO_DIGIT = 255;
const REPLACEMENT = 0xfffd;

/** Nesting of values that are skipped; each level is one of ours on the stack. */
const SKIPPED_DEPTH_MAX = 100;

/** What a byte within a string means: 0 text, 1 the end, an escape or something that may not be there. */
const special = new Uint8Array(256);
special.fill(1, 0, 0x20);
special[QUOTE] = 1;
special[BACKSLASH] = 1;

/** Code point of an escape by its letter; 0 for letters that are none. */
const escapes = new Uint8Array(256);
for (const [letter, code] of Object.entries({ b: 8, t: 9, n: 10, f: 12, r: 13 })) {
  escapes[letter.charCodeAt(0)] = code;
}
for (const itself of '"\\/') escapes[itself.charCodeAt(0)] = itself.charCodeAt(0);

const nothing = Buffer.alloc(0);

export class JsonScanner {
  bytes: Buffer = nothing;
  position = 0;
  end = 0;
  /** Whether the string that `stringEnd` found has escapes. */
  escaped = false;
  /** What `number` found stands in [start, stop) of this. */
  source: Buffer = nothing;
  start = 0;
  stop = 0;

  read(bytes: Buffer): void {
    this.bytes = bytes;
    this.position = 0;
    this.end = bytes.length;
  }

  /** Holds on to nothing of what was read. */
  forget(): void {
    this.read(nothing);
    this.source = nothing;
  }

  /** Skips white space. @returns the byte at `position`, or END */
  peek(): number {
    const { bytes, end } = this;
    let at = this.position;
    while (at < end) {
      const byte = bytes[at]!;
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) {
        this.position = at;
        return byte;
      }
      at++;
    }
    this.position = at;
    return END;
  }

  /** Passes `byte`, and white space before it. @throws MalformedOtlp */
  expect(byte: number, expected: string): void {
    if (this.peek() !== byte) throw this.unexpected(expected);
    this.position++;
  }

  /** Passes `text`, which is true, false or null. @throws MalformedOtlp */
  literal(text: string): void {
    const { bytes, position } = this;
    for (let i = 0; i < text.length; i++) {
      if (position + i >= this.end || bytes[position + i] !== text.charCodeAt(i)) {
        throw new MalformedOtlp('no JSON value', position);
      }
    }
    this.position = position + text.length;
  }

  /**
   * Passes the string that begins at `position` with its quote. @returns where its closing quote stands
   * @throws MalformedOtlp
   */
  stringEnd(): number {
    const { bytes, end } = this;
    let at = this.position + 1;
    this.escaped = false;
    for (;;) {
      while (at < end && special[bytes[at]!] === 0) at++;
      if (at >= end) throw new MalformedOtlp('a string that does not end', this.position);
      const byte = bytes[at]!;
      if (byte === QUOTE) break;
      if (byte !== BACKSLASH) throw new MalformedOtlp('a control character within a string', at);
      this.escaped = true;
      at = this.#afterEscape(at);
    }
    this.position = at + 1;
    return at;
  }

  /** Writes the text of a string in [start, stop) that `stringEnd` has passed, its escapes resolved. */
  unescape(start: number, stop: number, writer: ProtobufWriter): void {
    const { bytes } = this;
    let at = start;
    while (at < stop) {
      let run = at;
      while (run < stop && bytes[run] !== BACKSLASH) run++;
      writer.copy(bytes, at, run);
      if (run === stop) return;
      const letter = bytes[run + 1]!;
      if (letter !== LOWER_U) {
        writer.byte(escapes[letter]!);
        at = run + 2;
        continue;
      }
      const unit = this.#codeUnit(run);
      const pair = isHigh(unit) && bytes[run + 6] === BACKSLASH && bytes[run + 7] === LOWER_U;
      const low = pair ? this.#codeUnit(run + 6) : 0;
      at = run + (isLow(low) ? 12 : 6);
      if (isLow(low)) writer.codePoint(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
      // Half a pair is no character, and protobuf strings are UTF-8: it becomes what encoders of UTF-8 write for it.
      else writer.codePoint(isHigh(unit) || isLow(unit) ? REPLACEMENT : unit);
    }
  }

  /** Passes the value at hand if it is a number or quoted; whether it is a number. Else it is the text in its quotes. */
  number(quoted: boolean): boolean {
    this.source = this.bytes;
    if (!quoted) {
      this.start = this.position;
      this.stop = numberEnd(this.bytes, this.start, this.end);
      if (this.stop < 0) return false;
      this.position = this.stop;
      return true;
    }
    this.start = this.position + 1;
    this.stop = this.stringEnd();
    if (this.escaped) {
      this.source = this.unescaped(this.start, this.stop);
      this.start = 0;
      this.stop = this.source.length;
    }
    return numberEnd(this.source, this.start, this.stop) === this.stop;
  }

  /** The same as bytes of their own, for what is rarely written with escapes: keys and numbers. */
  unescaped(start: number, stop: number): Buffer {
    // JSON.parse reads it as `unescape` does: what comes here has been passed by `stringEnd`.
    return Buffer.from(JSON.parse(`"${this.bytes.toString('utf8', start, stop)}"`) as string);
  }

  /** Passes one value of any kind, as fields that are not known are ignored. @throws MalformedOtlp */
  skip(depth = 0): void {
    const byte = this.peek();
    switch (byte) {
      case QUOTE:
        this.stringEnd();
        return;
      case OPEN_OBJECT:
      case OPEN_ARRAY:
        if (depth >= SKIPPED_DEPTH_MAX) {
          throw new MalformedOtlp(`values nested more than ${SKIPPED_DEPTH_MAX} deep`, this.position);
        }
        this.#skipWithin(byte, depth + 1);
        return;
      case 0x74:
        this.literal('true');
        return;
      case 0x66:
        this.literal('false');
        return;
      case 0x6e:
        this.literal('null');
        return;
      default: {
        const stop = numberEnd(this.bytes, this.position, this.end);
        if (stop < 0) throw this.unexpected('a value');
        this.position = stop;
      }
    }
  }

  /** What stands at `position` is not what should. It names the kind of value, never its content. */
  unexpected(expected: string): MalformedOtlp {
    return new MalformedOtlp(`expected ${expected}, found ${kindOf(this.peek())}`, this.position);
  }

  /** The value at `position` has a kind that may be right, but not what it should say. */
  unsuitable(expected: string): MalformedOtlp {
    const found = kindOf(this.peek()).replace(/^an? (?=number|string)/, 'another ');
    return new MalformedOtlp(`expected ${expected}, found ${found}`, this.position);
  }

  #skipWithin(opening: number, depth: number): void {
    const isObject = opening === OPEN_OBJECT;
    const closing = isObject ? CLOSE_OBJECT : CLOSE_ARRAY;
    this.position++;
    if (this.peek() === closing) {
      this.position++;
      return;
    }
    for (;;) {
      if (isObject) {
        if (this.peek() !== QUOTE) throw this.unexpected('a key');
        this.stringEnd();
        this.expect(COLON, 'a colon');
      }
      this.skip(depth);
      const next = this.peek();
      if (next !== closing && next !== COMMA)
        throw this.unexpected(`a comma or the end of the ${isObject ? 'object' : 'array'}`);
      this.position++;
      if (next === closing) return;
    }
  }

  #afterEscape(at: number): number {
    const { bytes, end } = this;
    const letter = at + 1 < end ? bytes[at + 1]! : 0;
    if (letter !== LOWER_U) {
      if (escapes[letter] === 0) throw new MalformedOtlp('an escape that does not exist', at);
      return at + 2;
    }
    for (let i = at + 2; i < at + 6; i++) {
      if (i >= end || hexValues[bytes[i]!] === NO_DIGIT)
        throw new MalformedOtlp('an escape without four hex digits', at);
    }
    return at + 6;
  }

  /** The UTF-16 code unit of the escape at `at`, four digits behind its "\u". */
  #codeUnit(at: number): number {
    const { bytes } = this;
    let unit = 0;
    for (let i = at + 2; i < at + 6; i++) unit = unit * 16 + hexValues[bytes[i]!]!;
    return unit;
  }
}

/** Where the number at `start` ends, at `end` at the latest; −1 when there is none (RFC 8259, section 6). */
function numberEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  if (at < end && bytes[at] === MINUS) at++;
  const integer = at;
  at = digitsEnd(bytes, at, end);
  const leadingZero = at - integer > 1 && bytes[integer] === 0x30;
  if (at === integer || leadingZero) return -1;
  if (at < end && bytes[at] === 0x2e) {
    const fraction = at + 1;
    at = digitsEnd(bytes, fraction, end);
    if (at === fraction) return -1;
  }
  if (at < end && (bytes[at]! | 0x20) === 0x65) {
    at++;
    if (at < end && (bytes[at] === 0x2b || bytes[at] === MINUS)) at++;
    const exponent = at;
    at = digitsEnd(bytes, exponent, end);
    if (at === exponent) return -1;
  }
  return at;
}

function digitsEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && isDigit(bytes[at]!)) at++;
  return at;
}

export function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** Value of a hex digit in either case, NO_DIGIT for everything else. */
export const hexValues = new Uint8Array(256).fill(NO_DIGIT);
for (let value = 0; value < 16; value++) {
  const digit = value.toString(16);
  hexValues[digit.charCodeAt(0)] = value;
  hexValues[digit.toUpperCase().charCodeAt(0)] = value;
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}

function kindOf(byte: number): string {
  if (isDigit(byte) || byte === MINUS) return 'a number';
  switch (byte) {
    case END:
      return 'the end of the body';
    case QUOTE:
      return 'a string';
    case OPEN_OBJECT:
      return 'an object';
    case OPEN_ARRAY:
      return 'an array';
    case 0x74:
      return 'true';
    case 0x66:
      return 'false';
    case 0x6e:
      return 'null';
    case COMMA:
      return 'a comma';
    case COLON:
      return 'a colon';
    case CLOSE_OBJECT:
      return 'the end of an object';
    case CLOSE_ARRAY:
      return 'the end of an array';
    default:
      return 'no JSON value';
  }
}
