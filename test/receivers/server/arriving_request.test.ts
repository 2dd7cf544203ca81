// A body is handed on whole where it came in one piece, else the stream has all of it, never both.

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ArrivingRequest } from '../../../receivers/server/arriving_request.ts';

/** What came of one request. */
interface Came {
  readonly way: 'whole' | 'stream';
  readonly body: string;
  readonly request: ArrivingRequest;
}

let server: Server<typeof ArrivingRequest>;
let came: Came[];
let tell: () => void;

beforeEach(async () => {
  came = [];
  tell = () => {};
  server = createServer({ IncomingMessage: ArrivingRequest }, (request) => {
    const told = (way: Came['way'], body: Buffer): void => {
      came.push({ way, body: body.toString('latin1'), request });
      tell();
    };
    request.on('error', () => {});
    request.whenHere({
      length: Number(request.headers['content-length']),
      body: undefined,
      takeWhole: (body) => told('whole', body),
      takeStream: () =>
        buffer(request).then(
          (body) => told('stream', body),
          () => told('stream', Buffer.from('broken off')),
        ),
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const head = (length: number): string => `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`;
const connected = (): net.Socket => net.connect((server.address() as AddressInfo).port, '127.0.0.1');

async function until(count: number): Promise<void> {
  while (came.length < count) {
    await new Promise<void>((resolve) => {
      tell = resolve;
    });
  }
}

describe('a request that arrives', () => {
  it('hands a body that came at once on whole, and gives its stream nothing', async () => {
    connected().write(`${head(5)}hello${head(0)}${head(3)}you`);
    await until(3);
    expect(came.map(({ way, body }) => [way, body])).toEqual([
      ['whole', 'hello'],
      ['whole', ''],
      ['whole', 'you'],
    ]);
    for (const { request } of came) {
      expect(request.complete).toBe(true);
      expect(request.readableLength).toBe(0);
      expect(request.read()).toBe(null);
    }
  });

  it('gives a body in pieces to its stream, from the first byte on', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ minLength: 1, maxLength: 9 }), { maxLength: 5 }),
        async (pieces) => {
          came = [];
          const whole = Buffer.from(pieces.join(''));
          const socket = connected();
          socket.write(head(whole.length));
          for (const piece of pieces) {
            socket.write(piece);
            await new Promise((resolve) => setImmediate(resolve));
          }
          await until(1);
          expect(came.map(({ body }) => body)).toEqual([whole.toString('latin1')]);
          socket.destroy();
        },
      ),
      { numRuns: 50 },
    );
  });

  it('breaks off with its connection', async () => {
    const socket = connected();
    socket.write(`${head(5)}he`);
    await once(server, 'request');
    await new Promise((resolve) => setImmediate(resolve));
    socket.destroy();
    await until(1);
    expect(came.map(({ way, body }) => [way, body])).toEqual([['stream', 'broken off']]);
  });
});
