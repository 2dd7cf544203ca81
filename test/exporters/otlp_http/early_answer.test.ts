// A destination may answer before it has read the body, and go on reading. The body's memory is used again once the
// exchange has settled: it must have left by then.

import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { Agent } from 'undici';
import { type Answer, exchange } from '../../../exporters/otlp_http/exchange.ts';

/** More than the kernel's buffers of a connection take. */
const BODY_BYTES = 32 * 2 ** 20;
const TURNS = 200;

/** Answers as soon as the head has come; reads the body when told to. */
class EarlyBackend {
  readonly answered: Promise<void>;
  readonly closed: Promise<void>;
  readonly bytes = new Map<number, number>();
  readonly server = net.createServer();
  length = 0;
  #socket: net.Socket | undefined;
  #enough: (() => void) | undefined;

  constructor(status: string) {
    this.closed = once(this.server, 'connection').then(async ([socket]) => {
      socket.on('error', () => {});
      await once(socket, 'close');
    });
    this.answered = once(this.server, 'connection').then(async ([socket]) => {
      this.#socket = socket as net.Socket;
      const [head] = (await once(this.#socket, 'data')) as [Buffer];
      this.#socket.pause();
      this.#take(head.subarray(head.indexOf('\r\n\r\n') + 4));
      this.#socket.on('data', (chunk: Buffer) => this.#take(chunk));
      this.#socket.pause();
      this.#socket.write(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\n\r\n`);
    });
  }

  async start(): Promise<string> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  read(): Promise<void> {
    this.#socket!.resume();
    return new Promise((resolve) => {
      this.#enough = resolve;
      this.#take(Buffer.alloc(0));
    });
  }

  destroy(): void {
    this.#socket?.destroy();
    this.server.close();
  }

  #take(chunk: Buffer): void {
    // Nearly every chunk is one byte all through, and 32 million steps in a map would take seconds.
    const same = chunk.length > 0 && chunk.equals(Buffer.alloc(chunk.length, chunk[0]));
    if (same) this.#count(chunk[0]!, chunk.length);
    else for (const byte of chunk) this.#count(byte, 1);
    this.length += chunk.length;
    if (this.length === BODY_BYTES) this.#enough?.();
  }

  #count(byte: number, times: number): void {
    this.bytes.set(byte, (this.bytes.get(byte) ?? 0) + times);
  }
}

let backend: EarlyBackend;
let agent: Agent;

async function begin(status: string, signal: AbortSignal): Promise<{ body: Buffer; sent: Promise<Answer> }> {
  backend = new EarlyBackend(status);
  agent = new Agent({ pipelining: 1 });
  const origin = await backend.start();
  const body = Buffer.alloc(BODY_BYTES, 1);
  const request = { origin, path: '/', headers: [], body, responseBytesMax: 1024 };
  const sent = exchange(agent, request, signal);
  // Whoever lent the memory uses it for something else from now on.
  sent.then(() => body.fill(2)).catch(() => body.fill(2));
  await backend.answered;
  for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
  return { body, sent };
}

afterEach(async () => {
  backend.destroy();
  await agent.destroy();
});

test('a yes before the body was read settles once the body has left, unharmed', async () => {
  const { sent } = await begin('200 OK', new AbortController().signal);
  await backend.read();
  expect((await sent).status).toBe(200);
  expect([...backend.bytes]).toEqual([[1, BODY_BYTES]]);
});

test('a yes of a destination that never reads the body stands when the time is up', async () => {
  const controller = new AbortController();
  const { sent } = await begin('200 OK', controller.signal);
  controller.abort(new Error('time is up'));
  expect((await sent).status).toBe(200);
  void backend.read();
  await backend.closed;
  expect(backend.bytes.has(2)).toBe(false);
});

test('a no before the body was read settles at once, and no more of the body is sent', async () => {
  const { sent } = await begin('413 Content Too Large', new AbortController().signal);
  expect((await sent).status).toBe(413);
  void backend.read();
  await backend.closed;
  expect(backend.bytes.has(2)).toBe(false);
});
