// One record of a body as a LogRecord, from bytes to bytes. Invariant: nothing of a record is left out: what is not picked, and
// what was picked and does not fit, becomes an attribute or stays in the body.

import { JsonAnyValueWriter } from '../../otlp/json/any_value.ts';
import { decodeHex } from '../../otlp/json/binary_text.ts';
import {
  CLOSE_OBJECT,
  COLON,
  COMMA,
  END,
  isDigit,
  JsonScanner,
  MINUS,
  OPEN_OBJECT,
  QUOTE,
} from '../../otlp/json/scanner.ts';
import {
  type AttributeKey,
  attributeKey,
  writeAttribute,
  writeObservedTime,
  writeSeverity,
  writeTextAttribute,
  writeTextBody,
  writeTime,
} from '../../otlp/log_record.ts';
import { MalformedOtlp } from '../../otlp/malformed.ts';
import { OtlpTooLarge, ProtobufWriter } from '../../otlp/protobuf_writer.ts';
import type { RouteConfig } from './config.ts';
import { Gatherer } from './gatherer.ts';
import { type PickNode, type Picks, pick } from './picks.ts';
import { severityOf } from './severity.ts';
import { timeOf } from './timestamp.ts';

const BODY = 0x2a;
const ATTRIBUTE = 0x32;
const FLAGS = 0x45;
const TRACE_ID = 0x4a;
const SPAN_ID = 0x52;
/** Of KeyValue. */
const KEY = 0x0a;
const VALUE = 0x12;
/** Of AnyValue. */
const BYTES_VALUE = 0x3a;
/** Of Resource. */
const RESOURCE_ATTRIBUTE = 0x0a;
/** Messages around the body of a record: request, ResourceLogs, ScopeLogs, LogRecord. */
const BODY_DEPTH = 4;
/** One more for an attribute: its KeyValue. */
const ATTRIBUTE_DEPTH = 5;
const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;

const NO_RESOURCE = Buffer.alloc(0);
const parseError: AttributeKey = attributeKey('http.parse_error');

/** What all records of a request have in common. */
export interface RequestContext {
  readonly route: RouteConfig;
  readonly picks: Picks;
  readonly observed_ms: number;
  /** From headers and query. */
  readonly attributes: readonly (readonly [AttributeKey, string | readonly string[]])[];
}

export class RecordWriter {
  readonly #gatherer: Gatherer;
  readonly #scanner = new JsonScanner();
  readonly #values: JsonAnyValueWriter;
  readonly #resource: ProtobufWriter;
  readonly #resourceValues: JsonAnyValueWriter;
  #context!: RequestContext;
  /** Where each pick was found in the record at hand: its value, and its key where it stands at the top; else −1. */
  #starts = new Int32Array(0);
  #stops = new Int32Array(0);
  #keys = new Int32Array(0);
  #asAttributes = false;

  /** @param limit_bytes what a request may take as protobuf */
  constructor(limit_bytes: number) {
    this.#gatherer = new Gatherer(limit_bytes);
    this.#values = new JsonAnyValueWriter(this.#scanner, this.#gatherer.log.out);
    this.#resource = new ProtobufWriter(limit_bytes);
    this.#resourceValues = new JsonAnyValueWriter(this.#scanner, this.#resource);
  }

  /** The JSON text that `value` reads; its `position` and `end` are whoever's who goes from record to record. */
  get scanner(): JsonScanner {
    return this.#scanner;
  }

