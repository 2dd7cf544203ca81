// shared/OTLP.md, lines 6, 7 and 25: what is too large, and clients that go away. Each test is named by its number.

import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { rpcCode } from '../../../otlp/status.ts';
import type { FakeIntake } from '../../receivers/otlp/fake_intake.ts';
import { full } from '../../receivers/otlp/fake_intake.ts';
import {
  PROTOBUF,
  type Running,
  request,
  send,
  startReceiver,
  statusOf,
} from '../../receivers/otlp/harness.ts';

const LIMIT = 64 * 1024;
const gzip = { 'Content-Encoding': 'gzip' };

let running: Running;
let intake: FakeIntake;
let port: number;

beforeEach(async () => {
  running = await startReceiver({ http: { max_request_body_size: LIMIT } });
  ({ intake, port } = running);
});
afterEach(() => running.stop());

/** An unknown field with so many bytes in all, which is a valid request. */
function padded(length: number): Buffer {
  const head = Buffer.from([0x9a, 0x06, 0, 0, 0]);
  const rest = length - head.length;
  head.set([0x80 | (rest & 0x7f), 0x80 | ((rest >> 7) & 0x7f), rest >> 14], 2);
  return Buffer.concat([head, Buffer.alloc(rest)]);
}

describe('OTLP over HTTP, limits', () => {
  it('OTLP 6: a body of the limit is taken, plain and compressed', async () => {
    expect((await send(port, { body: padded(LIMIT) })).status).toBe(200);
    expect((await send(port, { headers: gzip, body: gzipSync(padded(LIMIT)) })).status).toBe(200);
    expect(intake.entries.map((each) => each.rawLength)).toEqual([LIMIT, LIMIT]);
  });

  it('OTLP 7: a Content-Length over the limit is 413 at once, before the intake is asked', async () => {
    const answer = await send(port, { body: padded(LIMIT + 1) });
    expect(answer.status).toBe(413);
    expect(statusOf(answer)).toEqual({
      code: rpcCode.RESOURCE_EXHAUSTED,
      message: `the body is larger than ${LIMIT} bytes`,
    });
    expect('retry-after' in answer.headers).toBe(false);
    expect(intake.admitted_bytes).toEqual([]);
    expect(intake.refusals).toEqual([{ signal: 'traces', transport: 'http', items: 0 }]);
  });

  it('OTLP 7: a chunked body is 413 as soon as it passes the limit', async () => {
    const headers = { 'Transfer-Encoding': 'chunked' };
    expect((await send(port, { headers, body: padded(LIMIT) })).status).toBe(200);
    const answer = await send(port, { headers, body: padded(LIMIT + 1) });
    expect(answer.status).toBe(413);
    expect(intake.entries).toHaveLength(1);
  });

  it.each([1, 800])(
    'OTLP 6, 7: a body that decompresses to %i × the limit and a byte is 413',
    async (times) => {
      const body = gzipSync(Buffer.alloc(LIMIT * times + 1));
      expect(body.length).toBeLessThan(LIMIT);
      const answer = await send(port, { headers: gzip, body });
      expect(answer.status).toBe(413);
      expect(intake.entries).toEqual([]);
    },
  );

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['zstd', zstdCompressSync],
  ] as const)('OTLP 6, 7: the limit holds after decompression for %s', async (name, compress) => {
    const headers = { 'Content-Encoding': name };
    expect((await send(port, { headers, body: compress(padded(LIMIT)) })).status).toBe(200);
    for (const times of [1, 800]) {
      const answer = await send(port, { headers, body: compress(Buffer.alloc(LIMIT * times + 1)) });
      expect([answer.status, statusOf(answer).code]).toEqual([413, rpcCode.RESOURCE_EXHAUSTED]);
    }
    expect(intake.entries).toHaveLength(1);
  });

  it('OTLP 6, 7: a bomb that declares a small size is stopped at the limit', async () => {
    const bomb = gzipSync(Buffer.alloc(LIMIT * 50));
    bomb.writeUInt32LE(10, bomb.length - 4);
    const answer = await send(port, { headers: gzip, body: bomb });
    expect(answer.status).toBe(413);
    expect(statusOf(answer).message).toBe(`the decompressed body is larger than ${LIMIT} bytes`);
  });

  it('OTLP 6, 7: a bomb in several members is stopped at the limit', async () => {
    const member = gzipSync(Buffer.alloc(LIMIT / 2));
    const answer = await send(port, { headers: gzip, body: Buffer.concat([member, member, member]) });
    expect(answer.status).toBe(413);
  });

  it('OTLP 6: several members within the limit are taken, but not passed on as they are', async () => {
    const [one, two] = [request('traces', 2), request('traces', 3)];
    const body = Buffer.concat([gzipSync(one), gzipSync(two)]);
    expect((await send(port, { headers: gzip, body })).status).toBe(200);
    expect(intake.entries).toMatchObject([{ codec: 'identity', items: 5 }]);
    expect(Buffer.from(intake.entries[0]!.bytes)).toEqual(Buffer.concat([one, two]));
  });

  it('OTLP 7: a connection outlives a refusal, whose body is read and thrown away', async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const sockets = new Set<net.Socket>();
    agent.on('free', (socket: net.Socket) => sockets.add(socket));
    expect((await send(port, { agent, body: padded(LIMIT + 1) })).status).toBe(413);
    expect((await send(port, { agent, body: request('traces') })).status).toBe(200);
    expect(sockets.size).toBe(1);
    agent.destroy();
  });

  it('OTLP 7: a client that never stops sending reads its 413 and is cut off', async () => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(
      `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: ${PROTOBUF}\r\nContent-Length: 999999999\r\n\r\n`,
    );
    const [head] = (await once(socket, 'data')) as [Buffer];
    expect(head.toString('latin1')).toMatch(/^HTTP\/1\.1 413 /);
    let closed = false;
    socket.on('close', () => {
      closed = true;
    });
    const chunk = Buffer.alloc(16 * 1024);
    // Ends only when the server has had enough.
    while (!closed) {
      if (!socket.writableNeedDrain) socket.write(chunk);
      await new Promise((resolve) => setImmediate(resolve));
    }
  });

  it('OTLP 14: who waits for "100 Continue" is refused without sending the body', async () => {
    intake.admitError = full(3);
    const outgoing = http.request({
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/v1/traces',
      headers: { 'Content-Type': PROTOBUF, 'Content-Length': 1000, Expect: '100-continue' },
    });
    outgoing.on('error', () => {});
    outgoing.flushHeaders();
    let continued = false;
    outgoing.on('continue', () => {
      continued = true;
    });
    const [response] = (await once(outgoing, 'response')) as [http.IncomingMessage];
    expect(response.statusCode).toBe(503);
    expect(response.headers['retry-after']).toBe('3');
    expect(continued).toBe(false);
    outgoing.destroy();
  });

  it('OTLP 14: who waits for "100 Continue" and is welcome gets it', async () => {
    const body = request('traces');
    const outgoing = http.request({
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/v1/traces',
      headers: { 'Content-Type': PROTOBUF, 'Content-Length': body.length, Expect: '100-continue' },
    });
    outgoing.flushHeaders();
    await once(outgoing, 'continue');
    outgoing.end(body);
    const [response] = (await once(outgoing, 'response')) as [http.IncomingMessage];
    expect(response.statusCode).toBe(200);
    response.resume();
  });
});

