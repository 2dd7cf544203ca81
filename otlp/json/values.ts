// One value that is no message, from JSON text to protobuf: strings, bytes, numbers and truth values, by kind of field.
// Invariant: a value that the kind cannot hold exactly is refused, with what was expected and the kind of what was found.

import type { MalformedOtlp } from '../malformed.ts';
import type { ProtobufWriter } from '../protobuf_writer.ts';
import type { ScalarKind } from '../schema.ts';
import { type Decode, decodeBase64, decodeHex } from './binary_text.ts';
import { doubleAt, JsonInteger } from './number.ts';
import type { PlanField } from './plan.ts';
import { type JsonScanner, QUOTE } from './scanner.ts';

const LOWER_F = 0x66;
const LOWER_T = 0x74;
const TWO_31 = 2 ** 31;
const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;

const expected: Readonly<Record<ScalarKind, string>> = {
  string: 'a string',
  bytes: 'a string in base64',
  trace_id: 'a string of 32 hex digits or none',
  span_id: 'a string of 16 hex digits or none',
  bool: 'true or false',
  int32: 'an integer from -2^31 to 2^31-1',
  sint32: 'an integer from -2^31 to 2^31-1',
  enum: 'the integer of an enum value',
  uint32: 'an integer from 0 to 2^32-1',
  fixed32: 'an integer from 0 to 2^32-1',
  int64: 'an integer from -2^63 to 2^63-1',
  sfixed64: 'an integer from -2^63 to 2^63-1',
  uint64: 'an integer from 0 to 2^64-1',
  fixed64: 'an integer from 0 to 2^64-1',
  double: 'a number, "NaN", "Infinity" or "-Infinity"',
};

const namedDoubles: ReadonlyMap<string, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);

export class ValueTranscoder {
  readonly #scanner: JsonScanner;
  readonly #writer: ProtobufWriter;
  readonly #integer = new JsonInteger();

  constructor(scanner: JsonScanner, writer: ProtobufWriter) {
    this.#scanner = scanner;
    this.#writer = writer;
  }

  /** The value at hand, without a tag, and with its length if its kind has one. @throws MalformedOtlp */
  write(field: PlanField): void {
    const kind = field.kind;
    switch (kind) {
      case 'string':
        this.#string(field);
        return;
      case 'trace_id':
        this.#binary(field, kind, decodeHex, TRACE_ID_BYTES);
        return;
      case 'span_id':
        this.#binary(field, kind, decodeHex, SPAN_ID_BYTES);
        return;
      case 'bytes':
        this.#binary(field, kind, decodeBase64, undefined);
        return;
      case 'bool':
        this.#bool();
        return;
      case 'double':
        this.#double();
        return;
      case 'message':
        throw new TypeError('a message is no single value');
      default:
        this.#readInteger(kind);
        this.#writeInteger(kind);
    }
  }

  #string(field: PlanField): void {
    const scanner = this.#scanner;
    const writer = this.#writer;
    if (scanner.peek() !== QUOTE) throw scanner.unexpected(expected.string);
    const start = scanner.position + 1;
    const stop = scanner.stringEnd();
    if (scanner.escaped) {
      const width = field.lengthWidth;
      const content = writer.open(width);
      scanner.unescape(start, stop, writer);
      field.lengthWidth = writer.close(content, width);
    } else {
      writer.varint(stop - start);
      writer.copy(scanner.bytes, start, stop);
    }
  }

  /** @param length what the bytes must have if there are any; undefined for any number */
  #binary(field: PlanField, kind: ScalarKind, decode: Decode, length: number | undefined): void {
    const scanner = this.#scanner;
    const writer = this.#writer;
    if (scanner.peek() !== QUOTE) throw scanner.unexpected(expected[kind]);
    const at = scanner.position;
    const stop = scanner.stringEnd();
    const width = field.lengthWidth;
    const content = writer.open(width);
    let end: number;
    if (scanner.escaped) {
      // Some encoders escape the slash, which is a digit of base64.
      scanner.unescape(at + 1, stop, writer);
      const target = writer.room(0);
      end = decode(target, content, writer.length, target, content);
    } else {
      end = decode(scanner.bytes, at + 1, stop, writer.room(stop - at), content);
    }
    const decoded = end - content;
    if (end < 0 || (length !== undefined && decoded !== length && decoded !== 0)) {
      throw this.#unsuitable(kind, at);
    }
    writer.length = end;
    field.lengthWidth = writer.close(content, width);
  }

  #bool(): void {
    const scanner = this.#scanner;
    const byte = scanner.peek();
    if (byte !== LOWER_T && byte !== LOWER_F) throw scanner.unexpected(expected.bool);
    scanner.literal(byte === LOWER_T ? 'true' : 'false');
    this.#writer.byte(byte === LOWER_T ? 1 : 0);
  }

  #double(): void {
    const scanner = this.#scanner;
    const quoted = scanner.peek() === QUOTE;
    const at = scanner.position;
    let value: number | undefined;
    if (scanner.number(quoted)) {
      value = doubleAt(scanner.source, scanner.start, scanner.stop);
      // Rounding to infinity would be another value than the one that was sent.
      if (!Number.isFinite(value)) value = undefined;
    } else if (quoted) {
      value = namedDoubles.get(scanner.source.toString('latin1', scanner.start, scanner.stop));
    }
    if (value === undefined) throw this.#unsuitable('double', at);
    this.#writer.double(value);
  }

  /** Into `#integer`, within the bounds of `kind`. */
  #readInteger(kind: ScalarKind): void {
    const scanner = this.#scanner;
    const quoted = scanner.peek() === QUOTE;
    const at = scanner.position;
    const integer = this.#integer;
    // OTLP/JSON has enums as integers only; a string could be a name.
    if (kind === 'enum' && quoted) throw scanner.unexpected(expected.enum);
    if (
      !scanner.number(quoted) ||
      !integer.read(scanner.source, scanner.start, scanner.stop) ||
      !fits(integer, kind)
    ) {
      throw this.#unsuitable(kind, at);
    }
  }

  #writeInteger(kind: ScalarKind): void {
    const writer = this.#writer;
    const { negative } = this.#integer;
    let { high, low } = this.#integer;
    if (kind === 'sint32') {
      // Zigzag: the sign is the lowest bit.
      writer.varint(negative ? low * 2 - 1 : low * 2);
      return;
    }
    if (negative) {
      // Two's complement over both halves.
      high = (~high + (low === 0 ? 1 : 0)) >>> 0;
      low = -low >>> 0;
    }
    if (kind === 'fixed64' || kind === 'sfixed64') writer.fixed64(high, low);
    else if (kind === 'fixed32') writer.fixed32(low);
    else writer.varint64(high, low);
  }

  #unsuitable(kind: ScalarKind, at: number): MalformedOtlp {
    this.#scanner.position = at;
    return this.#scanner.unsuitable(expected[kind]);
  }
}

function fits({ negative, high, low }: JsonInteger, kind: ScalarKind): boolean {
  switch (kind) {
    case 'uint64':
    case 'fixed64':
      return !negative;
    case 'int64':
    case 'sfixed64':
      return high < TWO_31 || (negative && high === TWO_31 && low === 0);
    case 'uint32':
    case 'fixed32':
      return high === 0 && !negative;
    default:
      return high === 0 && low <= (negative ? TWO_31 : TWO_31 - 1);
  }
}
