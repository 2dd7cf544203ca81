// Who speaks HTTP/1 to the port of gRPC is told so, in HTTP/1; who speaks HTTP/2 is served, in whatever pieces his first words come.

import { once } from 'node:events';
import http2 from 'node:http2';
import net, { type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Greetings } from '../../../../receivers/otlp/grpc/greeting.ts';
import { GrpcClient, type Running, raw, request, send, startReceiver, statusOf } from '../harness.ts';

let running: Running;
beforeEach(async () => {
  running = await startReceiver();
});
afterEach(() => running.stop());

describe('HTTP/1 on the port of gRPC', () => {
  it('is answered at once with a Status, counted by its path, and the connection closed', async () => {
    const answer = await send(running.grpcPort, { body: request('traces') });
    expect(answer.status).toBe(400);
    expect(answer.headers.connection).toBe('close');
    expect(statusOf(answer).message).toBe('this port takes gRPC, over HTTP/2 only');
    expect(running.intake.refusals).toEqual([{ signal: 'traces', transport: 'grpc', items: 0 }]);
    expect(running.intake.entries).toEqual([]);
  });

  it('is told which port takes HTTP', async () => {
    // Held by somebody else for a moment: a port that is free, and known before the receiver is made.
    const other = net.createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    other.close();
    await once(other, 'close');
    const both = await startReceiver({ http: { endpoint: `127.0.0.1:${port}` } });
    const answer = await send(both.grpcPort, { method: 'GET', path: '/' });
    expect(statusOf(answer).message).toMatch(new RegExp(`; OTLP over HTTP is taken on port ${port}$`));
    expect(both.intake.refusals).toEqual([]);
    await both.stop();
  });

  it.each(['G', 'PRI', 'PRI * HTTP/2'])('waits for more where %s could be either', async (start) => {
    const rest = start === 'PRI * HTTP/2' ? '.1\r\n\r\n' : ' / HTTP/1.1\r\n\r\n';
    const socket = net.connect(running.grpcPort, '127.0.0.1').setNoDelay(true);
    socket.write(start);
    await once(socket, 'connect');
    await new GrpcClient(running.grpcPort).export('logs', request('logs'));
    socket.write(rest);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString('latin1')).toMatch(/^HTTP\/1\.1 400 /);
    await once(socket.resume(), 'close');
  });

  it('is no HTTP at all where it begins with no method: that is left to node:http2', async () => {
    expect(await raw(running.grpcPort, Buffer.from([22, 3, 1, 0, 200, 1, 0, 0, 1]))).not.toMatch(/HTTP/);
    expect(running.intake.refusals).toEqual([]);
  });
});

describe('HTTP/2 on the port of gRPC', () => {
  it('is served though its first words come byte by byte', async () => {
    const relay = net.createServer((from) => {
      const to = net.connect(running.grpcPort, '127.0.0.1').setNoDelay(true);
      to.pipe(from);
      let passed = 0;
      from.on('data', (chunk: Buffer) => {
        const slow = chunk.subarray(0, Math.max(0, 30 - passed));
        for (const byte of slow) to.write(Buffer.of(byte));
        passed += chunk.length;
        to.write(chunk.subarray(slow.length));
      });
      for (const each of [from, to]) each.on('error', () => {});
      from.on('close', () => to.destroy());
    });
    relay.listen(0, '127.0.0.1');
    await once(relay, 'listening');
    const client = new GrpcClient((relay.address() as AddressInfo).port);
    const body = request('traces', 500);
    await client.export('traces', body);
    expect(Buffer.from(running.intake.entries[0]!.bytes).equals(body)).toBe(true);
    client.close();
    relay.close();
  });
});

describe('a client that says nothing', () => {
  it('is cut off when its time is up, and so is one that begins and does not go on', async () => {
    const server = http2.createServer();
    new Greetings(server, 20, () => {});
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    for (const said of ['', 'PRI * H']) {
      const socket = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(said);
      await once(socket.resume(), 'close');
    }
    server.close();
    await once(server, 'close');
  });

  it('keeps nobody from stopping', async () => {
    const silent = net.connect(running.grpcPort, '127.0.0.1').on('error', () => {});
    silent.write('PR');
    await once(silent, 'connect');
    await new GrpcClient(running.grpcPort).export('logs', request('logs'));
    await Promise.all([running.receiver.stop(new AbortController().signal), once(silent.resume(), 'close')]);
    expect(silent.destroyed).toBe(true);
  });
});
