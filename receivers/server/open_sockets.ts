// The sockets of a server as they were accepted: what a server knows itself begins with the end of the TLS handshake, and a
// client that never comes so far would be there for ever. Invariant: after `cut` none is open.

import type { Server, Socket } from 'node:net';

export class OpenSockets {
  readonly #sockets = new Set<Socket>();

  /** To be made before the server listens. */
  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    // Of TLS, before what node:https does with it: there is nobody whom an answer would reach.
    server.prependListener('tlsClientError', (_: Error, socket: Socket) => socket.destroy());
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
