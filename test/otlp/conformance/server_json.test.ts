// shared/OTLP.md, the server's lines as far as they concern JSON; each test is named by its number.

import http from 'node:http';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { requestToJson } from '../../../otlp/json/from_protobuf.ts';
import { exportResponseFromJson, exportResponseToJson } from '../../../otlp/response.ts';
import { type Signal, signals } from '../../../otlp/signal.ts';
import { rpcCode, statusFromJson } from '../../../otlp/status.ts';
import { type FakeIntake, full } from '../../receivers/otlp/fake_intake.ts';
import {
  type Answer,
  JSON_TYPE,
  PROTOBUF,
  pathOf,
  type Running,
  request,
  send,
  startReceiver,
} from '../../receivers/otlp/harness.ts';
import { encode, requestType } from '../proto/types.ts';

let running: Running;
let intake: FakeIntake;

beforeEach(async () => {
  running = await startReceiver();
  ({ intake } = running);
});
afterEach(() => running.stop());

interface Posted {
  readonly signal?: Signal;
  readonly headers?: Record<string, string>;
  readonly port?: number;
}

function post(body: string | Uint8Array | undefined, posted: Posted = {}): Promise<Answer> {
  const { signal = 'traces', headers = {}, port = running.port } = posted;
  return send(port, {
    path: pathOf[signal],
    headers: { 'Content-Type': JSON_TYPE, ...headers },
    body: body === undefined ? undefined : Buffer.from(body),
  });
}

const inSpan = (members: string): string => `{"resourceSpans":[{"scopeSpans":[{"spans":[{${members}}]}]}]}`;
const inRecord = (members: string): string =>
  `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{${members}}]}]}]}`;

/** The only span or record of what was stored last, as protobufjs reads it. */
function stored(): Record<string, unknown> {
  const { signal, bytes } = intake.entries.at(-1)!;
  const type = requestType[signal];
  const decoded = type.toObject(type.decode(bytes), { longs: String, bytes: String });
  return signal === 'logs'
    ? decoded['resourceLogs'][0].scopeLogs[0].logRecords[0]
    : decoded['resourceSpans'][0].scopeSpans[0].spans[0];
}

async function refusalOf(json: string, signal: Signal = 'traces'): Promise<string> {
  const answer = await post(json, { signal });
  expect(answer.status).toBe(400);
  expect(answer.headers['content-type']).toBe(JSON_TYPE);
  const status = statusFromJson(answer.body.toString());
  expect(status?.code).toBe(rpcCode.INVALID_ARGUMENT);
  expect(intake.entries).toEqual([]);
  return status?.message ?? '';
}

