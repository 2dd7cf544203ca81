// shared/OTLP.md, the server's lines as far as they concern HTTP; each test is named by its number.

import { deflateSync, gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HoldfastError } from '../../../config/error.ts';
import { signals } from '../../../otlp/signal.ts';
import { rpcCode } from '../../../otlp/status.ts';
import { otlpReceiver } from '../../../receivers/otlp/factory.ts';
import { FakeIntake, full } from '../../receivers/otlp/fake_intake.ts';
import {
  PROTOBUF,
  pathOf,
  type Running,
  raw,
  request,
  send,
  startReceiver,
  statusOf,
} from '../../receivers/otlp/harness.ts';

let running: Running;
let intake: FakeIntake;
let port: number;

beforeEach(async () => {
  running = await startReceiver();
  ({ intake, port } = running);
});
afterEach(() => running.stop());

describe('OTLP over HTTP', () => {
  it('OTLP 1: gRPC listens on 4317 and HTTP on 4318 of 127.0.0.1 where nothing else is said', () => {
    const { protocols } = otlpReceiver.schema.parse({});
    expect(protocols.grpc?.endpoint).toEqual({ kind: 'tcp', host: '127.0.0.1', port: 4317 });
    expect(protocols.http?.endpoint).toEqual({ kind: 'tcp', host: '127.0.0.1', port: 4318 });
  });

  it('OTLP 1: either protocol may be off', () => {
    expect(otlpReceiver.schema.parse({ protocols: { http: null } }).protocols.grpc).toBeUndefined();
    expect(otlpReceiver.schema.parse({ protocols: { grpc: null } }).protocols.http).toBeUndefined();
  });

  it.each(signals)('OTLP 2: POST /v1/%s takes that signal', async (signal) => {
    const body = request(signal, 3);
    expect((await send(port, { path: pathOf[signal], body })).status).toBe(200);
    expect(intake.entries).toMatchObject([{ signal, codec: 'identity', items: 3, rawLength: body.length }]);
    expect(Buffer.from(intake.entries[0]!.bytes)).toEqual(body);
  });

  it('OTLP 2: the paths can be set', async () => {
    const other = await startReceiver({ http: { traces_url_path: '/in/spans' } });
    expect((await send(other.port, { path: '/in/spans?tenant=1', body: request('traces') })).status).toBe(
      200,
    );
    expect((await send(other.port, { path: '/v1/traces', body: request('traces') })).status).toBe(404);
    await other.stop();
  });

  it('OTLP 2: profiles are refused clearly', async () => {
    const answer = await send(port, { path: '/v1development/profiles', body: request('traces') });
    expect(answer.status).toBe(404);
    expect(statusOf(answer).code).toBe(rpcCode.UNIMPLEMENTED);
  });

  it.each(['application/x-protobuf; charset=utf-8', 'Application/X-Protobuf', 'application/x-protobuf;v=1'])(
    'OTLP 4: the Content-Type of the answer is that of the request, parameters aside: %s',
    async (type) => {
      const answer = await send(port, { headers: { 'Content-Type': type }, body: request('traces') });
      expect(answer.status).toBe(200);
      expect(answer.headers['content-type']).toBe(PROTOBUF);
    },
  );

  it.each(['gzip', 'GZIP', 'x-gzip'])(
    'OTLP 5: Content-Encoding %s is taken and stored as it came',
    async (name) => {
      const plain = request('traces', 20);
      const body = gzipSync(plain);
      expect((await send(port, { headers: { 'Content-Encoding': name }, body })).status).toBe(200);
      expect(intake.entries).toMatchObject([{ codec: 'gzip', items: 20, rawLength: plain.length }]);
      expect(Buffer.from(intake.entries[0]!.bytes)).toEqual(body);
    },
  );

  it('OTLP 5: Content-Encoding zstd is taken and stored as it came', async () => {
    const plain = request('logs', 20);
    const body = zstdCompressSync(plain);
    const answer = await send(port, { path: pathOf.logs, headers: { 'Content-Encoding': 'zstd' }, body });
    expect(answer.status).toBe(200);
    expect(intake.entries).toMatchObject([{ codec: 'zstd', items: 20, rawLength: plain.length }]);
    expect(Buffer.from(intake.entries[0]!.bytes)).toEqual(body);
  });

  it.each(['deflate', 'zlib'])(
    'OTLP 5: Content-Encoding %s is taken and stored as gzip, not compressed again',
    async (name) => {
      const plain = request('traces', 20);
      const body = deflateSync(plain);
      expect((await send(port, { headers: { 'Content-Encoding': name }, body })).status).toBe(200);
      expect(intake.entries).toMatchObject([{ codec: 'gzip', items: 20, rawLength: plain.length }]);
      const stored = Buffer.from(intake.entries[0]!.bytes);
      expect(gunzipSync(stored)).toEqual(plain);
      expect(stored.subarray(10, -8)).toEqual(body.subarray(2, -4));
    },
  );

  it('OTLP 5: Content-Encoding identity is none', async () => {
    const answer = await send(port, { headers: { 'Content-Encoding': 'identity' }, body: request('traces') });
    expect(answer.status).toBe(200);
    expect(intake.entries).toMatchObject([{ codec: 'identity' }]);
  });

  it.each(['br', 'snappy', 'x-snappy-framed', 'lz4', 'gzip, gzip'])(
    'OTLP 5: Content-Encoding %s is 415 with Accept-Encoding',
    async (name) => {
      const answer = await send(port, { headers: { 'Content-Encoding': name }, body: request('traces') });
      expect(answer.status).toBe(415);
      expect(answer.headers['accept-encoding']).toBe('gzip, deflate, zstd, identity');
      expect(statusOf(answer)).toMatchObject({ code: rpcCode.INVALID_ARGUMENT });
      expect(intake.entries).toEqual([]);
      expect(intake.refusals).toEqual([{ signal: 'traces', transport: 'http', items: 0 }]);
    },
  );

  it('OTLP 9: success is 200 with an empty response message', async () => {
    const answer = await send(port, { body: request('traces') });
    expect(answer).toMatchObject({ status: 200, body: Buffer.alloc(0) });
    expect(answer.headers).toMatchObject({ 'content-type': PROTOBUF, 'content-length': '0' });
  });

  it('OTLP 9: success is not said before the entry is durable', async () => {
    intake.holding = true;
    let answered = false;
    const answer = send(port, { body: request('traces') }).then((each) => {
      answered = true;
      return each;
    });
    await intake.appended(1);
    // A whole exchange with the same server: an answer sent too early would have come by then.
    await send(port, { body: Buffer.alloc(0) });
    expect(answered).toBe(false);
    intake.settle();
    expect((await answer).status).toBe(200);
  });

  it.each([
    ['no bytes', {}, Buffer.alloc(0)],
    ['no body at all', {}, undefined],
    ['gzip of no bytes', { 'Content-Encoding': 'gzip' }, gzipSync(Buffer.alloc(0))],
    ['no bytes in chunks', { 'Transfer-Encoding': 'chunked' }, Buffer.alloc(0)],
  ])('OTLP 10: an empty request is a success: %s', async (_what, headers: Record<string, string>, body) => {
    expect((await send(port, { headers, body })).status).toBe(200);
    expect(intake.entries).toEqual([]);
  });

  it('OTLP 11: nothing is ever taken in part, so no answer has a partial success', async () => {
    const halfGood = Buffer.concat([request('traces', 5), Buffer.from([10, 200])]);
    expect((await send(port, { body: halfGood })).status).toBe(400);
    expect(intake.entries).toEqual([]);
  });

  it('OTLP 12: what cannot be decoded is 400 with a Status that names field and byte', async () => {
    const body = request('traces');
    body[body.indexOf('GET') - 1] = 99;
    const answer = await send(port, { body });
    expect(answer.status).toBe(400);
    expect(statusOf(answer).code).toBe(rpcCode.INVALID_ARGUMENT);
    expect(statusOf(answer).message).toMatch(/^resource_spans\[0\].*spans\[0\].* at byte \d+$/);
    expect(intake.refusals).toEqual([{ signal: 'traces', transport: 'http', items: 0 }]);
  });

  it.each([
    ['no gzip at all', Buffer.from('this is plain text, and long enough to be taken for more')],
    ['cut off', gzipSync(request('traces', 9)).subarray(0, -20)],
    ['with a wrong checksum', flipped(gzipSync(request('traces', 9)), -6)],
    ['followed by garbage', Buffer.concat([gzipSync(request('traces', 9)), Buffer.from('garbage')])],
  ])('OTLP 12: a gzip body is 400 when it is %s', async (_what, body) => {
    const answer = await send(port, { headers: { 'Content-Encoding': 'gzip' }, body });
    expect(answer.status).toBe(400);
    expect(statusOf(answer)).toMatchObject({ code: 3, message: 'the body is not valid gzip' });
    expect(intake.entries).toEqual([]);
  });

  it('OTLP 13: a wrong method is 405 with Allow and a Status', async () => {
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const answer = await send(port, { method });
      expect(answer.status).toBe(405);
      expect(answer.headers['allow']).toBe('POST');
      expect(statusOf(answer).message).toBe('only POST is taken here');
    }
  });

  it('OTLP 13: other media types, or none, are 415 with a Status', async () => {
    for (const type of ['text/plain', 'application/x-protobufs', '']) {
      const answer = await send(port, { headers: { 'Content-Type': type }, body: request('traces') });
      expect(answer.status).toBe(415);
      expect(statusOf(answer).code).toBe(rpcCode.INVALID_ARGUMENT);
    }
  });

  it('OTLP 13: unknown paths and signals without a pipeline are 404 with a Status', async () => {
    const answer = await send(port, { path: '/nothing/here', body: request('traces') });
    expect([answer.status, statusOf(answer).message]).toEqual([404, 'no such path']);
    const tracesOnly = await startReceiver({}, new FakeIntake(['traces']));
    const refused = await send(tracesOnly.port, { path: pathOf.logs, body: request('logs') });
    expect(refused.status).toBe(404);
    expect(statusOf(refused).message).toMatch(/no pipeline takes logs/);
    await tracesOnly.stop();
  });

  it('OTLP 13: even what is no HTTP is answered with a Status', async () => {
    const answer = await raw(port, 'HELLO there\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)).code).toBe(rpcCode.INVALID_ARGUMENT);
  });

  it('OTLP 13: headers above 16 KiB are 431 with a Status', async () => {
    const answer = await raw(port, `POST /v1/traces HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(answer).toMatch(/"the headers are too large"/);
  });

  it.each([
    ['before the body is read', 'admitError'],
    ['when the entry is appended', 'appendError'],
  ] as const)('OTLP 14: full is 503 with Retry-After, %s', async (_when, where) => {
    intake[where] = full(7);
    const answer = await send(port, { body: request('traces') });
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBe('7');
    expect(statusOf(answer)).toEqual({
      code: rpcCode.UNAVAILABLE,
      message: 'the disk budget is used up',
      retryDelay_ms: 7000,
    });
    // The intake counts what it refuses; twice would be wrong.
    expect(intake.refusals).toEqual([]);
  });

  it('OTLP 14: a commit that fails for want of room is 503 with Retry-After', async () => {
    intake.holding = true;
    const answer = send(port, { body: request('traces') });
    await intake.appended(1);
    intake.settle(full(0));
    expect((await answer).status).toBe(503);
    expect((await answer).headers['retry-after']).toBe('1');
  });

  it('OTLP 14: a failing disk is 503 while it may heal, else 500, and never a success', async () => {
    for (const [retryable, status] of [
      [true, 503],
      [false, 500],
    ] as const) {
      intake.appendError = new HoldfastError('HF_SEGMENT_WRITE', 'EIO /secret/path/0.log', retryable);
      const answer = await send(port, { body: request('traces') });
      expect(answer.status).toBe(status);
      expect(statusOf(answer).message).toBe('the request could not be stored (HF_SEGMENT_WRITE)');
      expect('retry-after' in answer.headers).toBe(retryable);
    }
    intake.appendError = new TypeError('a bug');
    expect((await send(port, { body: request('traces') })).status).toBe(500);
  });

  it('OTLP 19: unknown fields are kept, at every level and byte for byte', async () => {
    const unknown = Buffer.from([0xfa, 0x3e, 3, 1, 2, 3]);
    const span = Buffer.concat([Buffer.from([42, 1, 0x61]), unknown]);
    const scope = Buffer.concat([Buffer.from([18, span.length]), span, unknown]);
    const resource = Buffer.concat([Buffer.from([18, scope.length]), scope, unknown]);
    const body = Buffer.concat([Buffer.from([10, resource.length]), resource, unknown]);
    expect((await send(port, { body })).status).toBe(200);
    expect(Buffer.from(intake.entries[0]!.bytes)).toEqual(body);
    expect(intake.entries[0]!.items).toBe(1);
  });
});

function flipped(bytes: Buffer, index: number): Buffer {
  bytes[bytes.length + index]! ^= 1;
  return bytes;
}
