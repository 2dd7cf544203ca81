// Which answer of a connection is its last. A client may send requests ahead (RFC 9112, 9.3.2), and what follows an answer that
// closes the connection is never sent: it would be on disk and its client would send it again. Invariant: while the server
// stops, whatever was taken on a connection is answered on it, and nothing is taken behind the last answer.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

export class LastAnswers {
  /** Of each connection the answer to what it sent last: all others of it go out before. */
  readonly #newest = new WeakMap<Duplex, ServerResponse>();
  /** Connections of which no more is taken. */
  readonly #ended = new WeakSet<Duplex>();
  #stopping = false;

  stop(): void {
    this.#stopping = true;
  }

  /** To be asked with the head of every request. @returns false where it has to be left alone, because nobody could be answered */
  takes({ socket }: IncomingMessage, response: ServerResponse): boolean {
    if (this.#stopping) {
      if (this.#ended.has(socket) || !socket.writable) return false;
      // One more, so that stopping ends however fast a client sends.
      this.#ended.add(socket);
      response.setHeader('Connection', 'close');
    }
    this.#newest.set(socket, response);
    return true;
  }

  /** To be asked when an answer is written. @returns whether it closes its connection */
  isLast({ socket }: IncomingMessage, response: ServerResponse): boolean {
    if (!this.#stopping) return false;
    const newest = this.#newest.get(socket);
    if (newest === response) {
      this.#ended.add(socket);
      return true;
    }
    // Written before anybody knew that it is the last: it waits behind this one, and what it says can no longer be changed.
    if (newest?.headersSent) newest.once('finish', () => socket.destroySoon());
    return false;
  }

  /** @returns the answer behind all others that are still to go out on this connection, or undefined where none is */
  pendingOn(socket: Duplex): ServerResponse | undefined {
    const newest = this.#newest.get(socket);
    return newest?.writableFinished ? undefined : newest;
  }
}
