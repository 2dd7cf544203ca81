// A tiny OTLP/HTTP backend that a test can break: it keeps the protobuf bytes of every request that it accepted, and says
// what it is told to say instead. Invariant: what it keeps was answered with 200.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import type { Signal } from '../../otlp/signal.ts';

export interface Received {
  readonly signal: Signal;
  /** One Export*ServiceRequest, decompressed. */
  readonly body: Buffer;
  readonly headers: IncomingMessage['headers'];
}

/** What to answer: a status, nothing at all (`hang`), or a cut connection (`reset`). */
export type Behaviour = number | 'hang' | 'reset';

export class Backend {
  readonly received: Received[] = [];
  /** Requests that came, accepted or not. */
  requests = 0;
  /** Asked for every request; 200 unless a test says otherwise. */
  behave: (body: Buffer, request: IncomingMessage) => Behaviour = () => 200;
  readonly #server: Server;
  readonly #waiting = new Set<() => void>();

  private constructor() {
    this.#server = createServer((request, response) => void this.#handle(request, response));
  }

  /** Listens on `port`; 0 for any. */
  static async start(port = 0): Promise<Backend> {
    const backend = new Backend();
    backend.#server.listen(port, '127.0.0.1');
    await once(backend.#server, 'listening');
    return backend;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Resolves once `reached` holds; asked after every request. */
  until(reached: () => boolean): Promise<void> {
    if (reached()) return Promise.resolve();
    return new Promise((resolve) => {
      const check = (): void => {
        if (!reached()) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
    });
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    const stored = Buffer.concat(chunks);
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(stored) : stored;
    this.requests += 1;
    const behaviour = this.behave(body, request);
    if (behaviour === 200) {
      const signal = request.url!.slice(request.url!.lastIndexOf('/') + 1) as Signal;
      this.received.push({ signal, body, headers: request.headers });
    }
    if (behaviour === 'reset') request.socket.destroy();
    else if (behaviour !== 'hang') {
      response.writeHead(behaviour, { 'content-type': 'application/x-protobuf' });
      response.end();
    }
    for (const check of [...this.#waiting]) check();
  }
}
