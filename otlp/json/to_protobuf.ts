// A request from OTLP/JSON to protobuf, in one pass from bytes to bytes, driven by the tables of schema.ts.
// Invariant: what comes out is canonical wire format that says what the JSON said, to the last digit; unknown keys
// leave no trace. Source: opentelemetry-proto, docs/specification.md, "JSON Protobuf Encoding"; protobuf.dev, "ProtoJSON".

import { isUtf8 } from 'node:buffer';
import { MalformedOtlp } from '../malformed.ts';
import { ProtobufWriter } from '../protobuf_writer.ts';
import { requestOf } from '../schema.ts';
import type { Signal } from '../signal.ts';
import { DEPTH_MAX } from './depth.ts';
import { type PlanField, type PlanMessage, planOf } from './plan.ts';
import {
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  END,
  JsonScanner,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
} from './scanner.ts';
import { ValueTranscoder } from './values.ts';

const LOWER_N = 0x6e;
/** Above every field number of OTLP; the bits of one number hold one for each. */
const FIELD_NUMBERS = 32;

/** Holds the memory that one request after the other is written to. */
export class JsonTranscoder {
  readonly #plans: Readonly<Record<Signal, PlanMessage>> = {
    traces: planOf(requestOf.traces),
    metrics: planOf(requestOf.metrics),
    logs: planOf(requestOf.logs),
  };
  readonly #scanner = new JsonScanner();
  readonly #writer: ProtobufWriter;
  readonly #values: ValueTranscoder;
  /** Where the reading is: the fields on the way to it, and within repeated ones the index, else −1. */
  readonly #fields = new Array<PlanField | undefined>(DEPTH_MAX + 1).fill(undefined);
  readonly #indexes = new Array<number>(DEPTH_MAX + 1).fill(-1);
  #depth = 0;
  /** Where the value of each field of the messages that are open was written, by depth and field number. */
  readonly #starts = new Uint32Array((DEPTH_MAX + 1) * FIELD_NUMBERS);
  readonly #stops = new Uint32Array((DEPTH_MAX + 1) * FIELD_NUMBERS);

  /** @param limit_bytes what a request may take as protobuf; `[0,0,…]` becomes up to four times as long. */
  constructor(limit_bytes: number) {
    this.#writer = new ProtobufWriter(limit_bytes);
    this.#values = new ValueTranscoder(this.#scanner, this.#writer);
  }

  /**
   * @returns a view that is valid until the next call
   * @throws MalformedOtlp with the path in JSON names; OtlpTooLarge
   */
  transcode(signal: Signal, json: Buffer): Buffer {
    if (!isUtf8(json)) throw new MalformedOtlp('not UTF-8', firstInvalidUtf8(json));
    const scanner = this.#scanner;
    const writer = this.#writer;
    scanner.read(json);
    writer.reset();
    this.#depth = 0;
    try {
      this.#message(this.#plans[signal], 0);
      if (scanner.peek() !== END) throw scanner.unexpected('the end of the body');
    } catch (error) {
      if (!(error instanceof MalformedOtlp)) throw error;
      throw new MalformedOtlp(error.reason, error.position, this.#path());
    } finally {
      scanner.forget();
    }
    return writer.finish();
  }

  #path(): string {
    let path = '';
    for (let i = 0; i < this.#depth; i++) {
      const index = this.#indexes[i]!;
      path += `${i === 0 ? '' : '.'}${this.#fields[i]!.field.jsonName}${index < 0 ? '' : `[${index}]`}`;
    }
    return path;
  }

  /** The object at hand, field by field behind each other. */
  #message(plan: PlanMessage, depth: number): void {
    const scanner = this.#scanner;
    scanner.expect(OPEN_OBJECT, 'an object');
    if (depth > DEPTH_MAX) {
      throw new MalformedOtlp(`messages nested more than ${DEPTH_MAX} deep`, scanner.position - 1);
    }
    if (scanner.peek() === CLOSE_OBJECT) {
      scanner.position++;
      return;
    }
    let seen = 0;
    for (;;) {
      if (scanner.peek() !== QUOTE) throw scanner.unexpected('a key');
      const keyStart = scanner.position + 1;
      const keyStop = scanner.stringEnd();
      const field = scanner.escaped
        ? this.#findEscaped(plan, keyStart, keyStop)
        : plan.find(scanner.bytes, keyStart, keyStop);
      scanner.expect(COLON, 'a colon');
      if (field === undefined) scanner.skip();
      else seen = this.#field(field, seen, depth);
      const next = scanner.peek();
      if (next !== COMMA && next !== CLOSE_OBJECT) {
        throw scanner.unexpected('a comma or the end of the object');
      }
      scanner.position++;
      if (next === CLOSE_OBJECT) return;
    }
  }

  /** @param seen bits of the fields that this message has already. @returns the same with this field */
  #field(field: PlanField, seen: number, depth: number): number {
    const scanner = this.#scanner;
    this.#fields[depth] = field;
    this.#indexes[depth] = -1;
    this.#depth = depth + 1;
    // Null is the default, which is not written; what stands in the same oneof remains.
    const isNull = scanner.peek() === LOWER_N;
    const replaced = seen & (isNull ? field.bit : field.excludes);
    const kept = seen & ~replaced;
    if (replaced !== 0) this.#takeOut(replaced, kept, depth);
    const place = depth * FIELD_NUMBERS + field.field.number;
    this.#starts[place] = this.#writer.length;
    if (isNull) scanner.literal('null');
    else if (field.field.repeated) this.#repeated(field, depth);
    else this.#value(field, depth);
    this.#stops[place] = this.#writer.length;
    this.#depth = depth;
    return isNull ? kept : kept | field.bit;
  }

  /**
   * Of a key that comes twice, and of a oneof, the last value counts: what was written before is taken out again. It
   * comes back behind all others, so within a message each field moves each other one once, however often it comes.
   */
  #takeOut(replaced: number, kept: number, depth: number): void {
    const place = depth * FIELD_NUMBERS;
    for (let number = 1; number < FIELD_NUMBERS; number++) {
      if ((replaced & (1 << number)) === 0) continue;
      const start = this.#starts[place + number]!;
      const stop = this.#stops[place + number]!;
      this.#writer.takeOut(start, stop);
      for (let other = 1; other < FIELD_NUMBERS; other++) {
        const isBehind = this.#starts[place + other]! >= stop;
        if (((kept | replaced) & (1 << other)) === 0 || !isBehind || other === number) continue;
        this.#starts[place + other]! -= stop - start;
        this.#stops[place + other]! -= stop - start;
      }
    }
  }

  #repeated(field: PlanField, depth: number): void {
    const scanner = this.#scanner;
    const writer = this.#writer;
    scanner.expect(OPEN_ARRAY, 'an array');
    if (scanner.peek() === CLOSE_ARRAY) {
      scanner.position++;
      return;
    }
    const width = field.lengthWidth;
    if (field.packed) writer.varint(field.tag);
    const start = field.packed ? writer.open(width) : 0;
    for (let index = 0; ; index++) {
      this.#indexes[depth] = index;
      if (field.packed) this.#values.write(field);
      else this.#value(field, depth);
      const next = scanner.peek();
      if (next !== COMMA && next !== CLOSE_ARRAY) throw scanner.unexpected('a comma or the end of the array');
      scanner.position++;
      if (next === CLOSE_ARRAY) break;
    }
    if (field.packed) field.lengthWidth = writer.close(start, width);
  }

  /** One value with its tag. */
  #value(field: PlanField, depth: number): void {
    const writer = this.#writer;
    writer.varint(field.tag);
    if (field.message === undefined) {
      this.#values.write(field);
      return;
    }
    const width = field.lengthWidth;
    const start = writer.open(width);
    this.#message(field.message, depth + 1);
    field.lengthWidth = writer.close(start, width);
  }

  /** A key that is written with escapes, which nobody does but anybody may. */
  #findEscaped(plan: PlanMessage, start: number, stop: number): PlanField | undefined {
    const key = this.#scanner.unescaped(start, stop);
    return plan.find(key, 0, key.length);
  }
}

/** Decoding replaces what is no UTF-8, so encoding again differs first where the first fault is. */
function firstInvalidUtf8(bytes: Buffer): number {
  const mended = Buffer.from(bytes.toString('utf8'));
  let at = 0;
  while (at < bytes.length && bytes[at] === mended[at]) at++;
  return at;
}
