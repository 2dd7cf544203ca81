// A gRPC destination made with @grpc/grpc-js that remembers what it was sent and answers as it is told; and one on bare
// HTTP/2 for what a well-behaved library would never say.

import { once } from 'node:events';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import * as grpc from '@grpc/grpc-js';
import { exportPathOf } from '../../../otlp/service.ts';
import { type Signal, signals } from '../../../otlp/signal.ts';

export interface Received {
  readonly signal: Signal;
  /** Decompressed by grpc-js. */
  readonly message: Buffer;
  readonly metadata: grpc.Metadata;
}

export type Answering = (received: Received, callback: grpc.sendUnaryData<Buffer>) => void;

const identity = (bytes: Buffer): Buffer => bytes;

export class GrpcBackend {
  readonly received: Received[] = [];
  readonly #server = new grpc.Server({ 'grpc.max_receive_message_length': 2 ** 26 });
  #port = 0;

  static async start(
    answer: Answering = (_, callback) => callback(null, Buffer.alloc(0)),
    credentials = grpc.ServerCredentials.createInsecure(),
    address = '127.0.0.1:0',
  ): Promise<GrpcBackend> {
    const backend = new GrpcBackend();
    for (const signal of signals) {
      const Export = {
        path: exportPathOf(signal),
        requestStream: false,
        responseStream: false,
        requestSerialize: identity,
        requestDeserialize: identity,
        responseSerialize: identity,
        responseDeserialize: identity,
      };
      const handler: grpc.handleUnaryCall<Buffer, Buffer> = (call, callback) => {
        const received = { signal, message: call.request, metadata: call.metadata };
        backend.received.push(received);
        answer(received, callback);
      };
      backend.#server.addService({ Export }, { Export: handler });
    }
    backend.#port = await new Promise((resolve, reject) => {
      backend.#server.bindAsync(address, credentials, (error, port) =>
        error ? reject(error) : resolve(port),
      );
    });
    return backend;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  async stop(): Promise<void> {
    this.#server.forceShutdown();
  }
}

export interface BareBackend {
  readonly endpoint: string;
  readonly sessions: Set<http2.ServerHttp2Session>;
  /** Bodies as they were on the wire, prefix included. */
  readonly bodies: Buffer[];
  stop(): Promise<void>;
}

export async function bareBackend(
  answer: (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void,
): Promise<BareBackend> {
  const server = http2.createServer();
  const sessions = new Set<http2.ServerHttp2Session>();
  const bodies: Buffer[] = [];
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => {});
  });
  server.on('stream', (stream: http2.ServerHttp2Stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('error', () => {});
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      bodies.push(Buffer.concat(chunks));
      answer(stream, headers);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sessions,
    bodies,
    async stop() {
      for (const session of sessions) session.destroy();
      server.close();
    },
  };
}
