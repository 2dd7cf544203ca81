// shared/OTLP.md, lines 20 and 22: who may send, by credentials and, for browsers, by origin.

import { afterEach, describe, expect, it } from '@jest/globals';
import { authenticatorsOf } from '../../../agent/auth/authenticators.ts';
import { silentLogger } from '../../../config/logger.ts';
import { Secret } from '../../../config/secret.ts';
import { exportPathOf } from '../../../otlp/service.ts';
import { rpcCode } from '../../../otlp/status.ts';
import { ConnectionLimit } from '../../../receivers/connection_limit.ts';
import { otlpReceiver } from '../../../receivers/otlp/factory.ts';
import { FakeIntake } from '../../receivers/otlp/fake_intake.ts';
import { framed, RawClient } from '../../receivers/otlp/grpc/raw_call.ts';
import {
  JSON_TYPE,
  PROTOBUF,
  type Running,
  request,
  send,
  startReceiver,
  statusOf,
} from '../../receivers/otlp/harness.ts';

const authenticators = authenticatorsOf(
  [
    {
      id: 'bearertokenauth',
      kind: 'bearer',
      config: {
        header: 'Authorization',
        scheme: 'Bearer',
        token: new Secret('s3cret'),
        tokens: [new Secret('second')],
        filename: undefined,
      },
    },
    {
      id: 'basicauth/edge',
      kind: 'basic',
      config: { inline: new Secret('ann:pa:ss\n'), file: undefined },
    },
  ],
  silentLogger,
);
const bearer = { auth: { authenticator: 'bearertokenauth' } };
const basic = { auth: { authenticator: 'basicauth/edge' } };
const encoded = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

let running: Running;
afterEach(() => running?.stop());

async function start(protocols: { http?: object; grpc?: object }): Promise<FakeIntake> {
  running = await startReceiver(protocols, new FakeIntake(), authenticators);
  return running.intake;
}

const overHttp = (authorization?: string, headers = {}) =>
  send(running.port, {
    headers: { ...(authorization !== undefined && { Authorization: authorization }), ...headers },
    body: request('traces'),
  });

async function overGrpc(authorization?: string): Promise<number | undefined> {
  const client = new RawClient(running.grpcPort);
  const headers = { ':path': exportPathOf('traces'), ...(authorization !== undefined && { authorization }) };
  const answer = await client.call({ headers, parts: [framed(request('traces'))] });
  client.close();
  return answer.status;
}

const strangers = [
  ['nothing', undefined],
  ['an empty header', ''],
  ['another token', 'Bearer s3cre'],
  ['a longer token', 'Bearer s3cret1'],
  ['no token', 'Bearer '],
  ['the token without its scheme', 's3cret'],
  ['another scheme', 'Basic s3cret'],
] as const;

describe('OTLP with credentials', () => {
  it('OTLP 22: a bearer token lets in, over both protocols, whatever the case of its scheme', async () => {
    const intake = await start({ http: bearer, grpc: bearer });
    for (const credentials of ['Bearer s3cret', 'bearer second']) {
      expect((await overHttp(credentials)).status).toBe(200);
      expect(await overGrpc(credentials)).toBe(0);
    }
    expect(intake.entries).toHaveLength(4);
  });

  it.each(strangers)('OTLP 22: %s is 401 with a Status, and UNAUTHENTICATED', async (_what, credentials) => {
    const intake = await start({ http: bearer, grpc: bearer });
    const answer = await overHttp(credentials);
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer');
    expect(answer.headers['content-type']).toBe(PROTOBUF);
    expect(statusOf(answer)).toEqual({
      code: rpcCode.UNAUTHENTICATED,
      message: 'the credentials are missing or wrong',
    });
    expect(await overGrpc(credentials)).toBe(rpcCode.UNAUTHENTICATED);
    expect(intake.entries).toEqual([]);
    // Nobody was asked whether there is room.
    expect(intake.admitted_bytes).toEqual([]);
  });

  it('OTLP 22: the Status is in the encoding of the request, and comes before any other refusal', async () => {
    await start({ http: bearer });
    const answer = await send(running.port, { path: '/nowhere', headers: { 'Content-Type': JSON_TYPE } });
    expect([answer.status, answer.headers['content-type']]).toEqual([401, JSON_TYPE]);
    expect(statusOf(answer).code).toBe(rpcCode.UNAUTHENTICATED);
  });

  it('OTLP 22: user and password let in, and nobody else', async () => {
    const intake = await start({ http: basic, grpc: basic });
    expect((await overHttp(encoded('ann:pa:ss'))).status).toBe(200);
    expect(await overGrpc(encoded('ann:pa:ss'))).toBe(0);
    for (const wrong of ['ann:pa', 'ann:', 'ann', 'bob:pa:ss', ':', '']) {
      const answer = await overHttp(encoded(wrong));
      expect(answer.status).toBe(401);
      expect(answer.headers['www-authenticate']).toMatch(/^Basic realm=/);
      expect(await overGrpc(encoded(wrong))).toBe(rpcCode.UNAUTHENTICATED);
    }
    expect(intake.entries).toHaveLength(2);
  });

  it('OTLP 22: without the extension that it names a receiver does not open', async () => {
    for (const protocols of [{ http: bearer }, { grpc: bearer }]) {
      const receiver = (await otlpReceiver.load()).create(otlpReceiver.schema.parse({ protocols }), {
        id: 'otlp',
        logger: silentLogger,
        connections: new ConnectionLimit(Number.POSITIVE_INFINITY),
      });
      await expect(receiver.start(new FakeIntake())).rejects.toMatchObject({ code: 'HF_RECEIVER_AUTH' });
    }
  });
});

