// The server itself, with a service made for the case: what goes wrong in one answer must harm no other.

import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import net from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Logger, silentLogger } from '../../../config/logger.ts';
import { ConnectionLimit } from '../../../receivers/connection_limit.ts';
import { type HttpConfig, otlpReceiverSchema } from '../../../receivers/otlp/config.ts';
import type { HttpHead } from '../../../receivers/server/http_head.ts';
import { HttpServer, type HttpService } from '../../../receivers/server/http_server.ts';
import { malformed } from '../../../receivers/server/refusal.ts';
import { FakeIntake } from '../otlp/fake_intake.ts';
import { send } from '../otlp/harness.ts';

let intake: FakeIntake;
/** Of the one commit that all requests wait for. */
let commit: () => void;
let errors: string[];
let refused: number;
let server: HttpServer<HttpHead>;
let port: number;

beforeEach(async () => {
  intake = new FakeIntake();
  errors = [];
  refused = 0;
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
    readHead(request: IncomingMessage) {
      if (request.url === '/refused') throw malformed('refused');
      return { compression: undefined, length: 1 };
    },
    take(_head, { bytes }) {
      const { length: rawLength } = bytes;
      intake.append({ signal: 'logs', codec: 'identity', bytes, rawLength, items: 1, shardKey: 0 }, 'http');
      return { durable };
    },
    answerEncoding: () => 'json',
    refused() {
      refused += 1;
      intake.refused('logs', 'http', 1);
    },
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

/** A connection that sends what it is told and keeps what comes back. */
class Connection {
  readonly #socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  #text = '';

  constructor() {
    this.#socket.on('error', () => {});
    this.#socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('latin1');
    });
  }

  post(...paths: string[]): this {
    const requests = paths.map((path) => `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na`);
    return this.write(requests.join(''));
  }

  write(text: string): this {
    this.#socket.write(text);
    return this;
  }

  /** No more is sent, what comes is still read. */
  half(): this {
    this.#socket.end();
    return this;
  }

  /** Resolves once the server has read all that was sent, and that it is the end: an exchange that began behind it is over. */
  async heard(): Promise<void> {
    if (!this.#socket.writableFinished) await once(this.#socket, 'finish');
    await new Connection().post('/refused').half().answers();
  }

  /** As a process that ends: nobody reads any more. */
  gone(): void {
    this.#socket.destroy();
  }

  /** @returns of each answer, once the server has closed, its status and whether it said so */
  async answers(): Promise<string[]> {
    await once(this.#socket, 'end');
    this.#socket.end();
    const heads = this.#text.match(/HTTP\/1\.1 .*?\r\n\r\n/gs) ?? [];
    return heads.map((head) => `${head.slice(9, 12)}${/\nConnection: close\r/i.test(head) ? ' close' : ''}`);
  }
}

const never = () => new AbortController().signal;

describe('stopping behind requests that were sent ahead', () => {
  it('answers all that was taken, and closes with the last', async () => {
    const connection = new Connection().post('/1', '/2', '/3');
    await intake.appended(3);
    const stopped = server.stop(never());
    commit();
    expect(await connection.answers()).toEqual(['200', '200', '200 close']);
    await stopped;
  });

  it('closes behind a last answer that was written before anybody knew that it is', async () => {
    const connection = new Connection().post('/1', '/refused');
    await intake.until(() => intake.entries.length === 1 && refused === 1);
    const stopped = server.stop(never());
    commit();
    expect(await connection.answers()).toEqual(['200', '400']);
    await stopped;
  });

  it('does not close before a refusal that is written first and goes out second', async () => {
    const connection = new Connection().post('/1');
    await intake.appended(1);
    const stopped = server.stop(never());
    connection.post('/refused');
    await intake.until(() => refused === 1);
    commit();
    expect(await connection.answers()).toEqual(['200', '400 close']);
    await stopped;
  });

  it('takes one more, and none that would come behind the answer that closes', async () => {
    const connection = new Connection().post('/1');
    await intake.appended(1);
    const stopped = server.stop(never());
    connection.post('/2', '/3', '/4');
    await intake.appended(2);
    commit();
    expect(await connection.answers()).toEqual(['200', '200 close']);
    await stopped;
    expect(intake.entries).toHaveLength(2);
  });

  it('cuts what is not durable at its deadline', async () => {
    const connection = new Connection().post('/1', '/2').half();
    await intake.appended(2);
    const deadline = new AbortController();
    const closed = connection.answers();
    const stopped = server.stop(deadline.signal);
    deadline.abort();
    await stopped;
    expect(await closed).toEqual([]);
  });
});

describe('a client that closes its side behind its request', () => {
  it('gets its answers, then the other side closes too', async () => {
    const connection = new Connection().post('/1', '/2').half();
    await intake.appended(2);
    await connection.heard();
    commit();
    expect(await connection.answers()).toEqual(['200', '200']);
    await server.stop(never());
  });

  it('is let go at once where nothing is to be answered', async () => {
    commit();
    const connection = new Connection().half();
    expect(await connection.answers()).toEqual([]);
    await server.stop(never());
  });

  it('is told that the request is not whole', async () => {
    const connection = new Connection()
      .write('POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n')
      .half();
    expect(await connection.answers()).toEqual(['400 close']);
    await server.stop(never());
  });

  it('holds nothing once it is gone', async () => {
    const connection = new Connection().post('/1').half();
    await intake.appended(1);
    await connection.heard();
    connection.gone();
    commit();
    await server.stop(never());
    expect(server.inFlight_bytes).toBe(0);
  });
});

describe('what is no request, behind one that waits for the disk', () => {
  it.each([
    ['broken', 'nonsense\r\n\r\n'],
    ['broken off', 'POST /2 HTT'],
    ['broken off within its body', 'POST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n'],
  ])('is refused behind the answer to that one: %s', async (_, rest) => {
    const connection = new Connection().post('/1').write(rest).half();
    await intake.appended(1);
    await connection.heard();
    commit();
    expect(await connection.answers()).toEqual(['200', '400 close']);
    await server.stop(never());
  });
});
