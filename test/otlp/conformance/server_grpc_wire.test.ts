// shared/OTLP.md, the server's lines where they depend on the bytes of a gRPC call that no well-made client sends.

import { deflateSync, gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { exportPathOf } from '../../../otlp/service.ts';
import { decodeStatus, rpcCode } from '../../../otlp/status.ts';
import type { FakeIntake } from '../../receivers/otlp/fake_intake.ts';
import { framed, RawClient } from '../../receivers/otlp/grpc/raw_call.ts';
import { type Running, request, startReceiver } from '../../receivers/otlp/harness.ts';

const MIB = 2 ** 20;
let running: Running;
let intake: FakeIntake;
let client: RawClient;

beforeEach(() => begin({ max_recv_msg_size_mib: 1 }));
afterEach(end);

async function begin(grpc: object): Promise<void> {
  running = await startReceiver({ grpc });
  ({ intake } = running);
  client = new RawClient(running.grpcPort);
}

async function end(): Promise<void> {
  client.close();
  await running.stop();
}

describe('OTLP over gRPC, on the wire', () => {
  it('OTLP 5: zstd is taken and kept as it came', async () => {
    const body = zstdCompressSync(request('traces', 20));
    const headers = { 'grpc-encoding': 'zstd' };
    expect(await client.call({ headers, parts: [framed(body, 1)] })).toMatchObject({ http: 200, status: 0 });
    expect(intake.entries).toMatchObject([{ codec: 'zstd', items: 20 }]);
    expect(Buffer.from(intake.entries[0]!.bytes)).toEqual(body);
  });

  it('OTLP 5: deflate is taken and kept as gzip', async () => {
    const body = request('traces', 20);
    const headers = { 'grpc-encoding': 'deflate' };
    expect((await client.call({ headers, parts: [framed(deflateSync(body), 1)] })).status).toBe(0);
    expect(intake.entries).toMatchObject([{ codec: 'gzip', items: 20 }]);
    expect(gunzipSync(intake.entries[0]!.bytes)).toEqual(body);
  });

  it('OTLP 5: a message without the flag is not compressed, whatever grpc-encoding says', async () => {
    const headers = { 'grpc-encoding': 'gzip' };
    expect((await client.call({ headers, parts: [framed(request('traces', 2))] })).status).toBe(0);
    expect(intake.entries).toMatchObject([{ codec: 'identity', items: 2 }]);
  });

  it.each(['snappy', 'lz4', 'br', 'GZIP'])(
    'OTLP 5: %s is UNIMPLEMENTED and says what is taken',
    async (name) => {
      const answer = await client.call({
        headers: { 'grpc-encoding': name },
        parts: [framed(Buffer.alloc(3), 1)],
      });
      expect(answer).toMatchObject({ http: 200, status: rpcCode.UNIMPLEMENTED });
      expect(answer.headers['grpc-accept-encoding']).toBe('identity,gzip,deflate,zstd');
      expect(intake.entries).toEqual([]);
    },
  );

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['zstd', zstdCompressSync],
  ] as const)('OTLP 6, 8: the limit holds after decompression for %s', async (name, compress) => {
    const headers = { 'grpc-encoding': name };
    const bomb = framed(compress(Buffer.alloc(40 * MIB)), 1);
    expect((await client.call({ headers, parts: [bomb] })).status).toBe(rpcCode.RESOURCE_EXHAUSTED);
    const broken = await client.call({ headers, parts: [framed(Buffer.from('no such stream'), 1)] });
    expect(broken.status).toBe(rpcCode.INVALID_ARGUMENT);
  });

  it('OTLP 8: a declared length over the limit is refused before the message comes', async () => {
    const answer = await client.call({ parts: [framed(Buffer.alloc(10), 0, MIB + 1)], end: false });
    expect(answer.status).toBe(rpcCode.RESOURCE_EXHAUSTED);
    expect(decodeStatus(Buffer.from(String(answer.headers['grpc-status-details-bin']), 'base64'))).toEqual({
      code: rpcCode.RESOURCE_EXHAUSTED,
      message: `the message is larger than ${MIB} bytes`,
    });
  });

  it('OTLP 12: a prefix and a message in any pieces are one message', async () => {
    const whole = framed(request('traces', 3));
    const bytes = Array.from(whole, (_, i) => whole.subarray(i, i + 1));
    expect((await client.call({ parts: bytes })).status).toBe(0);
    expect(intake.entries).toMatchObject([{ items: 3 }]);
  });

  it.each([
    ['no message', [], rpcCode.UNIMPLEMENTED],
    ['a half prefix', [Buffer.alloc(3)], rpcCode.UNIMPLEMENTED],
    ['two messages', [framed(request('traces')), framed(request('traces'))], rpcCode.UNIMPLEMENTED],
    ['a message that ends early', [framed(Buffer.alloc(3), 0, 9)], rpcCode.INTERNAL],
    ['an unknown flag', [framed(request('traces'), 2)], rpcCode.INTERNAL],
    ['the flag without an encoding', [framed(gzipSync('x'), 1)], rpcCode.INTERNAL],
  ])('OTLP 12: %s is refused', async (_what, parts, status) => {
    expect((await client.call({ parts })).status).toBe(status);
    expect(intake.entries).toEqual([]);
  });

  it('OTLP 12: what is no gRPC gets an HTTP status too', async () => {
    const type = { 'content-type': 'application/x-protobuf' };
    expect(await client.call({ headers: type, parts: [] })).toMatchObject({
      http: 415,
      status: rpcCode.UNIMPLEMENTED,
    });
    expect(await client.call({ headers: { ':method': 'PUT' }, parts: [] })).toMatchObject({ http: 405 });
    const proto = { 'content-type': 'application/grpc+proto' };
    expect(await client.call({ headers: proto, parts: [framed(request('traces'))] })).toMatchObject({
      status: 0,
    });
  });

  it('OTLP 2: profiles are UNIMPLEMENTED, as any other method is', async () => {
    for (const path of [
      exportPathOf('traces').replace('trace.v1.Trace', 'profiles.v1development.Profiles'),
      '/',
    ]) {
      const answer = await client.call({ headers: { ':path': path }, parts: [framed(Buffer.alloc(0))] });
      expect(answer).toMatchObject({ http: 200, status: rpcCode.UNIMPLEMENTED });
    }
  });

  it('OTLP 24: a message that does not arrive in time is DEADLINE_EXCEEDED, and its call is reset', async () => {
    await end();
    await begin({ read_timeout: '100ms' });
    const answer = await client.call({ parts: [framed(Buffer.alloc(3), 0, 9)], end: false });
    expect(answer.status).toBe(rpcCode.DEADLINE_EXCEEDED);
    expect((await client.call({ parts: [framed(request('traces'))] })).status).toBe(0);
  });

  it('OTLP 23: max_concurrent_streams is told to the client', async () => {
    await end();
    await begin({ max_concurrent_streams: 7 });
    await new Promise((resolve) => client.session.once('remoteSettings', resolve));
    expect(client.session.remoteSettings.maxConcurrentStreams).toBe(7);
  });

  it('OTLP 25: a call that is reset in the middle of its message leaves nothing', async () => {
    const stream = client.session.request({
      ':method': 'POST',
      ':path': exportPathOf('traces'),
      'content-type': 'application/grpc',
    });
    stream.on('error', () => {});
    stream.write(framed(Buffer.alloc(1000), 0, 5000));
    while (intake.admitted_bytes.length === 0) await new Promise((resolve) => setImmediate(resolve));
    stream.close(8);
    expect((await client.call({ parts: [framed(request('traces'))] })).status).toBe(0);
    expect(intake.entries).toHaveLength(1);
    expect(intake.refusals).toEqual([]);
  });

  it('OTLP 25: calls that are reset in the turn in which they would be answered harm nobody', async () => {
    for (let round = 0; round < 20; round++) {
      intake.holding = true;
      const streams = Array.from({ length: 10 }, () => {
        const stream = client.session.request({
          ':method': 'POST',
          ':path': exportPathOf('traces'),
          'content-type': 'application/grpc',
        });
        stream.on('error', () => {});
        stream.end(framed(request('traces')));
        return stream;
      });
      await intake.appended(10 * (round + 1));
      for (const stream of streams) stream.close(8);
      intake.settle();
    }
    intake.holding = false;
    expect((await client.call({ parts: [framed(request('traces'))] })).status).toBe(0);
  });
});
