// Gathers log records into one ExportLogsServiceRequest, in memory that the next request uses again: what receivers that
// speak no OTLP hand to the intake. Invariant: what `finish` gives is what the walk would say of the same bytes.

import { crc32 } from 'node:zlib';
import { type AnyValue, writeAnyValue } from './any_value.ts';
import { attributeKey } from './log_record.ts';
import { ProtobufWriter } from './protobuf_writer.ts';

const RESOURCE_LOGS = 0x0a;
/** Of ResourceLogs. */
const RESOURCE = 0x0a;
const SCOPE_LOGS = 0x12;
/** Of ScopeLogs. */
const LOG_RECORDS = 0x12;
/** Of Resource. */
const ATTRIBUTES = 0x0a;
/** Of KeyValue. */
const VALUE = 0x12;
/** What the length of a request's parts usually takes: 16 KiB to 2 MiB. */
const PART_WIDTH = 3;
const RECORD_WIDTH = 2;
/** Records that are longer than this as they came need three bytes for their length. */
const LONG_RECORD_BYTES = 8 * 1024;
const NO_RESOURCE = Buffer.alloc(0);

export interface LogRequest {
  /** The request; a view that is valid until the next record is begun. */
  readonly bytes: Buffer;
  readonly items: number;
  /** As the walk finds it: the CRC-32 of the resource, 0 without one. */
  readonly shardKey: number;
}

/** A Resource of these attributes, encoded once for many requests; empty where there is none. */
export function encodeResource(attributes: Readonly<Record<string, AnyValue>>): Buffer {
  const out = new ProtobufWriter(2 ** 20);
  for (const [name, value] of Object.entries(attributes)) {
    const key = attributeKey(name);
    out.byte(ATTRIBUTES);
    const start = out.open(1);
    out.copy(key, 0, key.length);
    out.byte(VALUE);
    writeAnyValue(out, value);
    out.close(start, 1);
  }
  return Buffer.from(out.finish());
}

/**
 * `beginRecord`, then the fields of log_record.ts on `out`, then `endRecord`; again and again; then `finish`. One resource
 * a request: another resource is another request, and concatenated they are one.
 */
export class LogWriter {
  /** Where the fields of the record go that was begun. */
  readonly out: ProtobufWriter;
  /** Records that were ended. */
  items = 0;
  #resource: Buffer = NO_RESOURCE;
  #shardKey = 0;
  #resourceLogs = 0;
  #scopeLogs = 0;
  #tag = 0;
  #record = 0;
  #width = RECORD_WIDTH;

  /** @param limit_bytes a request that would be larger throws OtlpTooLarge as it is written */
  constructor(limit_bytes: number) {
    this.out = new ProtobufWriter(limit_bytes);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.out.length;
  }

  /** Of the requests from now on; to be called between two. @param resource of `encodeResource` */
  setResource(resource: Buffer): void {
    this.#resource = resource;
    this.#shardKey = resource.length === 0 ? 0 : crc32(resource);
  }

  /** @param source_bytes about how long the record will be; a good guess saves moving it when it ends */
  beginRecord(source_bytes: number): void {
    const { out } = this;
    if (this.items === 0) this.#begin();
    this.#tag = out.length;
    this.#width = source_bytes > LONG_RECORD_BYTES ? RECORD_WIDTH + 1 : RECORD_WIDTH;
    out.byte(LOG_RECORDS);
    this.#record = out.open(this.#width);
  }

  endRecord(): void {
    this.out.close(this.#record, this.#width);
    this.items += 1;
  }

  /** Leaves out the record that was begun, whatever was thrown while it was written. */
  abandonRecord(): void {
    this.out.length = this.#tag;
  }

  /** Undefined where there is no record. */
  finish(): LogRequest | undefined {
    const { out, items } = this;
    this.items = 0;
    if (items === 0) {
      out.reset();
      return undefined;
    }
    out.close(this.#scopeLogs, PART_WIDTH);
    out.close(this.#resourceLogs, PART_WIDTH);
    return { bytes: out.finish(), items, shardKey: this.#shardKey };
  }

  #begin(): void {
    const { out } = this;
    const resource = this.#resource;
    out.reset();
    out.byte(RESOURCE_LOGS);
    this.#resourceLogs = out.open(PART_WIDTH);
    if (resource.length > 0) {
      out.byte(RESOURCE);
      out.varint(resource.length);
      out.copy(resource, 0, resource.length);
    }
    out.byte(SCOPE_LOGS);
    this.#scopeLogs = out.open(PART_WIDTH);
  }
}