describe('OTLP over HTTP, clients that go away', () => {
  /** Sends the head and a part of the body, and gives the open socket. */
  function half(body: Buffer, part: number): net.Socket {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => {});
    const head = `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: ${PROTOBUF}\r\nContent-Length: ${body.length}\r\n\r\n`;
    socket.write(head);
    socket.write(body.subarray(0, part));
    return socket;
  }

  async function admitted(count: number): Promise<void> {
    while (intake.admitted_bytes.length < count) await new Promise((resolve) => setImmediate(resolve));
  }

  it('OTLP 25: one that leaves in the middle of its body leaves nothing', async () => {
    const socket = half(request('traces', 50), 100);
    await admitted(1);
    socket.destroy();
    expect((await send(port, { body: request('traces') })).status).toBe(200);
    expect(intake.entries).toHaveLength(1);
    expect(intake.refusals).toEqual([]);
  });

  it('OTLP 25: what was written stays written when the client leaves before the answer', async () => {
    intake.holding = true;
    const body = request('traces', 5);
    const socket = half(body, body.length);
    await intake.appended(1);
    socket.resetAndDestroy();
    await once(socket, 'close');
    intake.settle();
    expect((await send(port, { body })).status).toBe(200);
    expect(intake.entries).toHaveLength(2);
  });

  it('OTLP 25: a commit that fails after the client has left harms nobody', async () => {
    intake.holding = true;
    const body = request('traces', 5);
    const socket = half(body, body.length);
    await intake.appended(1);
    socket.resetAndDestroy();
    await once(socket, 'close');
    intake.settle(full());
    expect((await send(port, { body })).status).toBe(200);
  });
});