  begin(body: Buffer, context: RequestContext): void {
    this.#gatherer.reset();
    this.#scanner.read(body);
    this.#context = context;
    const { count } = context.picks;
    if (this.#starts.length >= count) return;
    this.#starts = new Int32Array(count);
    this.#stops = new Int32Array(count);
    this.#keys = new Int32Array(count);
  }

  /** Forgets every record of this body. */
  reset(): void {
    this.#gatherer.reset();
  }

  /** @returns undefined where there was no record. Holds on to nothing of the body. */
  finish(): ReturnType<Gatherer['finish']> {
    this.#scanner.forget();
    return this.#gatherer.finish();
  }

  /**
   * Passes the JSON value at hand and writes it as a record.
   * @param alone nothing may stand behind it
   * @throws MalformedOtlp with the path within the record; then nothing of it was written
   */
  value(alone = false): void {
    const scanner = this.#scanner;
    const { picks } = this.#context;
    const isObject = scanner.peek() === OPEN_OBJECT;
    const start = scanner.position;
    const { log } = this.#gatherer;
    let begun = false;
    try {
      this.#starts.fill(-1);
      if (picks.resource.length > 0) this.#findResource(isObject, start);
      log.beginRecord(scanner.end - start);
      begun = true;
      this.#common();
      this.#asAttributes = isObject && picks.body;
      if (isObject && picks.root.children.length > 0) {
        this.#members(picks.root, true);
        this.#picked();
      }
      const end = scanner.position;
      if (!this.#asAttributes) this.#bodyAt(start);
      else scanner.position = end;
      if (alone && scanner.peek() !== END) throw scanner.unexpected('the end of the line');
      this.#hold();
      log.endRecord();
    } catch (error) {
      // Before it began, what there is to abandon is the record before.
      if (begun) log.abandonRecord();
      throw error instanceof MalformedOtlp ? this.#located(error, start) : error;
    }
  }

  /** The bytes in [start, stop) as they are: text where they are UTF-8. @param fault marks what could not be read */
  plain(body: Buffer, start: number, stop: number, isText: boolean, fault?: string): void {
    const { log } = this.#gatherer;
    const { out } = log;
    this.#gatherer.setResource(NO_RESOURCE);
    log.beginRecord(stop - start);
    try {
      this.#common();
      if (isText) writeTextBody(out, body, start, stop);
      else {
        out.byte(BODY);
        const value = out.open(1);
        out.byte(BYTES_VALUE);
        out.varint(stop - start);
        out.copy(body, start, stop);
        out.close(value, 1);
      }
      if (fault !== undefined) {
        const text = Buffer.from(fault);
        writeTextAttribute(out, parseError, text, 0, text.length);
      }
      this.#hold();
    } catch (error) {
      log.abandonRecord();
      throw error;
    }
    log.endRecord();
  }

  #common(): void {
    const { out } = this.#gatherer.log;
    const { observed_ms, attributes } = this.#context;
    const second = Math.floor(observed_ms / 1000);
    writeObservedTime(out, second, (observed_ms - second * 1000) * 1e6);
    for (const [key, value] of attributes) writeAttribute(out, key, value);
  }

  /** Several resources are several requests, each of which is small: all of them together are bounded here. */
  #hold(): void {
    const { length, limit_bytes } = this.#gatherer;
    if (length > limit_bytes) throw new OtlpTooLarge(limit_bytes);
  }

