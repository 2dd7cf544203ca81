// Whether the bytes of a request have left: undici's answer may come before, and it writes on from the memory it was given.
// Invariant: when `left` resolves, or `cut` returns, nothing reads that memory any more. A connection of HTTP/2 belongs to
// its session and cannot be asked: there an answer counts as the end, and the exporter gives a copy to send.

import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

/** The request whose head undici writes in this turn. */
let starting: Departure | undefined;

// The one place where undici tells which connection a request takes: in the same turn as `onRequestStart`.
subscribe('undici:client:sendHeaders', (message) => {
  starting?.onSocket((message as { socket: Socket }).socket);
  starting = undefined;
});

export class Departure {
  #socket: Socket | undefined;

  /** To be called from `onRequestStart`. */
  begin(): void {
    starting = this;
    queueMicrotask(() => {
      if (starting === this) starting = undefined;
    });
  }

  onSocket(socket: Socket): void {
    if (!('alpnProtocol' in socket && socket.alpnProtocol === 'h2')) this.#socket = socket;
  }

  get underWay(): boolean {
    const socket = this.#socket;
    return socket !== undefined && !socket.destroyed && socket.writableLength > 0;
  }

  left(): Promise<void> {
    // Writes are in order, so this one ends after the body, or with the connection.
    return new Promise((resolve) => this.#socket!.write('', () => resolve()));
  }

  /** Ends the connection if it still sends. */
  cut(): void {
    if (this.underWay) this.#socket!.destroy();
  }
}
