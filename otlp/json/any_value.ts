// A JSON value of any shape as an AnyValue (common.proto), from bytes to bytes, for receivers that take JSON which is no OTLP.
// Invariant: what comes out says what the JSON said: whole numbers within 64 bits stay integers to the last digit, others are
// doubles, null is a value that is not set, and a key that comes twice stays twice.

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
} from '../any_value_tags.ts';
import { MalformedOtlp } from '../malformed.ts';
import { type ProtobufWriter, widthOf } from '../protobuf_writer.ts';
import { DEPTH_MAX } from './depth.ts';
import { doubleAt, JsonInteger } from './number.ts';
import {
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  isDigit,
  type JsonScanner,
  MINUS,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
} from './scanner.ts';

const LOWER_T = 0x74;
const LOWER_F = 0x66;
const LOWER_N = 0x6e;
const TWO_31 = 2 ** 31;
/** Messages that one level of an array adds: ArrayValue, AnyValue. */
const ARRAY_MESSAGES = 2;
/** The same of an object: KeyValueList, KeyValue, AnyValue. */
const OBJECT_MESSAGES = 3;

export class JsonAnyValueWriter {
  readonly #scanner: JsonScanner;
  readonly #writer: ProtobufWriter;
  readonly #integer = new JsonInteger();
  /** How wide the length of a list at each depth was when the last one was written: the guess for the next. */
  readonly #widths = new Uint8Array(DEPTH_MAX + OBJECT_MESSAGES + 1).fill(1);
  /** Where the reading is, level by level: a key's place in the text, or an index. */
  readonly #keyStarts = new Int32Array(DEPTH_MAX + 1);
  readonly #keyStops = new Int32Array(DEPTH_MAX + 1);
  readonly #indexes = new Int32Array(DEPTH_MAX + 1);
  #level = 0;

  constructor(scanner: JsonScanner, writer: ProtobufWriter) {
    this.#scanner = scanner;
    this.#writer = writer;
  }

  /**
   * Passes the value at hand and writes it with its length, to be put behind the tag of whatever has it.
   * @param depth messages around it
   * @throws MalformedOtlp
   */
  write(depth: number): void {
    this.#level = 0;
    this.#value(depth);
  }

  /** Within the value that `write` threw for: `user.tags[2]`; empty at its top. */
  path(): string {
    let path = '';
    for (let level = 0; level < this.#level; level++) {
      const index = this.#indexes[level]!;
      if (index >= 0) path += `[${index}]`;
      else {
        const key = this.#scanner.bytes.toString('utf8', this.#keyStarts[level]!, this.#keyStops[level]!);
        path += `${path === '' ? '' : '.'}${key}`;
      }
    }
    return path;
  }

  /** A string with its tag and length, from its opening quote: KeyValue.key, AnyValue.string_value. */
  string(tag: number): void {
    const scanner = this.#scanner;
    const writer = this.#writer;
    const start = scanner.position + 1;
    const stop = scanner.stringEnd();
    writer.byte(tag);
    if (scanner.escaped) {
      const content = writer.open(1);
      scanner.unescape(start, stop, writer);
      writer.close(content, 1);
    } else {
      writer.varint(stop - start);
      writer.copy(scanner.bytes, start, stop);
    }
  }

