// A receiver on free ports with a fake intake behind it, and clients that send exactly the bytes they are told.

import { once } from 'node:events';
import http, { type IncomingHttpHeaders } from 'node:http';
import net from 'node:net';
import * as grpc from '@grpc/grpc-js';
import { silentLogger } from '../../../config/logger.ts';
import type { Signal } from '../../../otlp/signal.ts';
import { decodeStatus, type RpcStatus, statusFromJson } from '../../../otlp/status.ts';
import { ConnectionLimit } from '../../../receivers/connection_limit.ts';
import { otlpReceiver } from '../../../receivers/otlp/factory.ts';
import type { Receiver, ReceiverContext } from '../../../receivers/receiver.ts';
import { encode, requestType } from '../../otlp/proto/types.ts';
import { FakeIntake } from './fake_intake.ts';

export const PROTOBUF = 'application/x-protobuf';
export const JSON_TYPE = 'application/json';
export const pathOf: Record<Signal, string> = {
  traces: '/v1/traces',
  metrics: '/v1/metrics',
  logs: '/v1/logs',
};

export interface Running {
  readonly receiver: Receiver;
  readonly intake: FakeIntake;
  readonly port: number;
  readonly grpcPort: number;
  stop(): Promise<void>;
}

/** Both protocols on free ports; what is given is put over that. */
export async function startReceiver(
  protocols: { http?: object; grpc?: object } = {},
  intake = new FakeIntake(),
  authenticators?: ReceiverContext['authenticators'],
): Promise<Running> {
  const free = { endpoint: '127.0.0.1:0' };
  const config = otlpReceiver.schema.parse({
    protocols: { http: { ...free, ...protocols.http }, grpc: { ...free, ...protocols.grpc } },
  });
  const receiver = (await otlpReceiver.load()).create(config, {
    id: 'otlp',
    logger: silentLogger,
    connections: new ConnectionLimit(Number.POSITIVE_INFINITY),
    ...(authenticators && { authenticators }),
  });
  await receiver.start(intake);
  const port = (protocol: string) =>
    Number(
      receiver.endpoints
        .find((each) => each.protocol === protocol)
        ?.address.split(':')
        .at(-1),
    );
  return {
    receiver,
    intake,
    port: port('http'),
    grpcPort: port('grpc'),
    stop: () => receiver.stop(AbortSignal.abort()),
  };
}

/** A request of `signal` with so many items, a few hundred bytes each. */
export function request(signal: Signal, items = 1): Buffer {
  const list = <T>(make: (i: number) => T) => Array.from({ length: items }, (_, i) => make(i));
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'checkout' } }] };
  const attributes = [{ key: 'url.path', value: { stringValue: '/api/products/1234567890'.repeat(4) } }];
  switch (signal) {
    case 'traces': {
      const spans = list((i) => ({
        traceId: Buffer.alloc(16, i + 1),
        spanId: Buffer.alloc(8, i + 1),
        name: `GET /${i}`,
        attributes,
      }));
      return encode(requestType.traces, { resourceSpans: [{ resource, scopeSpans: [{ spans }] }] });
    }
    case 'metrics': {
      const dataPoints = list((i) => ({ asInt: i, attributes }));
      const metrics = [{ name: 'requests', gauge: { dataPoints } }];
      return encode(requestType.metrics, { resourceMetrics: [{ resource, scopeMetrics: [{ metrics }] }] });
    }
    case 'logs': {
      const logRecords = list((i) => ({ body: { stringValue: `line ${i}` }, attributes }));
      return encode(requestType.logs, { resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] });
    }
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string | number>;
  readonly body?: Uint8Array | undefined;
  readonly agent?: http.Agent;
}

/** One HTTP request as it is; nothing is added but Content-Type and, for bodies, Content-Length. */
export async function send(port: number, sent: Sent): Promise<Answer> {
  const { method = 'POST', path = pathOf.traces, headers = {}, body, agent } = sent;
  const chunked = 'Transfer-Encoding' in headers;
  const outgoing = http.request({
    port,
    host: '127.0.0.1',
    method,
    path,
    agent: agent ?? false,
    headers: {
      'Content-Type': PROTOBUF,
      ...(body && !chunked && { 'Content-Length': body.length }),
      ...headers,
    },
  });
  outgoing.end(body);
  const [response] = (await once(outgoing, 'response')) as [http.IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) };
}

/** The Status that a refusal carries, read as its Content-Type says. */
export function statusOf(answer: Answer): RpcStatus {
  const type = answer.headers['content-type'];
  const status = type === JSON_TYPE ? statusFromJson(answer.body.toString()) : decodeStatus(answer.body);
  if (!status || (type !== JSON_TYPE && type !== PROTOBUF)) {
    throw new Error(`no Status in a ${answer.status} of type ${type}`);
  }
  return status;
}

/** Sends bytes over TCP and gives all that comes back until the server closes. */
export async function raw(port: number, ...parts: (string | Uint8Array)[]): Promise<string> {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => {});
  for (const part of parts) socket.write(part);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'close');
  return Buffer.concat(chunks).toString('latin1');
}

const servicePath: Record<Signal, string> = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
};

const identity = (bytes: Buffer): Buffer => bytes;

export class GrpcClient {
  readonly #client: grpc.Client;

  constructor(port: number, gzip = false) {
    this.#client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
      'grpc.default_compression_algorithm': gzip ? grpc.compressionAlgorithms.gzip : 0,
      'grpc.max_send_message_length': -1,
      'grpc.enable_retries': 0,
      'grpc.use_local_subchannel_pool': 1,
    });
  }

  /** Rejects with grpc.ServiceError. */
  export(signal: Signal, body: Buffer): Promise<Buffer> {
    return this.call(servicePath[signal], body);
  }

  call(path: string, body: Buffer, started?: (call: grpc.ClientUnaryCall) => void): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const call = this.#client.makeUnaryRequest(path, identity, identity, body, (error, value) => {
        if (error) reject(error);
        else resolve(value!);
      });
      started?.(call);
    });
  }

  close(): void {
    this.#client.close();
  }
}

/** The google.rpc.Status in the trailers of a gRPC error. */
export function grpcDetails(error: grpc.ServiceError): RpcStatus | undefined {
  const [details] = error.metadata.get('grpc-status-details-bin');
  return details instanceof Buffer ? decodeStatus(details) : undefined;
}
