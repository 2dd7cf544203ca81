// Mutated requests over both protocols: the receiver stays up, every refusal is a Status, valid traffic goes on.

import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { gzipSync } from 'node:zlib';
import * as grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { requestToJson } from '../../../otlp/json/from_protobuf.ts';
import { signals } from '../../../otlp/signal.ts';
import { mutationArbitrary } from '../../otlp/arbitrary.ts';
import { seeded } from '../../otlp/json/json_writer.ts';
import { mutant } from '../../otlp/json/mutant.ts';
import {
  GrpcClient,
  JSON_TYPE,
  pathOf,
  type Running,
  raw,
  request,
  send,
  startReceiver,
  statusOf,
} from './harness.ts';

const random = { seed: 20_240_608 };
const signal = fc.constantFrom(...signals);
const mutated = signal.chain((each) => fc.tuple(fc.constant(each), mutationArbitrary(request(each, 3))));

let running: Running;
let client: GrpcClient;
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

beforeAll(async () => {
  running = await startReceiver();
  client = new GrpcClient(running.grpcPort);
});
afterAll(async () => {
  client.close();
  agent.destroy();
  await running.stop();
});

async function stillServes(): Promise<void> {
  expect((await send(running.port, { body: request('traces') })).status).toBe(200);
  expect(await client.export('logs', request('logs'))).toHaveLength(0);
}

describe('mutated requests', () => {
  it('over HTTP are taken or refused with a Status', async () => {
    const seen = new Set<number>();
    await fc.assert(
      fc.asyncProperty(mutated, async ([each, body]) => {
        const answer = await send(running.port, { agent, path: pathOf[each], body });
        seen.add(answer.status);
        expect([200, 400]).toContain(answer.status);
        if (answer.status === 400) expect(statusOf(answer).code).toBe(3);
      }),
      { ...random, numRuns: 800 },
    );
    expect([...seen].sort()).toEqual([200, 400]);
    await stillServes();
  });

  it('over HTTP in JSON are taken or refused with a Status in JSON', async () => {
    const seen = new Set<number>();
    const texts = new Map(signals.map((each) => [each, requestToJson(each, request(each, 3))]));
    await fc.assert(
      fc.asyncProperty(signal, fc.integer(), async (each, seed) => {
        const body = mutant(texts.get(each)!, seeded(seed));
        const headers = { 'Content-Type': JSON_TYPE };
        const answer = await send(running.port, { agent, path: pathOf[each], headers, body });
        seen.add(answer.status);
        expect([200, 400]).toContain(answer.status);
        expect(answer.headers['content-type']).toBe(JSON_TYPE);
        if (answer.status === 400) expect(statusOf(answer).code).toBe(3);
      }),
      { ...random, numRuns: 800 },
    );
    expect([...seen].sort()).toEqual([200, 400]);
    await stillServes();
  });

  it('over HTTP with gzip are taken or refused with a Status', async () => {
    await fc.assert(
      fc.asyncProperty(mutationArbitrary(gzipSync(request('traces', 3))), async (body) => {
        const headers = { 'Content-Encoding': 'gzip' };
        const answer = await send(running.port, { agent, headers, body });
        expect([200, 400, 413]).toContain(answer.status);
        if (answer.status !== 200) expect([3, 8]).toContain(statusOf(answer).code);
      }),
      { ...random, numRuns: 500 },
    );
    await stillServes();
  });

  it('over gRPC are taken or refused with INVALID_ARGUMENT', async () => {
    await fc.assert(
      fc.asyncProperty(mutated, async ([each, body]) => {
        const code = await client.export(each, Buffer.from(body)).then(
          () => grpc.status.OK,
          (error: grpc.ServiceError) => error.code,
        );
        expect([grpc.status.OK, grpc.status.INVALID_ARGUMENT]).toContain(code);
      }),
      { ...random, numRuns: 500 },
    );
    await stillServes();
  });

  it('whose head is damaged too end with an HTTP answer or a closed connection', async () => {
    const body = request('traces');
    const head = `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
    await fc.assert(
      fc.asyncProperty(mutationArbitrary(Buffer.concat([Buffer.from(head), body])), async (bytes) => {
        // A second head behind it ends requests that would wait for more.
        const answer = await raw(running.port, bytes, `\r\n\r\n${head}`, body, Buffer.alloc(2000, '\r\n'));
        expect(answer).toMatch(/^(HTTP\/1\.1 \d{3} |$)/);
      }),
      { ...random, numRuns: 300 },
    );
    await stillServes();
  });

  it('of gRPC frames leave the server up', async () => {
    const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 9, maxLength: 60 }), async (bytes) => {
        const socket = net.connect(running.grpcPort, '127.0.0.1').on('error', () => {});
        socket.write(preface);
        socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
        socket.end(bytes);
        await once(socket.resume(), 'close');
      }),
      { ...random, numRuns: 100 },
    );
    await stillServes();
  });
});