  #value(depth: number): void {
    const scanner = this.#scanner;
    const writer = this.#writer;
    const byte = scanner.peek();
    switch (byte) {
      case QUOTE:
        this.#stringValue();
        return;
      case OPEN_OBJECT:
        this.#within(depth, KVLIST_VALUE, OBJECT_MESSAGES);
        return;
      case OPEN_ARRAY:
        this.#within(depth, ARRAY_VALUE, ARRAY_MESSAGES);
        return;
      case LOWER_T:
      case LOWER_F:
        scanner.literal(byte === LOWER_T ? 'true' : 'false');
        writer.byte(2);
        writer.byte(BOOL_VALUE);
        writer.byte(byte === LOWER_T ? 1 : 0);
        return;
      case LOWER_N:
        scanner.literal('null');
        writer.byte(0);
        return;
      default:
        this.#number();
    }
  }

  #stringValue(): void {
    const scanner = this.#scanner;
    const writer = this.#writer;
    const start = scanner.position;
    const stop = scanner.stringEnd();
    const length = stop - start - 1;
    if (!scanner.escaped) {
      writer.varint(1 + widthOf(length) + length);
      writer.byte(STRING_VALUE);
      writer.varint(length);
      writer.copy(scanner.bytes, start + 1, stop);
      return;
    }
    scanner.position = start;
    const width = widthOf(length);
    const value = writer.open(width);
    this.string(STRING_VALUE);
    writer.close(value, width);
  }

  #number(): void {
    const scanner = this.#scanner;
    const writer = this.#writer;
    const integer = this.#integer;
    if (!scanner.number(false)) throw scanner.unexpected('a value');
    const { source, start, stop } = scanner;
    if (isWhole(source, start, stop) && integer.read(source, start, stop) && isInt64(integer)) {
      let { high, low } = integer;
      if (integer.negative) {
        // Two's complement over both halves.
        high = (~high + (low === 0 ? 1 : 0)) >>> 0;
        low = -low >>> 0;
      }
      const value = writer.open(1);
      writer.byte(INT_VALUE);
      writer.varint64(high, low);
      writer.close(value, 1);
      return;
    }
    const double = doubleAt(source, start, stop);
    if (!Number.isFinite(double)) {
      throw new MalformedOtlp('a number that is too large for a double', start);
    }
    writer.byte(9);
    writer.byte(DOUBLE_VALUE);
    writer.double(double);
  }

  #within(depth: number, tag: number, messages: number): void {
    const scanner = this.#scanner;
    const writer = this.#writer;
    const inner = depth + messages;
    if (inner > DEPTH_MAX) throw new MalformedOtlp('values nested too deeply', scanner.position);
    const level = this.#level;
    this.#level = level + 1;
    const width = this.#widths[depth]!;
    const value = writer.open(width);
    writer.byte(tag);
    const listWidth = this.#widths[depth + 1]!;
    const list = writer.open(listWidth);
    if (tag === KVLIST_VALUE) this.#members(level, inner);
    else this.#elements(level, inner);
    this.#widths[depth + 1] = writer.close(list, listWidth);
    this.#widths[depth] = writer.close(value, width);
    this.#level = level;
  }

  #members(level: number, depth: number): void {
    const scanner = this.#scanner;
    const writer = this.#writer;
    this.#indexes[level] = -1;
    this.#keyStarts[level] = 0;
    this.#keyStops[level] = 0;
    scanner.position++;
    if (scanner.peek() === CLOSE_OBJECT) {
      scanner.position++;
      return;
    }
    for (;;) {
      if (scanner.peek() !== QUOTE) throw scanner.unexpected('a key');
      const keyStart = scanner.position + 1;
      writer.byte(VALUES);
      const width = this.#widths[depth]!;
      const pair = writer.open(width);
      this.string(KEY);
      this.#keyStarts[level] = keyStart;
      this.#keyStops[level] = scanner.position - 1;
      scanner.expect(COLON, 'a colon');
      writer.byte(VALUE);
      this.#value(depth);
      writer.close(pair, width);
      const next = scanner.peek();
      if (next !== COMMA && next !== CLOSE_OBJECT)
        throw scanner.unexpected('a comma or the end of the object');
      scanner.position++;
      if (next === CLOSE_OBJECT) return;
    }
  }

  #elements(level: number, depth: number): void {
    const scanner = this.#scanner;
    scanner.position++;
    if (scanner.peek() === CLOSE_ARRAY) {
      scanner.position++;
      return;
    }
    for (let index = 0; ; index++) {
      this.#indexes[level] = index;
      this.#writer.byte(VALUES);
      this.#value(depth);
      const next = scanner.peek();
      if (next !== COMMA && next !== CLOSE_ARRAY) throw scanner.unexpected('a comma or the end of the array');
      scanner.position++;
      if (next === CLOSE_ARRAY) return;
    }
  }
}

/** Digits and a sign alone; −0 is a double, for integers have none. */
function isWhole(bytes: Buffer, start: number, stop: number): boolean {
  const first = bytes[start] === MINUS ? start + 1 : start;
  for (let at = first; at < stop; at++) if (!isDigit(bytes[at]!)) return false;
  return first === start || stop - first > 1 || bytes[first] !== 0x30;
}

function isInt64({ negative, high, low }: JsonInteger): boolean {
  return high < TWO_31 || (negative && high === TWO_31 && low === 0);
}
