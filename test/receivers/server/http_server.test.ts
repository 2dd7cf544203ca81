// The server itself, with a service made for the case: what goes wrong in one answer must harm no other.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Logger, silentLogger } from '../../../config/logger.ts';
import { ConnectionLimit } from '../../../receivers/connection_limit.ts';
import { type HttpConfig, otlpReceiverSchema } from '../../../receivers/otlp/config.ts';
import type { HttpHead } from '../../../receivers/server/http_head.ts';
import { HttpServer, type HttpService } from '../../../receivers/server/http_server.ts';
import { FakeIntake } from '../otlp/fake_intake.ts';
import { send } from '../otlp/harness.ts';

let intake: FakeIntake;
/** Of the one commit that all requests wait for. */
let commit: () => void;
let errors: string[];
let server: HttpServer<HttpHead>;
let port: number;

beforeEach(async () => {
  intake = new FakeIntake();
  errors = [];
  const durable = new Promise<void>((resolve) => {
    commit = resolve;
  });
  const service: HttpService<HttpHead> = {
    answers(request: IncomingMessage, response: ServerResponse) {
      if (request.url === '/broken') {
        response.end = () => {
          throw new Error('broken off');
        };
      }
      return false;
    },
    readHead: () => ({ compression: undefined, length: 1 }),
    take(_head, { bytes }) {
      const { length: rawLength } = bytes;
      intake.append({ signal: 'logs', codec: 'identity', bytes, rawLength, items: 1, shardKey: 0 }, 'http');
      return { durable };
    },
    answerEncoding: () => 'json',
    refused() {},
  };
  const parsed = otlpReceiverSchema.parse({ protocols: { http: { endpoint: '127.0.0.1:0' } } });
  const config = { ...(parsed.protocols.http as HttpConfig), protocol: 'http', endpointKey: 'endpoint' };
  const logger: Logger = { ...silentLogger, error: (message: string) => errors.push(message) };
  const connections = new ConnectionLimit(Number.POSITIVE_INFINITY);
  server = new HttpServer(config, { id: 'test', logger, intake, connections }, service);
  port = Number((await server.start()).split(':').at(-1));
});
afterEach(() => server.stop(AbortSignal.abort()));

describe('an answer that breaks off behind its head', () => {
  it('costs its own connection; those behind it in the same commit are answered', async () => {
    const broken = send(port, { path: '/broken', body: Buffer.from('a') });
    const failed = expect(broken).rejects.toThrow();
    await intake.appended(1);
    const whole = send(port, { path: '/whole', body: Buffer.from('b') });
    await intake.appended(2);
    commit();
    expect((await whole).status).toBe(200);
    await failed;
    expect(errors).toEqual(['request failed']);
  });
});
