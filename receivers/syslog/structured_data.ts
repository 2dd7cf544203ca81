// STRUCTURED-DATA of RFC 5424 (6.3) from its bytes to the bytes of a map of maps. Invariant: what `read` accepts `write`
// writes without loss; names that come twice, which the RFC allows for parameters, become a list of their values.

import { type AnyValue, writeAnyValue } from '../../otlp/any_value.ts';
import { type ProtobufWriter, widthOf } from '../../otlp/protobuf_writer.ts';

const SPACE = 0x20;
const QUOTE = 0x22;
const EQUALS = 0x3d;
const OPENING = 0x5b;
const BACKSLASH = 0x5c;
const CLOSING = 0x5d;

/** Of AnyValue, of KeyValueList, of KeyValue (common.proto). */
const STRING_VALUE = 0x0a;
const KVLIST_VALUE = 0x32;
const VALUES = 0x0a;
const KEY = 0x0a;
const VALUE = 0x12;

/** Numbers of one part: where its name begins and ends, where its value does, and how many backslashes fall away. */
const STRIDE = 5;
/** The value of a part that is an SD-ID, whose parameters follow. */
const IS_ELEMENT = -1;
/** Names of larger sets are not compared one with each other. */
const COMPARED_MAX = 64;

export class StructuredData {
  /** Flat, so that no object is made of each parameter. */
  readonly #parts: number[] = [];
  #repeats = false;

  /** @param start of the first bracket. @returns where the data ended; -1 where it is not what the RFC says */
  read(bytes: Buffer, start: number, stop: number): number {
    const parts = this.#parts;
    parts.length = 0;
    let at = start;
    while (at < stop && bytes[at] === OPENING) {
      at = this.#readElement(bytes, at + 1, stop);
      if (at < 0) return -1;
    }
    if (at === start) return -1;
    this.#repeats = this.#hasRepeats(bytes);
    return at;
  }

  /** What was read last, from the same bytes: length and content of an AnyValue. */
  write(out: ProtobufWriter, bytes: Buffer): void {
    if (this.#repeats) writeAnyValue(out, this.#asValue(bytes));
    else this.#writeMap(out, bytes);
  }

  #readElement(bytes: Buffer, start: number, stop: number): number {
    let at = nameEnd(bytes, start, stop);
    if (at === start || at >= stop) return -1;
    this.#parts.push(start, at, IS_ELEMENT, IS_ELEMENT, 0);
    for (;;) {
      if (at >= stop) return -1;
      if (bytes[at] === CLOSING) return at + 1;
      if (bytes[at] !== SPACE) return -1;
      const name = at + 1;
      // Some devices leave a space before the bracket.
      if (name < stop && bytes[name] === CLOSING) return name + 1;
      const equals = nameEnd(bytes, name, stop);
      if (equals === name || bytes[equals] !== EQUALS || bytes[equals + 1] !== QUOTE) return -1;
      const value = equals + 2;
      let escapes = 0;
      at = value;
      while (at < stop && bytes[at] !== QUOTE) {
        if (bytes[at] === BACKSLASH && isEscaped(bytes[at + 1])) {
          escapes += 1;
          at += 1;
        }
        at += 1;
      }
      if (at >= stop) return -1;
      this.#parts.push(name, equals, value, at, escapes);
      at += 1;
    }
  }

