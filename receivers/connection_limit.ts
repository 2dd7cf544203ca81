// How many connections all receivers may hold together: a connection is a file descriptor, and so is every file that the log
// has to open to answer it. Invariant: no more are open than the limit; one above it is closed as it comes.

import type { Server, Socket } from 'node:net';

export class ConnectionLimit {
  readonly #max: number;
  #open = 0;

  /** @param max of all servers together; infinite: none but their own */
  constructor(max: number) {
    this.#max = max;
  }

  get open(): number {
    return this.#open;
  }

  /** Counts the connections of a server from now on. To be called before it listens. */
  guard(server: Server): void {
    if (this.#max === Number.POSITIVE_INFINITY) return;
    server.prependListener('connection', (socket: Socket) => this.#take(socket));
  }

  #take(socket: Socket): void {
    if (this.#open >= this.#max) {
      socket.destroy();
      return;
    }
    this.#open += 1;
    socket.once('close', () => {
      this.#open -= 1;
    });
  }
}