  #bodyAt(start: number): void {
    this.#scanner.position = start;
    this.#gatherer.log.out.byte(BODY);
    this.#values.write(BODY_DEPTH);
  }

  /** A pass of its own, as the resource stands before its records. */
  #findResource(isObject: boolean, start: number): void {
    const { picks } = this.#context;
    const scanner = this.#scanner;
    // A record that broke in the middle may have left something.
    this.#resource.reset();
    if (isObject) {
      this.#asAttributes = false;
      this.#members(picks.root, true);
      for (const [index, key] of picks.resource.entries()) {
        const at = this.#starts[pick.resource + index]!;
        if (at < 0) continue;
        this.#resource.byte(RESOURCE_ATTRIBUTE);
        const pair = this.#resource.open(1);
        this.#resource.copy(key, 0, key.length);
        this.#resource.byte(VALUE);
        scanner.position = at;
        this.#resourceValues.write(BODY_DEPTH);
        this.#resource.close(pair, 1);
      }
      this.#starts.fill(-1);
    }
    this.#gatherer.setResource(this.#resource.finish());
    scanner.position = start;
  }

  /** The object at hand: notes what is picked, and writes what is not as attributes where that is wanted. */
  #members(node: PickNode, top: boolean): void {
    const scanner = this.#scanner;
    scanner.position++;
    if (scanner.peek() === CLOSE_OBJECT) {
      scanner.position++;
      return;
    }
    for (;;) {
      if (scanner.peek() !== QUOTE) throw scanner.unexpected('a key');
      const key = scanner.position;
      const keyStop = scanner.stringEnd();
      const child = scanner.escaped
        ? findEscaped(node, scanner.unescaped(key + 1, keyStop))
        : node.find(scanner.bytes, key + 1, keyStop);
      scanner.expect(COLON, 'a colon');
      const opening = scanner.peek();
      const start = scanner.position;
      if (child?.targets.length) {
        scanner.skip();
        this.#note(child, top ? key : -1, start);
      } else if (top && this.#asAttributes) this.#attribute(key, start);
      else if (!child || opening !== OPEN_OBJECT) scanner.skip();
      if (child && child.children.length > 0 && opening === OPEN_OBJECT) {
        scanner.position = start;
        this.#members(child, false);
      }
      const next = scanner.peek();
      if (next !== COMMA && next !== CLOSE_OBJECT)
        throw scanner.unexpected('a comma or the end of the object');
      scanner.position++;
      if (next === CLOSE_OBJECT) return;
    }
  }

  #note(node: PickNode, key: number, start: number): void {
    const { position } = this.#scanner;
    // A key that comes twice: the last one is picked, the one before is kept.
    const [first] = node.targets;
    if (key >= 0 && this.#starts[first!]! >= 0) {
      if (this.#asAttributes) this.#attribute(this.#keys[first!]!, this.#starts[first!]!);
      this.#scanner.position = position;
    }
    for (const target of node.targets) {
      this.#starts[target] = start;
      this.#stops[target] = position;
      this.#keys[target] = key;
    }
  }

  /** @param key where it begins, with its quote */
  #attribute(key: number, value: number): void {
    const scanner = this.#scanner;
    const { out } = this.#gatherer.log;
    out.byte(ATTRIBUTE);
    const pair = out.open(1);
    scanner.position = key;
    this.#values.string(KEY);
    out.byte(VALUE);
    scanner.position = value;
    this.#values.write(ATTRIBUTE_DEPTH);
    out.close(pair, 1);
  }

  /** Writes what was picked. What does not fit goes where everything else goes. */
  #picked(): void {
    const { position } = this.#scanner;
    const { route } = this.#context;
    if (this.#starts[pick.body]! >= 0) this.#bodyAt(this.#starts[pick.body]!);
    this.#each(pick.time, (text) => this.#time(text, route));
    this.#each(pick.severity, (text) => this.#severity(text, route));
    this.#id(pick.traceId, TRACE_ID, TRACE_ID_BYTES);
    this.#id(pick.spanId, SPAN_ID, SPAN_ID_BYTES);
    this.#each(pick.traceFlags, (text, quoted) => this.#flags(text, quoted));
    this.#scanner.position = position;
  }

  #each(target: number, write: (text: string, quoted: boolean) => boolean): void {
    const start = this.#starts[target]!;
    if (start < 0) return;
    const text = this.#scalar(start, this.#stops[target]!);
    if (text !== undefined && write(text, this.#scanner.bytes[start] === QUOTE)) return;
    this.#unfit(target);
  }

  #unfit(target: number): void {
    if (!this.#asAttributes || this.#keys[target]! < 0) return;
    this.#attribute(this.#keys[target]!, this.#starts[target]!);
  }

  /** A string or number as text. */
  #scalar(start: number, stop: number): string | undefined {
    const { bytes } = this.#scanner;
    const first = bytes[start]!;
    if (first === QUOTE) {
      const text = bytes.toString('utf8', start + 1, stop - 1);
      return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text;
    }
    return first === MINUS || isDigit(first) ? bytes.toString('latin1', start, stop) : undefined;
  }

  #time(text: string, { timestamp }: RouteConfig): boolean {
    const time = timeOf(text, timestamp!.format);
    if (time) writeTime(this.#gatherer.log.out, time.second, time.nanosecond);
    return time !== undefined;
  }

  #severity(text: string, { severity }: RouteConfig): boolean {
    writeSeverity(this.#gatherer.log.out, severityOf(text, severity!.numbers), text);
    return true;
  }

  /** W3C Trace Context: hex digits, not all of them zero. */
  #id(target: number, tag: number, length: number): void {
    const start = this.#starts[target]!;
    if (start < 0) return;
    const { bytes } = this.#scanner;
    const { out } = this.#gatherer.log;
    const stop = this.#stops[target]! - 1;
    if (bytes[start] === QUOTE && stop - start - 1 === 2 * length) {
      const room = out.room(2 + length);
      const at = out.length + 2;
      if (decodeHex(bytes, start + 1, stop, room, at) >= 0 && !isZero(room, at, at + length)) {
        out.byte(tag);
        out.varint(length);
        out.length = at + length;
        return;
      }
    }
    this.#unfit(target);
  }

  /** Two hex digits, as in traceparent, or a number below 256. */
  #flags(text: string, quoted: boolean): boolean {
    const shape = quoted ? /^[0-9a-fA-F]{2}$/ : /^\d{1,3}$/;
    const flags = Number.parseInt(text, quoted ? 16 : 10);
    if (!shape.test(text) || flags > 255) return false;
    const { out } = this.#gatherer.log;
    out.byte(FLAGS);
    out.fixed32(flags);
    return true;
  }

  /** Reads the record once more, keeping track of where it is: errors are rare and their places are worth it. */
  #located(error: MalformedOtlp, start: number): MalformedOtlp {
    this.#scanner.position = start;
    this.#gatherer.log.beginRecord(0);
    try {
      this.#values.write(BODY_DEPTH);
      return error;
    } catch (again) {
      if (!(again instanceof MalformedOtlp)) return error;
      return new MalformedOtlp(again.reason, again.position, this.#values.path());
    } finally {
      this.#gatherer.log.abandonRecord();
    }
  }
}

function findEscaped(node: PickNode, key: Buffer): PickNode | undefined {
  return node.find(key, 0, key.length);
}

function isZero(bytes: Buffer, start: number, stop: number): boolean {
  for (let at = start; at < stop; at++) if (bytes[at] !== 0) return false;
  return true;
}
