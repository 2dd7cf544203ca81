// A destination on a port of its own that remembers what it was sent and answers as it is told.

import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
  readonly port: number;
}

export type Answering = (received: Received, response: http.ServerResponse) => void;

export class Backend {
  readonly received: Received[] = [];
  connections = 0;
  readonly #server: http.Server;

  private constructor(server: http.Server) {
    this.#server = server;
    server.on('connection', () => {
      this.connections += 1;
    });
  }

  static async start(answer: Answering = (_, response) => response.end()): Promise<Backend> {
    const server = http.createServer();
    const backend = new Backend(server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const received = {
          url: request.url ?? '',
          headers: request.headers,
          body: Buffer.concat(chunks),
          port: request.socket.remotePort ?? 0,
        };
        backend.received.push(received);
        answer(received, response);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return backend;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }
  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
