import { once } from 'node:events';
import net from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { silentLogger } from '../../../config/logger.ts';
import { ConnectionLimit } from '../../../receivers/connection_limit.ts';
import { otlpReceiver } from '../../../receivers/otlp/factory.ts';
import type { Receiver } from '../../../receivers/receiver.ts';
import { FakeIntake } from './fake_intake.ts';
import { GrpcClient, request, send, startReceiver } from './harness.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

async function create(protocols: object): Promise<Receiver> {
  const code = await otlpReceiver.load();
  const receiver = code.create(otlpReceiver.schema.parse({ protocols }), {
    connections: new ConnectionLimit(Number.POSITIVE_INFINITY),
    id: 'otlp/edge',
    logger: silentLogger,
  });
  cleanUps.push(() => receiver.stop(AbortSignal.abort()));
  return receiver;
}

async function takenPort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUps.push(() => server.close());
  return (server.address() as net.AddressInfo).port;
}

const free = { endpoint: '127.0.0.1:0' };

describe('the OTLP receiver', () => {
  it('says where it really listens', async () => {
    const receiver = await create({ grpc: free, http: free });
    expect(receiver.endpoints).toEqual([]);
    await receiver.start(new FakeIntake());
    expect(receiver.endpoints.map((each) => each.protocol)).toEqual(['grpc', 'http']);
    for (const { address } of receiver.endpoints) expect(address).toMatch(/^127\.0\.0\.1:[1-9]\d+$/);
  });

  it('starts only the protocols that are on', async () => {
    const receiver = await create({ http: free });
    await receiver.start(new FakeIntake());
    expect(receiver.endpoints.map((each) => each.protocol)).toEqual(['http']);
  });

  it.each(['http', 'grpc'])(
    'says which %s address is taken and what to do, and then listens nowhere',
    async (name) => {
      const taken = `127.0.0.1:${await takenPort()}`;
      const other = `127.0.0.1:${await freePort()}`;
      const receiver = await create({
        http: { endpoint: other },
        grpc: { endpoint: other.replace(/\d+$/, '0') },
        [name]: { endpoint: taken },
      });
      await expect(receiver.start(new FakeIntake())).rejects.toMatchObject({
        code: 'HF_RECEIVER_BIND',
        message: expect.stringMatching(
          new RegExp(
            `otlp/edge cannot listen on ${taken} \\(EADDRINUSE\\): .*another port \\(protocols\\.${name}\\.endpoint\\)`,
          ),
        ),
      });
      expect(receiver.endpoints).toEqual([]);
      await expect(send(Number(other.split(':')[1]), {})).rejects.toThrow(/ECONNREFUSED/);
    },
  );

  it('names an address that this machine does not have', async () => {
    const receiver = await create({ http: { endpoint: '192.0.2.1:0' } });
    await expect(receiver.start(new FakeIntake())).rejects.toMatchObject({
      code: 'HF_RECEIVER_BIND',
      message: expect.stringMatching(/192\.0\.2\.1:0 \(EADDRNOTAVAIL\): no interface/),
    });
  });

  it('takes nothing new and answers what is in flight when it is stopped, over both protocols', async () => {
    const running = await startReceiver();
    const client = new GrpcClient(running.grpcPort);
    running.intake.holding = true;
    const answers = [
      send(running.port, { body: request('traces') }).then((each) => each.status),
      client.export('logs', request('logs')).then((each) => each.length),
    ];
    await running.intake.appended(2);
    const stopped = running.receiver.stop(new AbortController().signal);
    running.intake.settle();
    expect(await Promise.all(answers)).toEqual([200, 0]);
    await stopped;
    await expect(client.export('logs', request('logs'))).rejects.toMatchObject({ code: 14 });
    client.close();
  });

  it('cuts off calls over gRPC at the deadline', async () => {
    const running = await startReceiver();
    const client = new GrpcClient(running.grpcPort);
    running.intake.holding = true;
    const answer = client.export('logs', request('logs')).catch((error: { code: number }) => error.code);
    await running.intake.appended(1);
    const deadline = new AbortController();
    const stopped = running.receiver.stop(deadline.signal);
    deadline.abort();
    await stopped;
    expect([1, 13, 14]).toContain(await answer);
    running.intake.settle();
    client.close();
  });

  it('can be stopped twice, and before it was started', async () => {
    const receiver = await create({ http: free });
    await receiver.stop(AbortSignal.abort());
    await receiver.start(new FakeIntake());
    await receiver.stop(AbortSignal.abort());
    await receiver.stop(AbortSignal.abort());
  });
});

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
