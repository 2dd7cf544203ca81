// What a client says first, looked at before node:http2 has the connection: that speaks at once, so who speaks HTTP/1 would take
// its frames for an answer. Invariant: a connection is handed on with all of its bytes, or refused and closed, or cut when it was
// silent for too long.

import type { Server, Socket } from 'node:net';

/** Of the client connection preface (RFC 9113, 3.4) the part that HTTP/1 could be taken for. */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n');
/** A method of HTTP/1 with what ends it, and one that may still be on its way. */
const METHOD = /^[A-Z]+ /;
const PART_OF_METHOD = /^[A-Z]{1,20}$/;

export class Greetings {
  /** Of whom nothing is known yet. */
  readonly #silent = new Set<Socket>();
  readonly #silence_ms: number;
  readonly #refuse: (socket: Socket, head: string) => void;

  /**
   * Takes the place of what listens for connections of `server`, which gets those that are handed on.
   * @param silence_ms until who has not said what he speaks is cut off; who is refused gets as long to close
   * @param refuse answers a request of HTTP/1, of which it is given what has come, and ends the connection
   */
  constructor(server: Server, silence_ms: number, refuse: (socket: Socket, head: string) => void) {
    this.#silence_ms = silence_ms;
    this.#refuse = refuse;
    const listeners = server.listeners('connection');
    server.removeAllListeners('connection');
    server.on('connection', (socket: Socket) => {
      this.#greet(socket, () => {
        for (const listener of listeners) listener.call(server, socket);
      });
    });
  }

  /** Lets go of those who have not said anything. */
  cut(): void {
    for (const socket of this.#silent) socket.destroy();
  }

  #greet(socket: Socket, handOn: () => void): void {
    let held = Buffer.alloc(0);
    const timer = setTimeout(() => socket.destroy(), this.#silence_ms).unref();
    const look = (): void => {
      const bytes = socket.read() as Buffer | null;
      if (bytes === null) return;
      held = Buffer.concat([held, bytes]);
      const known = Math.min(held.length, PREFACE.length);
      const isPreface = held.compare(PREFACE, 0, known, 0, known) === 0;
      const text = held.toString('latin1');
      if (isPreface ? known < PREFACE.length : PART_OF_METHOD.test(text)) return;
      this.#silent.delete(socket);
      socket.off('readable', look);
      if (!isPreface && METHOD.test(text)) {
        this.#refuse(socket, text);
        // What still comes is thrown away, lest a reset hide the answer.
        socket.resume();
        return;
      }
      clearTimeout(timer);
      socket.off('error', ignore);
      socket.off('close', forget);
      socket.unshift(held);
      handOn();
    };
    const forget = (): void => {
      clearTimeout(timer);
      this.#silent.delete(socket);
    };
    this.#silent.add(socket);
    socket.on('error', ignore);
    socket.on('close', forget);
    socket.on('readable', look);
  }
}

function ignore(): void {}