describe('OTLP from browsers', () => {
  const cors = (settings: object) => start({ http: { cors: settings, ...bearer } });
  const preflight = (origin: string, headers = 'content-type', method = 'POST') =>
    send(running.port, {
      method: 'OPTIONS',
      headers: {
        Origin: origin,
        'Access-Control-Request-Method': method,
        ...(headers && { 'Access-Control-Request-Headers': headers }),
      },
    });

  it('OTLP 20: a preflight is answered without credentials, and names what is allowed', async () => {
    await cors({
      allowed_origins: ['https://*.shop.example'],
      allowed_headers: ['Authorization'],
      max_age: 600,
    });
    const answer = await preflight('https://www.shop.example', 'authorization, content-type');
    expect(answer.status).toBe(204);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': 'https://www.shop.example',
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'authorization, content-type',
      'access-control-max-age': '600',
      vary: expect.stringContaining('Origin'),
    });
  });

  it.each([
    ['another origin', 'https://shop.example.evil', 'content-type', 'POST'],
    ['an origin that only overlaps', 'https://.shop.exampl', 'content-type', 'POST'],
    ['a header that is not named', 'https://a.shop.example', 'x-secret', 'POST'],
    ['another method', 'https://a.shop.example', 'content-type', 'DELETE'],
  ])('OTLP 20: a preflight with %s gets no permission', async (_what, origin, headers, method) => {
    await cors({ allowed_origins: ['https://*.shop.example'] });
    const answer = await preflight(origin, headers, method);
    expect(answer.status).toBe(204);
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it('OTLP 20: answers name the origin, refusals too', async () => {
    await cors({ allowed_origins: ['https://shop.example'] });
    for (const [token, status] of [
      ['Bearer s3cret', 200],
      ['Bearer wrong', 401],
    ] as const) {
      const answer = await overHttp(token, { Origin: 'https://shop.example' });
      expect(answer.status).toBe(status);
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': 'https://shop.example',
        vary: 'Origin',
      });
    }
    const other = await overHttp('Bearer s3cret', { Origin: 'https://other.example' });
    expect(other.status).toBe(200);
    expect(other.headers).not.toHaveProperty('access-control-allow-origin');
  });

  it('OTLP 20: * is every origin, but then without credentials of the browser', async () => {
    await cors({ allowed_origins: ['*'], allowed_headers: ['*'] });
    const answer = await preflight('https://anywhere.example', 'x-anything');
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-headers': 'x-anything',
    });
    expect(answer.headers).not.toHaveProperty('access-control-allow-credentials');
  });

  it('OTLP 20: without cors OPTIONS is 405, and no origin is named', async () => {
    await start({});
    expect((await preflight('https://shop.example')).status).toBe(405);
    const answer = await overHttp(undefined, { Origin: 'https://shop.example' });
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
    expect(answer.headers).not.toHaveProperty('vary');
  });
});
