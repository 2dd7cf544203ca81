import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http2 from 'node:http2';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { silentLogger } from '../../../../config/logger.ts';
import { ConnectionLimit } from '../../../../receivers/connection_limit.ts';
import { type GrpcConfig, otlpReceiverSchema } from '../../../../receivers/otlp/config.ts';
import { GrpcServer } from '../../../../receivers/otlp/grpc/server.ts';
import { FakeIntake } from '../fake_intake.ts';
import { GrpcClient, request } from '../harness.ts';

let intake: FakeIntake;
let server: GrpcServer;
let port: number;

async function start(config: object = {}): Promise<void> {
  const parsed = otlpReceiverSchema.parse({ protocols: { grpc: { endpoint: '127.0.0.1:0', ...config } } });
  server = new GrpcServer(parsed.protocols.grpc as GrpcConfig, {
    id: 'otlp',
    logger: silentLogger,
    intake,
    connections: unlimited,
  });
  port = Number((await server.start()).split(':').at(-1));
}

beforeEach(() => {
  intake = new FakeIntake();
});
afterEach(() => server.stop(AbortSignal.abort()));

const unlimited = new ConnectionLimit(Number.POSITIVE_INFINITY);

describe('the gRPC server', () => {
  it('gives back all in-flight bytes, whatever became of the calls', async () => {
    await start();
    const client = new GrpcClient(port);
    await client.export('traces', request('traces', 100));
    await client.export('traces', Buffer.from('nonsense')).catch(() => {});
    intake.appendError = new TypeError('a bug');
    await client.export('logs', request('logs')).catch(() => {});
    expect(server.inFlight_bytes).toBe(0);
    client.close();
  });

  it('serves many calls at once on one connection', async () => {
    await start();
    const client = new GrpcClient(port);
    intake.holding = true;
    const calls = Array.from({ length: 50 }, (_, i) => client.export('logs', request('logs', i + 1)));
    await intake.appended(50);
    intake.settle();
    await Promise.all(calls);
    const items = intake.entries.map((each) => each.items).sort((a, b) => a - b);
    expect(items).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    client.close();
  });

  it('has a timer while somebody is connected, and none before and after', async () => {
    const begun = jest.spyOn(globalThis, 'setInterval');
    const clear = globalThis.clearInterval;
    const ended = Promise.withResolvers<unknown>();
    const ending = jest.spyOn(globalThis, 'clearInterval').mockImplementation((timer) => {
      clear(timer);
      // Connections of the tests before may still end.
      if (timer !== undefined) ended.resolve(timer);
    });
    await start();
    expect(begun).not.toHaveBeenCalled();
    const sessions = [0, 1].map(() => http2.connect(`http://127.0.0.1:${port}`));
    await Promise.all(sessions.map((session) => once(session, 'remoteSettings')));
    expect(begun).toHaveBeenCalledTimes(1);
    const ticker = begun.mock.results[0]!.value as NodeJS.Timeout;
    sessions[0]!.close();
    await once(sessions[0]!, 'close');
    expect(ending).not.toHaveBeenCalledWith(ticker);
    sessions[1]!.close();
    expect(await ended.promise).toBe(ticker);
    begun.mockRestore();
    ending.mockRestore();
  });

  it('takes large messages in many frames', async () => {
    await start();
    const client = new GrpcClient(port);
    const body = request('logs', 10_000);
    expect(body.length).toBeGreaterThan(2 ** 20);
    await client.export('logs', body);
    expect(body.equals(intake.entries[0]!.bytes)).toBe(true);
    client.close();
  });

  it('closes connections whose client has closed its half', async () => {
    await start();
    const socket = net.connect(port, '127.0.0.1');
    socket.end('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0');
    await once(socket.resume(), 'close');
  });

  it('tells HTTP/1 clients that they are at the wrong door, and closes', async () => {
    await start();
    const socket = net.connect(port, '127.0.0.1').on('error', () => {});
    socket.write('POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n');
    await once(socket.resume(), 'close');
  });

  it('listens on a unix socket', async () => {
    const directory = await mkdtemp(path.join(os.tmpdir(), 'holdfast-grpc-'));
    const endpoint = `unix:${path.join(directory, 'otlp.sock')}`;
    const parsed = otlpReceiverSchema.parse({ protocols: { grpc: { endpoint } } });
    server = new GrpcServer(parsed.protocols.grpc as GrpcConfig, {
      id: 'otlp',
      logger: silentLogger,
      intake,
      connections: unlimited,
    });
    expect(await server.start()).toBe(endpoint);
    const identity = (bytes: Buffer): Buffer => bytes;
    const client = new grpc.Client(endpoint, grpc.credentials.createInsecure());
    const service = '/opentelemetry.proto.collector.logs.v1.LogsService/Export';
    const answer = await new Promise<Buffer | undefined>((resolve, reject) => {
      client.makeUnaryRequest(service, identity, identity, request('logs'), (error, value) => {
        if (error) reject(error);
        else resolve(value);
      });
    });
    expect(answer).toHaveLength(0);
    client.close();
    await rm(directory, { recursive: true });
  });

  it('lets idle connections go when it stops', async () => {
    await start();
    const client = new GrpcClient(port);
    await client.export('logs', request('logs'));
    const silent = net.connect(port, '127.0.0.1').on('error', () => {});
    await once(silent, 'connect');
    await client.export('logs', request('logs'));
    await Promise.all([server.stop(new AbortController().signal), once(silent.resume(), 'close')]);
    client.close();
  });
});