describe('OTLP over HTTP in JSON', () => {
  it.each(signals)('OTLP 3: %s are taken in JSON and stored as protobuf', async (signal) => {
    const protobuf = request(signal, 7);
    expect((await post(requestToJson(signal, protobuf), { signal })).status).toBe(200);
    expect(intake.entries).toMatchObject([
      { signal, codec: 'identity', items: 7, rawLength: protobuf.length },
    ]);
    expect(Buffer.from(intake.entries[0]!.bytes)).toEqual(protobuf);
  });

  it.each(signals)('OTLP 3: %s in JSON and in protobuf on one port go to the same shard', async (signal) => {
    const protobuf = request(signal);
    await post(requestToJson(signal, protobuf), { signal });
    await send(running.port, { path: pathOf[signal], body: protobuf });
    const [one, other] = intake.entries;
    expect(one?.shardKey).toBe(other?.shardKey);
  });

  it.each(['application/json; charset=utf-8', 'Application/JSON', 'application/json;odata=verbose'])(
    'OTLP 4: the Content-Type of the answer is that of the request, parameters aside: %s',
    async (type) => {
      const answer = await post('{}', { headers: { 'Content-Type': type } });
      expect(answer.status).toBe(200);
      expect(answer.headers['content-type']).toBe(JSON_TYPE);
    },
  );

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['zstd', zstdCompressSync],
  ])('OTLP 5: JSON may be compressed with %s', async (name, compress) => {
    const protobuf = request('logs', 40);
    const body = compress(Buffer.from(requestToJson('logs', protobuf)));
    const answer = await post(body, { signal: 'logs', headers: { 'Content-Encoding': name } });
    expect([answer.status, answer.headers['content-type']]).toEqual([200, JSON_TYPE]);
    expect(intake.entries).toMatchObject([{ codec: 'identity', items: 40 }]);
    expect(Buffer.from(intake.entries[0]!.bytes)).toEqual(protobuf);
  });

  it.each(['snappy', 'lz4'])('OTLP 5: Content-Encoding %s is 415 with a Status in JSON', async (name) => {
    const answer = await post('{}', { headers: { 'Content-Encoding': name } });
    expect([answer.status, answer.headers['content-type']]).toEqual([415, JSON_TYPE]);
    expect(answer.headers['accept-encoding']).toMatch(/\bgzip\b/);
    expect(statusFromJson(answer.body.toString())?.code).toBe(rpcCode.INVALID_ARGUMENT);
  });

  it.each([
    ['as it comes', {}, (body: Buffer) => body],
    ['once decompressed', { 'Content-Encoding': 'gzip' }, gzipSync],
    ['in chunks', { 'Transfer-Encoding': 'chunked' }, (body: Buffer) => body],
  ])('OTLP 7: JSON over the limit %s is 413', async (_when, headers, compress) => {
    const small = await startReceiver({ http: { max_request_body_size: '4KiB' } });
    const body = compress(Buffer.from(inSpan(`"name":"${'n'.repeat(5000)}"`)));
    const answer = await post(body, { port: small.port, headers: headers as Record<string, string> });
    expect([answer.status, answer.headers['content-type']]).toEqual([413, JSON_TYPE]);
    expect(statusFromJson(answer.body.toString())?.code).toBe(rpcCode.RESOURCE_EXHAUSTED);
    expect(small.intake.entries).toEqual([]);
    await small.stop();
  });

  it('OTLP 7: JSON within the limit that is over it as protobuf is 413', async () => {
    const small = await startReceiver({ http: { max_request_body_size: '4KiB' } });
    const point = `{"explicitBounds":[${'0,'.repeat(1000)}0]}`;
    const body = `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"histogram":{"dataPoints":[${point}]}}]}]}]}`;
    expect(body.length).toBeLessThan(4096);
    const answer = await post(body, { port: small.port, signal: 'metrics' });
    expect(answer.status).toBe(413);
    expect(statusFromJson(answer.body.toString())).toEqual({
      code: rpcCode.RESOURCE_EXHAUSTED,
      message: 'the request is larger than 4096 bytes as protobuf',
    });
    expect(small.intake.refusals).toEqual([{ signal: 'metrics', transport: 'http', items: 0 }]);
    await small.stop();
  });

  it('OTLP 9: success is 200 with an empty response message in JSON, partial_success unset', async () => {
    const answer = await post(inSpan(''));
    expect(answer).toMatchObject({ status: 200, body: Buffer.from('{}') });
    expect(answer.headers).toMatchObject({ 'content-type': JSON_TYPE, 'content-length': '2' });
    expect(exportResponseFromJson('traces', answer.body.toString())).toEqual({});
  });

  it.each(['{}', ' { } ', '{"resourceSpans":[]}', '{"resourceSpans":null}', '{"later":{}}'])(
    'OTLP 10: an empty request is a success: %s',
    async (json) => {
      expect((await post(json)).status).toBe(200);
      expect(intake.entries).toEqual([]);
    },
  );

  it.each([
    ['no bytes', '', {}],
    ['no body at all', undefined, {}],
    ['no bytes in chunks', '', { 'Transfer-Encoding': 'chunked' }],
    ['gzip of no bytes', gzipSync(''), { 'Content-Encoding': 'gzip' }],
  ])('OTLP 12: no JSON at all is 400: %s', async (_what, body, headers) => {
    const answer = await post(body, { headers: headers as Record<string, string> });
    expect(answer.status).toBe(400);
    expect(statusFromJson(answer.body.toString())?.message).toBe(
      'expected an object, found the end of the body at byte 0',
    );
  });

  it('OTLP 11: nothing is taken in part; what a partial success would say in JSON is a string', async () => {
    await refusalOf('{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"good"},{"name":1}]}]}]}');
    expect(exportResponseToJson('traces', { partial: { rejectedItems: 3, message: 'm' } })).toBe(
      '{"partialSuccess":{"rejectedSpans":"3","errorMessage":"m"}}',
    );
  });

  it.each([
    ['[]', 'expected an object, found an array at byte 0'],
    ['{"resourceSpans":[', 'resourceSpans[0]: expected an object, found the end of the body at byte 18'],
    [
      inSpan('"kind":true'),
      'resourceSpans[0].scopeSpans[0].spans[0].kind: expected the integer of an enum value, found true at byte 51',
    ],
  ])(
    'OTLP 12: what cannot be read is 400 with the path, the byte and what was expected: %s',
    async (json, message) => {
      expect(await refusalOf(json)).toBe(message);
      expect(intake.refusals).toEqual([{ signal: 'traces', transport: 'http', items: 0 }]);
    },
  );

  it('OTLP 12: what is not UTF-8 is 400', async () => {
    const answer = await post(Buffer.from(inSpan('"name":"\xe9"'), 'latin1'));
    expect(answer.status).toBe(400);
    expect(statusFromJson(answer.body.toString())?.message).toBe('not UTF-8 at byte 52');
  });

  it('OTLP 13: every refusal is a Status in JSON for whoever sent JSON', async () => {
    const wrongPath = await send(running.port, { path: '/nothing', headers: { 'Content-Type': JSON_TYPE } });
    const wrongMethod = await send(running.port, { method: 'GET', headers: { 'Content-Type': JSON_TYPE } });
    expect([wrongPath.status, wrongMethod.status]).toEqual([404, 405]);
    for (const answer of [wrongPath, wrongMethod]) {
      expect(answer.headers['content-type']).toBe(JSON_TYPE);
      expect(statusFromJson(answer.body.toString())?.code).toBe(rpcCode.UNIMPLEMENTED);
    }
  });

  it('OTLP 14: full is 503 with Retry-After, and RetryInfo in JSON', async () => {
    intake.appendError = full(7);
    const answer = await post(inSpan(''));
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBe('7');
    expect(JSON.parse(answer.body.toString())).toEqual({
      code: rpcCode.UNAVAILABLE,
      message: 'the disk budget is used up',
      details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '7s' }],
    });
  });

  it.each(['5B8EFFF798038103D269B633813FC60C', '5b8efff798038103d269b633813fc60c'])(
    'OTLP 15: ids are hex in either case: %s',
    async (traceId) => {
      await post(
        inSpan(`"traceId":"${traceId}","spanId":"EEE19b7ec3c1b174","parentSpanId":"EEE19B7EC3C1B173"`),
      );
      expect(stored()).toEqual({
        traceId: Buffer.from(traceId, 'hex').toString('base64'),
        spanId: Buffer.from('eee19b7ec3c1b174', 'hex').toString('base64'),
        parentSpanId: Buffer.from('eee19b7ec3c1b173', 'hex').toString('base64'),
      });
    },
  );

  it('OTLP 15: ids in base64 are refused', async () => {
    expect(await refusalOf(inSpan('"traceId":"W47/95gDgQPSabYzgT/GDA=="'))).toMatch(
      /spans\[0\]\.traceId: expected a string of 32 hex digits or none, found another string/,
    );
    expect(await refusalOf(inSpan('"spanId":"7uGbfsPBsXQ="'))).toMatch(
      /spanId: expected a string of 16 hex digits/,
    );
  });

  it('OTLP 15: other bytes are base64', async () => {
    await post(inRecord('"body":{"bytesValue":"3q2+7w=="}'), { signal: 'logs' });
    expect(stored()).toEqual({ body: { bytesValue: Buffer.from('deadbeef', 'hex').toString('base64') } });
  });

  it('OTLP 16: enums are integers, also such as have no name yet', async () => {
    await post(inSpan('"kind":2,"status":{"code":99}'));
    expect(stored()).toEqual({ kind: 2, status: { code: 99 } });
  });

  it.each(['"SPAN_KIND_SERVER"', '"2"'])('OTLP 16: %s is refused as an enum', async (kind) => {
    expect(await refusalOf(inSpan(`"kind":${kind}`))).toMatch(
      /kind: expected the integer of an enum value, found a string/,
    );
  });

  it('OTLP 17: unknown fields are ignored at every level', async () => {
    const unknown = '"later":[{"a":"b"},1.5,null]';
    const span = `{${unknown},"name":"a"}`;
    await post(`{${unknown},"resourceSpans":[{${unknown},"scopeSpans":[{"spans":[${span}],${unknown}}]}]}`);
    expect(stored()).toEqual({ name: 'a' });
    expect(intake.entries[0]!.rawLength).toBe(
      encode(requestType.traces, { resourceSpans: [{ scopeSpans: [{ spans: [{ name: 'a' }] }] }] }).length,
    );
  });

  it('OTLP 17: names in snake_case are unknown', async () => {
    await post(inSpan('"name":"a","trace_id":"not even hex","start_time_unix_nano":true'));
    expect(stored()).toEqual({ name: 'a' });
  });

  it.each(['9007199254740993', '"9007199254740993"', '18446744073709551615', '"18446744073709551615"'])(
    'OTLP 18: 64-bit integers are numbers or strings, exact beyond 2^53: %s',
    async (text) => {
      await post(inSpan(`"startTimeUnixNano":${text}`));
      expect(stored()).toEqual({ startTimeUnixNano: text.replaceAll('"', '') });
    },
  );

  it('OTLP 18: 64-bit integers are signed where they are', async () => {
    await post(inRecord('"body":{"intValue":-9223372036854775808}'), { signal: 'logs' });
    expect(stored()).toEqual({ body: { intValue: '-9223372036854775808' } });
    intake.entries.length = 0;
    expect(await refusalOf(inRecord('"body":{"intValue":9223372036854775808}'), 'logs')).toMatch(
      /body\.intValue: expected an integer from -2\^63 to 2\^63-1, found another number/,
    );
    expect(await refusalOf(inSpan('"startTimeUnixNano":"-1"'))).toMatch(
      /expected an integer from 0 to 2\^64-1/,
    );
  });

  it('OTLP 18: 64-bit integers are written as strings', () => {
    const bytes = encode(requestType.traces, {
      resourceSpans: [{ scopeSpans: [{ spans: [{ startTimeUnixNano: '9007199254740993' }] }] }],
    });
    expect(requestToJson('traces', bytes)).toBe(inSpan('"startTimeUnixNano":"9007199254740993"'));
  });

  it('OTLP 4: protobuf and JSON take turns on one connection, each answered in its own', async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (const type of [JSON_TYPE, PROTOBUF, JSON_TYPE]) {
      const body = type === JSON_TYPE ? Buffer.from(inSpan('')) : request('traces');
      const answer = await send(running.port, { agent, headers: { 'Content-Type': type }, body });
      expect([answer.status, answer.headers['content-type']]).toEqual([200, type]);
    }
    agent.destroy();
  });
});
