// Requests that can be told apart by every one of their bytes, the ways in which a client may send them, and the account of
// what came out. Invariant: each request has one top-level field, so a merged body falls apart into requests again.

import { createHash } from 'node:crypto';
import http from 'node:http';
import { gzipSync } from 'node:zlib';
import * as grpc from '@grpc/grpc-js';
import type { Seeded } from '../../bench/load/payload.ts';
import { type Signal, signals } from '../../otlp/signal.ts';
import { FieldReader, lengthField, textField } from '../../otlp/wire.ts';

export const ways = ['plain', 'gzip', 'chunked', 'chunked-gzip', 'continue', 'grpc', 'grpc-gzip'] as const;
export type Way = (typeof ways)[number];

const services: Readonly<Record<Signal, string>> = {
  traces: 'opentelemetry.proto.collector.trace.v1.TraceService',
  metrics: 'opentelemetry.proto.collector.metrics.v1.MetricsService',
  logs: 'opentelemetry.proto.collector.logs.v1.LogsService',
};
const PIECE_BYTES = 48 * 1024;
const BLOCK = 4096;
/** A data point's `as_int`, an sfixed64. */
const AS_INT_1 = Buffer.from('310100000000000000', 'hex');

export interface Content {
  readonly signal: Signal;
  readonly body: Buffer;
  readonly hash: string;
}

/** A request of one item that carries `filler` bytes, half of them hard to compress. */
export function contentOf(random: Seeded, id: string, filler_bytes: number): Content {
  const signal = signals[random.next() % signals.length]!;
  const filler = fillerOf(random, filler_bytes);
  const text = Buffer.concat([Buffer.from(`${id} `), filler]);
  const attribute = Buffer.concat([
    textField(1, 'service.name'),
    lengthField(2, textField(1, `service-${random.next() % 5}`)),
  ]);
  const resource = lengthField(1, lengthField(1, attribute));
  const scope = lengthField(2, lengthField(2, itemOf(signal, text)));
  const body = Buffer.from(lengthField(1, Buffer.concat([resource, scope])));
  return { signal, body, hash: hashOf(signal, body) };
}

/** The requests of which a body was made. */
export function hashesIn(signal: Signal, body: Uint8Array): string[] {
  const hashes: string[] = [];
  const fields = new FieldReader(body);
  for (let from = 0; fields.next(); from = fields.stop) {
    hashes.push(hashOf(signal, body.subarray(from, fields.stop)));
  }
  return hashes;
}

/** An HTTP answer that was not a success. */
export interface Refused {
  readonly status: number;
  readonly retryAfter_s: number | undefined;
}

/** One client with connections of its own. */
export class ContentClient {
  /** Called with each answer over HTTP that refuses. */
  onRefused: (refused: Refused) => void = () => {};
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  readonly #http: URL;
  readonly #grpc: grpc.Client;
  readonly #grpcGzip: grpc.Client;

  constructor(httpUrl: string, grpcAddress: string) {
    this.#http = new URL(httpUrl);
    const credentials = grpc.credentials.createInsecure();
    this.#grpc = new grpc.Client(grpcAddress, credentials);
    this.#grpcGzip = new grpc.Client(grpcAddress, credentials, {
      'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip,
    });
  }

  /** True when it was acknowledged; false for anything else, a dead agent too. */
  send(content: Content, way: Way): Promise<boolean> {
    if (way === 'grpc') return call(this.#grpc, content);
    return way === 'grpc-gzip' ? call(this.#grpcGzip, content) : this.#post(content, way);
  }

  close(): void {
    this.#agent.destroy();
    this.#grpc.close();
    this.#grpcGzip.close();
  }

  #post({ signal, body }: Content, way: Way): Promise<boolean> {
    const stored = way.endsWith('gzip') ? gzipSync(body, { level: 1 }) : body;
    const headers: http.OutgoingHttpHeaders = { 'content-type': 'application/x-protobuf' };
    if (way.endsWith('gzip')) headers['content-encoding'] = 'gzip';
    if (way.startsWith('chunked')) headers['transfer-encoding'] = 'chunked';
    else headers['content-length'] = stored.length;
    if (way === 'continue') headers['expect'] = '100-continue';
    return new Promise((resolve) => {
      const { hostname, port } = this.#http;
      const options = { hostname, port, path: `/v1/${signal}`, method: 'POST', headers, agent: this.#agent };
      const request = http.request(options, (response) => {
        response.resume();
        const { statusCode: status = 0, headers } = response;
        const after = headers['retry-after'];
        if (status !== 200)
          this.onRefused({ status, retryAfter_s: after === undefined ? undefined : Number(after) });
        response.on('close', () => resolve(status === 200));
      });
      request.on('error', () => resolve(false));
      const write = (): void => {
        for (let at = 0; at < stored.length; at += PIECE_BYTES)
          request.write(stored.subarray(at, at + PIECE_BYTES));
        request.end();
      };
      if (way === 'continue') request.on('continue', write);
      else write();
    });
  }
}

function call(client: grpc.Client, { signal, body }: Content): Promise<boolean> {
  const identity = (bytes: Buffer): Buffer => bytes;
  return new Promise((resolve) => {
    const path = `/${services[signal]}/Export`;
    client.makeUnaryRequest(path, identity, identity, body, (error) => resolve(!error));
  });
}

function itemOf(signal: Signal, text: Uint8Array): Uint8Array {
  if (signal === 'logs') return lengthField(5, lengthField(1, text));
  if (signal === 'traces') return lengthField(5, text);
  const gauge = lengthField(5, lengthField(1, AS_INT_1));
  return Buffer.concat([lengthField(1, text), gauge]);
}

function fillerOf(random: Seeded, bytes: number): Buffer {
  const filler = Buffer.alloc(bytes, 'holdfast ');
  for (let at = 0; at < bytes; at += 2 * BLOCK) {
    const end = Math.min(bytes, at + BLOCK);
    for (let place = at; place < end; place += 1) filler[place] = 0x20 + (random.next() % 95);
  }
  return filler;
}

function hashOf(signal: Signal, bytes: Uint8Array): string {
  return createHash('sha256').update(signal).update(bytes).digest('hex');
}
