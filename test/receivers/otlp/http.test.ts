import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { silentLogger } from '../../../config/logger.ts';
import { ConnectionLimit } from '../../../receivers/connection_limit.ts';
import { type HttpConfig, otlpReceiverSchema } from '../../../receivers/otlp/config.ts';
import { otlpHttpServer } from '../../../receivers/otlp/http.ts';
import { FakeIntake } from './fake_intake.ts';
import { PROTOBUF, raw, request, send, statusOf } from './harness.ts';

let intake: FakeIntake;
let server: ReturnType<typeof otlpHttpServer>;
let port: number;

async function start(config: object = {}): Promise<void> {
  const parsed = otlpReceiverSchema.parse({ protocols: { http: { endpoint: '127.0.0.1:0', ...config } } });
  server = otlpHttpServer(parsed.protocols.http as HttpConfig, {
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

const never = () => new AbortController().signal;

/** What a request counts for beside its body. */
const REQUEST_BYTES = 4096;

const unlimited = new ConnectionLimit(Number.POSITIVE_INFINITY);

describe('the HTTP server', () => {
  it('gives back all in-flight bytes, whatever became of the requests', async () => {
    await start({ max_request_body_size: '100KiB' });
    const gzip = { 'Content-Encoding': 'gzip' };
    await send(port, { body: request('traces', 500) });
    await send(port, { body: Buffer.from('nonsense') });
    await send(port, { body: Buffer.alloc(200_000) });
    await send(port, { headers: gzip, body: gzipSync(Buffer.alloc(500_000)) });
    await send(port, { headers: gzip, body: Buffer.concat([gzipSync(request('traces')), gzipSync('')]) });
    const socket = net.connect(port, '127.0.0.1');
    socket.write(
      `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: ${PROTOBUF}\r\nContent-Length: 5000\r\n\r\nab`,
    );
    while (server.inFlight_bytes === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(server.inFlight_bytes).toBe(REQUEST_BYTES + 2);
    socket.destroy();
    while (server.inFlight_bytes > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it('holds no body while it waits for the disk, of which the intake has its copy, but counts the request', async () => {
    await start();
    intake.holding = true;
    const answer = send(port, { body: request('traces', 500) });
    await intake.appended(1);
    await new Promise((resolve) => setImmediate(resolve));
    // Else requests that are sent ahead while the disk stands still would have no bound.
    expect(server.inFlight_bytes).toBe(REQUEST_BYTES);
    intake.settle();
    expect((await answer).status).toBe(200);
    expect(server.inFlight_bytes).toBe(0);
  });

  it('takes large bodies as they come, in whatever pieces', async () => {
    await start();
    const body = request('traces', 20_000);
    expect(body.length).toBeGreaterThan(2 ** 21);
    expect((await send(port, { body })).status).toBe(200);
    expect((await send(port, { headers: { 'Transfer-Encoding': 'chunked' }, body })).status).toBe(200);
    expect((await send(port, { headers: { 'Content-Encoding': 'gzip' }, body: gzipSync(body) })).status).toBe(
      200,
    );
    expect(intake.entries.map((each) => [each.items, each.rawLength])).toEqual(
      new Array(3).fill([20_000, body.length]),
    );
    expect(body.equals(intake.entries[1]!.bytes)).toBe(true);
  });

  it('takes a small body that comes after its head, or breaks off', async () => {
    await start();
    const body = request('traces');
    const head = `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: ${PROTOBUF}\r\nContent-Length: ${body.length}\r\n\r\n`;
    const socket = net.connect(port, '127.0.0.1');
    for (const [index, cut] of [0, 1, body.length - 1].entries()) {
      socket.write(Buffer.concat([Buffer.from(head), body.subarray(0, cut)]));
      await intake.until(() => intake.admitted_bytes.length === index + 1);
      while (server.inFlight_bytes < REQUEST_BYTES + cut)
        await new Promise((resolve) => setImmediate(resolve));
      socket.write(body.subarray(cut));
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(answer.toString('latin1')).toMatch(/^HTTP\/1\.1 200 /);
      expect(body.equals(intake.entries[index]!.bytes)).toBe(true);
    }
    socket.write(Buffer.concat([Buffer.from(head), body.subarray(1)]));
    while (server.inFlight_bytes === 0) await new Promise((resolve) => setImmediate(resolve));
    socket.destroy();
    while (server.inFlight_bytes > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(intake.entries).toHaveLength(3);
  });

  it('serves pipelined requests in order', async () => {
    await start();
    const body = request('traces');
    const one = `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: ${PROTOBUF}\r\nContent-Length: ${body.length}\r\n`;
    const bad = `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi`;
    const last = 'Connection: close\r\n\r\n';
    const answers = await raw(port, `${one}\r\n`, body, bad, one + last, body);
    expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 415', 'HTTP/1.1 200']);
  });

  it('reads bodies that smuggle a second length as no request at all', async () => {
    await start();
    const both = 'Content-Length: 3\r\nTransfer-Encoding: chunked\r\n';
    const answer = await raw(port, `POST /v1/traces HTTP/1.1\r\nHost: x\r\n${both}\r\n0\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('refuses broken chunks once, and closes', async () => {
    await start();
    const head = `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: ${PROTOBUF}\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const answer = await raw(port, head, '5\r\nabcdeXX\r\n');
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 400']);
    expect(intake.entries).toEqual([]);
  });

  it('writes no second answer behind the first when a refused request breaks later', async () => {
    await start({ max_request_body_size: 1024 });
    const head = `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(head);
    const [first] = (await once(socket, 'data')) as [Buffer];
    expect(first.toString('latin1')).toMatch(/^HTTP\/1\.1 415 /);
    let more = '';
    socket.on('data', (chunk: Buffer) => {
      more += chunk.toString('latin1');
    });
    socket.write('no chunk\r\n');
    await once(socket, 'close');
    expect(more).toBe('');
  });

  it('listens on a unix socket', async () => {
    const directory = await mkdtemp(path.join(os.tmpdir(), 'holdfast-http-'));
    const socketPath = path.join(directory, 'otlp.sock');
    const parsed = otlpReceiverSchema.parse({ protocols: { http: { endpoint: `unix:${socketPath}` } } });
    server = otlpHttpServer(parsed.protocols.http as HttpConfig, {
      id: 'otlp',
      logger: silentLogger,
      intake,
      connections: unlimited,
    });
    expect(await server.start()).toBe(`unix:${socketPath}`);
    const outgoing = http.request({
      socketPath,
      method: 'POST',
      path: '/v1/logs',
      headers: { 'Content-Type': PROTOBUF },
    });
    outgoing.end(request('logs'));
    const [response] = (await once(outgoing, 'response')) as [http.IncomingMessage];
    expect(response.statusCode).toBe(200);
    response.resume();
    await once(response, 'close');
    await rm(directory, { recursive: true });
  });
});

describe('stopping the HTTP server', () => {
  it('answers what is in flight, on connections that it then closes', async () => {
    await start();
    intake.holding = true;
    const agent = new http.Agent({ keepAlive: true });
    const answer = send(port, { agent, body: request('traces') });
    await intake.appended(1);
    const stopped = server.stop(never());
    await expect(send(port, { body: request('traces') })).rejects.toThrow(/ECONNREFUSED/);
    intake.settle();
    expect((await answer).status).toBe(200);
    expect((await answer).headers['connection']).toBe('close');
    await stopped;
    agent.destroy();
  });

  it('closes idle connections at once, those that never said anything too', async () => {
    await start();
    const agent = new http.Agent({ keepAlive: true });
    await send(port, { agent, body: request('traces') });
    const silent = net.connect(port, '127.0.0.1');
    await once(silent, 'connect');
    // The server has it only when it has accepted it; an exchange afterwards proves that.
    await send(port, { body: request('traces') });
    silent.resume();
    await Promise.all([server.stop(never()), once(silent, 'close')]);
    agent.destroy();
  });

  it('cuts off what is left at the deadline', async () => {
    await start();
    intake.holding = true;
    const answer = send(port, { body: request('traces') });
    await intake.appended(1);
    const deadline = new AbortController();
    const stopped = server.stop(deadline.signal);
    deadline.abort();
    await expect(answer).rejects.toThrow(/hang up|ECONNRESET/);
    await stopped;
    intake.settle();
  });

  it('does not wait for a body that never ends, beyond the deadline', async () => {
    await start();
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(
      `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: ${PROTOBUF}\r\nContent-Length: 9\r\n\r\nab`,
    );
    while (intake.admitted_bytes.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await Promise.all([server.stop(AbortSignal.timeout(50)), once(socket.resume(), 'close')]);
    expect(intake.entries).toEqual([]);
  });
});

describe('limits on requests in flight', () => {
  it('put off what would pass them with 503', async () => {
    await start({ max_request_body_size: '64MiB' });
    // 256 MiB in all: three bodies that stand just before their end, and one that would pass the limit.
    const body = Buffer.alloc(60 * 2 ** 20);
    const head = `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: ${PROTOBUF}\r\nContent-Length: ${body.length}\r\n\r\n`;
    const sockets = Array.from({ length: 4 }, () => net.connect(port, '127.0.0.1').on('error', () => {}));
    for (const socket of sockets) {
      socket.write(head);
      socket.write(body.subarray(1));
    }
    while (server.inFlight_bytes < 4 * (REQUEST_BYTES + body.length - 1))
      await new Promise((resolve) => setImmediate(resolve));
    const answer = await send(port, { body: Buffer.alloc(20 * 2 ** 20) });
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBe('1');
    expect(statusOf(answer).message).toBe('too many bytes of requests are in flight');
    for (const socket of sockets) socket.destroy();
    while (server.inFlight_bytes > 0) await new Promise((resolve) => setImmediate(resolve));
  });
});
