// The two ways in: OTLP over HTTP and over gRPC, each with a number of connections of their own. Invariant: a sender answers
// `true` only where the contestant said that it took the request.

import * as grpc from '@grpc/grpc-js';
import { Client, type Dispatcher, Pool } from 'undici';

export interface Sender {
  send(body: Buffer, lane: number): Promise<boolean>;
  close(): Promise<void>;
}

/** One for all lanes: a request goes to the first connection that is free. */
export function poolOf(url: string, connections: number): Dispatcher[] {
  return [new Pool(url, { connections, pipelining: 1 })];
}

/** One for each lane. */
export function clientsOf(url: string, connections: number): Dispatcher[] {
  return Array.from({ length: connections }, () => new Client(url, { pipelining: 1 }));
}

export function httpSender(signal: string, gzip: boolean, dispatchers: readonly Dispatcher[]): Sender {
  const headers: Record<string, string> = { 'content-type': 'application/x-protobuf' };
  if (gzip) headers['content-encoding'] = 'gzip';
  const path = `/v1/${signal}`;
  return {
    async send(body, lane) {
      const response = await dispatchers[lane % dispatchers.length]!.request({
        method: 'POST',
        path,
        headers,
        body,
      });
      await response.body.dump();
      return response.statusCode === 200;
    },
    async close() {
      await Promise.all(dispatchers.map((each) => each.close()));
    },
  };
}

const METHODS: Readonly<Record<string, string>> = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
};

export function grpcSender(url: string, signal: string, connections: number): Sender {
  const { host } = new URL(url);
  const clients = Array.from(
    { length: connections },
    () => new grpc.Client(host, grpc.credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 }),
  );
  const asItIs = (bytes: Buffer): Buffer => bytes;
  const method = METHODS[signal]!;
  return {
    send: (body, lane) =>
      new Promise((resolve) => {
        clients[lane]!.makeUnaryRequest(method, asItIs, asItIs, body, (error) => resolve(error === null));
      }),
    async close() {
      for (const client of clients) client.close();
    },
  };
}
