// The way to one gRPC destination, when what it was made with is replaced.

import type http2 from 'node:http2';
import { afterEach, describe, expect, it } from '@jest/globals';
import { call } from '../../../exporters/otlp_grpc/call.ts';
import { GrpcConnection } from '../../../exporters/otlp_grpc/connection.ts';
import { openSocket } from '../../../exporters/otlp_grpc/socket.ts';
import { type BareBackend, bareBackend } from './backend.ts';

const never = new AbortController().signal;
const request = {
  headers: { ':method': 'POST', ':path': '/x', 'content-type': 'application/grpc' },
  body: Buffer.alloc(5),
  responseBytesMax: 1024,
};

let server: BareBackend;
let connection: GrpcConnection;
afterEach(async () => {
  connection.destroy();
  await server.stop();
});

async function connected(answer: (stream: http2.ServerHttp2Stream) => void): Promise<void> {
  server = await bareBackend(answer);
  const port = Number(new URL(server.endpoint).port);
  const address = { kind: 'tcp', host: '127.0.0.1', port } as const;
  connection = new GrpcConnection({
    scheme: 'http',
    authority: 'collector.test',
    open: (late) => openSocket(address, undefined, {}, late),
    connectTimeout_ms: 10_000,
    keepalive: { time: 0, timeout: 1000, permit_without_stream: false },
  });
}

function answered(stream: http2.ServerHttp2Stream): void {
  stream.respond({ ':status': 200 }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end();
}

describe('a connection that is retired', () => {
  it('lets what is under way end, and gives what comes a link of its own', async () => {
    const held: http2.ServerHttp2Stream[] = [];
    const asked = Promise.withResolvers<void>();
    await connected((stream) => {
      if (server.sessions.size > 1) return answered(stream);
      held.push(stream);
      asked.resolve();
    });
    const under_way = call(await connection.link(), request, never);
    await asked.promise;
    connection.retire();
    await call(await connection.link(), request, never);
    expect(server.sessions.size).toBe(2);
    answered(held[0]!);
    expect((await under_way).httpStatus).toBe(200);
  });

  it('serves whoever waited for its link already', async () => {
    await connected(answered);
    const waiting = connection.link();
    connection.retire();
    expect((await call(await waiting, request, never)).httpStatus).toBe(200);
  });

  it('is nothing more than that where there is no link, or one that cannot be made', async () => {
    await connected(answered);
    connection.retire();
    await server.stop();
    const refused = connection.link();
    connection.retire();
    await expect(refused).rejects.toThrow('ECONNREFUSED');
  });
});