  #hasRepeats(bytes: Buffer): boolean {
    const parts = this.#parts;
    if (parts.length > COMPARED_MAX * STRIDE) return true;
    let element = 0;
    for (let at = 0; at < parts.length; at += STRIDE) {
      const isElement = parts[at + 2] === IS_ELEMENT;
      if (isElement) element = at;
      for (let before = isElement ? 0 : element + STRIDE; before < at; before += STRIDE) {
        if ((parts[before + 2] === IS_ELEMENT) !== isElement) continue;
        if (isSame(bytes, parts[at]!, parts[at + 1]!, parts[before]!, parts[before + 1]!)) return true;
      }
    }
    return false;
  }

  #writeMap(out: ProtobufWriter, bytes: Buffer): void {
    const parts = this.#parts;
    const outer = out.open(1);
    out.byte(KVLIST_VALUE);
    const elements = out.open(1);
    let at = 0;
    while (at < parts.length) {
      out.byte(VALUES);
      const pair = out.open(1);
      writeKey(out, bytes, parts[at]!, parts[at + 1]!);
      out.byte(VALUE);
      const value = out.open(1);
      out.byte(KVLIST_VALUE);
      const parameters = out.open(1);
      for (at += STRIDE; at < parts.length && parts[at + 2] !== IS_ELEMENT; at += STRIDE) {
        this.#writeParameter(out, bytes, at);
      }
      out.close(parameters, 1);
      out.close(value, 1);
      out.close(pair, 1);
    }
    out.close(elements, 1);
    out.close(outer, 1);
  }

  #writeParameter(out: ProtobufWriter, bytes: Buffer, at: number): void {
    const parts = this.#parts;
    const nameStart = parts[at]!;
    const nameStop = parts[at + 1]!;
    const start = parts[at + 2]!;
    const stop = parts[at + 3]!;
    const escapes = parts[at + 4]!;
    const name_bytes = nameStop - nameStart;
    const value_bytes = stop - start - escapes;
    const any_bytes = 1 + widthOf(value_bytes) + value_bytes;
    out.byte(VALUES);
    out.varint(1 + widthOf(name_bytes) + name_bytes + 1 + widthOf(any_bytes) + any_bytes);
    writeKey(out, bytes, nameStart, nameStop);
    out.byte(VALUE);
    out.varint(any_bytes);
    out.byte(STRING_VALUE);
    out.varint(value_bytes);
    if (escapes === 0) out.copy(bytes, start, stop);
    else writeUnescaped(out, bytes, start, stop);
  }

  /** Rare, so objects may be made: no prototype, as names come from the wire. */
  #asValue(bytes: Buffer): AnyValue {
    const parts = this.#parts;
    const elements: Record<string, Record<string, string | string[]>> = Object.create(null);
    let element: Record<string, string | string[]> = Object.create(null);
    for (let at = 0; at < parts.length; at += STRIDE) {
      const name = bytes.toString('utf8', parts[at], parts[at + 1]);
      if (parts[at + 2] === IS_ELEMENT) {
        element = elements[name] ??= Object.create(null) as typeof element;
        continue;
      }
      const value = bytes.toString('utf8', parts[at + 2], parts[at + 3]).replace(/\\(["\\\]])/g, '$1');
      const before = element[name];
      if (before === undefined) element[name] = value;
      else if (typeof before === 'string') element[name] = [before, value];
      else before.push(value);
    }
    return elements;
  }
}

/** SD-NAME ends at = ] " or a space. */
function nameEnd(bytes: Buffer, start: number, stop: number): number {
  let at = start;
  while (at < stop) {
    const byte = bytes[at]!;
    if (byte <= SPACE || byte === EQUALS || byte === CLOSING || byte === QUOTE) break;
    at += 1;
  }
  return at;
}

/** A backslash before anything else stands for itself (RFC 5424, 6.3.3). */
function isEscaped(byte: number | undefined): boolean {
  return byte === QUOTE || byte === BACKSLASH || byte === CLOSING;
}

function isSame(bytes: Buffer, start: number, stop: number, otherStart: number, otherStop: number): boolean {
  if (stop - start !== otherStop - otherStart) return false;
  for (let at = start, other = otherStart; at < stop; at += 1, other += 1) {
    if (bytes[at] !== bytes[other]) return false;
  }
  return true;
}

function writeKey(out: ProtobufWriter, bytes: Buffer, start: number, stop: number): void {
  out.byte(KEY);
  out.varint(stop - start);
  out.copy(bytes, start, stop);
}

function writeUnescaped(out: ProtobufWriter, bytes: Buffer, start: number, stop: number): void {
  let from = start;
  for (let at = start; at < stop; at += 1) {
    if (bytes[at] !== BACKSLASH || !isEscaped(bytes[at + 1])) continue;
    out.copy(bytes, from, at);
    at += 1;
    from = at;
  }
  out.copy(bytes, from, stop);
}
