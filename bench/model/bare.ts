// HTTP over bare sockets, as little of it as the benchmark's own peers need: what the kernel and Node's sockets ask for, without a
// parser, streams or time-outs. Never for anything but the limits of bench/MODEL.md. Invariant: one request at a time per connection.

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

const HEAD_END = '\r\n\r\n';
const ANSWER = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');

/** Answers each request when it is whole. */
export function bareServer(): Server {
  return createServer({ noDelay: true }, (socket) => {
    let missing_bytes = 0;
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      missing_bytes += missing_bytes > 0 ? -chunk.length : requestBytes(chunk) - chunk.length;
      if (missing_bytes === 0) socket.write(ANSWER);
    });
  });
}

/** Of the request whose head this chunk holds. */
function requestBytes(chunk: Buffer): number {
  const end = chunk.indexOf(HEAD_END);
  const head = chunk.toString('latin1', 0, end).toLowerCase();
  return end + HEAD_END.length + Number(/content-length: (\d+)/.exec(head)?.[1] ?? 0);
}

export class BareClient {
  readonly #socket: Socket;
  readonly #head: string;

  private constructor(socket: Socket, head: string) {
    this.#socket = socket;
    this.#head = head;
  }

  static async connect(url: string, path: string): Promise<BareClient> {
    const { hostname, port, host } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    await once(socket, 'connect');
    return new BareClient(socket, `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: `);
  }

  /** Resolves with the first bytes of the answer, which is all of it. */
  async send(body: Uint8Array, encoding: string): Promise<void> {
    const answered = once(this.#socket, 'data');
    this.#socket.cork();
    this.#socket.write(`${this.#head}${body.length}\r\n${encoding}\r\n`, 'latin1');
    this.#socket.write(body);
    this.#socket.uncork();
    await answered;
  }

  close(): void {
    this.#socket.destroy();
  }
}
