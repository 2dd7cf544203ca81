// Each piece of a body goes to its taker, until that one refuses; what is refused is the stream's. How it ended is told once.

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ArrivingRequest } from '../../../receivers/server/arriving_request.ts';

/** What came of one request. */
interface Came {
  /** What its taker took. */
  taken: string;
  /** What its stream gave to whoever read that after a refusal. */
  thrownAway: string;
  readonly ends: ('whole' | 'gone')[];
  readonly request: ArrivingRequest;
}

let server: Server<typeof ArrivingRequest>;
let came: Came[];
let tell: () => void;
/** From this byte on a body is refused. */
let limit: number;

beforeEach(async () => {
  came = [];
  tell = () => {};
  limit = Number.POSITIVE_INFINITY;
  server = createServer({ IncomingMessage: ArrivingRequest }, (request, response) => {
    const one: Came = { taken: '', thrownAway: '', ends: [], request };
    came.push(one);
    const ended = (how: 'whole' | 'gone'): void => {
      one.ends.push(how);
      tell();
    };
    request.on('error', () => {});
    request.on('end', () => response.end());
    request.whenHere({
      takePiece(piece) {
        if (one.taken.length + piece.length > limit) {
          request.on('data', (rest: Buffer) => {
            one.thrownAway += rest.toString('latin1');
          });
          return false;
        }
        one.taken += piece.toString('latin1');
        return true;
      },
      takeEnd: () => {
        ended('whole');
        response.end();
      },
      takeGone: () => ended('gone'),
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
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function ended(count: number): Promise<void> {
  while (came.filter(({ ends }) => ends.length > 0).length < count) {
    await new Promise<void>((resolve) => {
      tell = resolve;
    });
  }
}

describe('a request that arrives', () => {
  it('hands on bodies that came at once, and gives its stream nothing', async () => {
    connected().write(`${head(5)}hello${head(0)}${head(3)}you`);
    await ended(3);
    expect(came.map(({ taken, ends }) => [taken, ends])).toEqual([
      ['hello', ['whole']],
      ['', ['whole']],
      ['you', ['whole']],
    ]);
    for (const { request } of came) {
      expect(request.complete).toBe(true);
      expect(request.readableLength).toBe(0);
      expect(request.read()).toBe(null);
    }
  });

  it('hands on a body in pieces, with its length declared or in chunks, and the connection goes on', async () => {
    const pieces = fc.array(fc.string({ minLength: 1, maxLength: 9, unit: 'binary-ascii' }), {
      maxLength: 5,
    });
    await fc.assert(
      fc.asyncProperty(pieces, fc.boolean(), async (parts, declared) => {
        came = [];
        const whole = parts.join('');
        const socket = connected();
        if (declared) socket.write(head(whole.length));
        else socket.write('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
        for (const part of parts) {
          socket.write(declared ? part : `${part.length.toString(16)}\r\n${part}\r\n`);
          await turn();
        }
        socket.write(`${declared ? '' : '0\r\n\r\n'}${head(4)}next`);
        await ended(2);
        expect(came.map(({ taken, ends }) => [taken, ends])).toEqual([
          [whole, ['whole']],
          ['next', ['whole']],
        ]);
        socket.destroy();
      }),
      { numRuns: 50 },
    );
  });

  it('gives its stream what comes behind a refusal, and tells of no other end', async () => {
    limit = 4;
    const socket = connected();
    socket.write(`${head(12)}four`);
    await once(server, 'request');
    while (came[0]!.taken === '') await turn();
    socket.write('more');
    while (!came[0]!.request.readableFlowing) await turn();
    socket.write(`last${head(2)}ok`);
    await ended(1);
    expect(came.map(({ taken, thrownAway, ends }) => [taken, thrownAway, ends])).toEqual([
      ['four', 'last', []],
      ['ok', '', ['whole']],
    ]);
    socket.destroy();
  });

  it('breaks off with its connection', async () => {
    const socket = connected();
    socket.write(`${head(5)}he`);
    await once(server, 'request');
    while (came[0]!.taken === '') await turn();
    socket.destroy();
    await ended(1);
    expect(came.map(({ taken, ends }) => [taken, ends])).toEqual([['he', ['gone']]]);
  });

  it('tells of no second end when the connection is cut after the first', async () => {
    const socket = connected();
    socket.write(`${head(5)}hello`);
    await ended(1);
    came[0]!.request.destroy();
    await turn();
    expect(came[0]!.ends).toEqual(['whole']);
  });
});
