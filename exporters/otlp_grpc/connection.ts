// The way to one gRPC destination: a link is made when it is first needed, and anew when it has ended or was retired.
// Invariant: at most one link takes new requests, and whoever asks while it is being made waits for the same one.

import http2 from 'node:http2';
import type { Socket } from 'node:net';
import { type Keepalive, Link } from './link.ts';

export interface ConnectionOptions {
  readonly scheme: 'http' | 'https';
  /** The host that requests name. */
  readonly authority: string;
  /** A socket on which HTTP/2 may begin at once. Rejects with what the network said, or when `late` aborts. */
  readonly open: (late: AbortSignal) => Promise<Socket>;
  readonly connectTimeout_ms: number;
  readonly keepalive: Keepalive;
}

/** Answers are small, and read no further than 4 MiB. */
const RECEIVE_WINDOW_BYTES = 1024 * 1024;

export class GrpcConnection {
  readonly #options: ConnectionOptions;
  #current: Promise<Link> | undefined;
  /** All that have not ended yet, those that take nothing new too. */
  readonly #sessions = new Set<http2.ClientHttp2Session>();

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  link(): Promise<Link> {
    if (this.#current === undefined) {
      const made = this.#connect(() => {
        if (this.#current === made) this.#current = undefined;
      });
      this.#current = made;
    }
    return this.#current;
  }

  /** What asks from now on gets a new link; what is under way on the one before may end. */
  retire(): void {
    const before = this.#current;
    this.#current = undefined;
    before?.then(
      // Who was just given the link uses it within this turn; without a request on it, retiring would end it.
      (link) => void setImmediate(() => link.retire()),
      // One that could not be made was told to whoever waited for it.
      () => {},
    );
  }

  destroy(): void {
    this.#current = undefined;
    for (const session of this.#sessions) session.destroy();
  }

  async #connect(over: () => void): Promise<Link> {
    const { scheme, authority, open, connectTimeout_ms, keepalive } = this.#options;
    const late = AbortSignal.timeout(connectTimeout_ms);
    try {
      const socket = await open(late);
      socket.setNoDelay(true);
      const session = http2.connect(`${scheme}://${authority}`, {
        createConnection: () => socket,
        settings: { enablePush: false, initialWindowSize: RECEIVE_WINDOW_BYTES },
      });
      this.#sessions.add(session);
      session.once('close', () => this.#sessions.delete(session));
      await ready(session, socket, late);
      return new Link(session, keepalive, over);
    } catch (error) {
      over();
      throw error;
    }
  }
}

/** Until the destination's settings are here nobody knows whether it speaks HTTP/2. */
function ready(session: http2.ClientHttp2Session, socket: Socket, late: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (error: unknown): void => {
      reject(error);
      session.destroy();
      socket.destroy();
    };
    const stop = (): void => refuse(late.reason);
    late.addEventListener('abort', stop);
    // Where there was an error it came first, and this says nothing any more.
    const closed = (): void => refuse(new Error('the connection was closed before HTTP/2 began'));
    session.once('close', closed);
    session.once('error', refuse);
    // An alert of TLS 1.3, such as "certificate required", comes when TLS stands, and the session keeps it to itself.
    socket.once('error', refuse);
    socket.once('close', closed);
    session.once('remoteSettings', () => {
      late.removeEventListener('abort', stop);
      session.off('close', closed).off('error', refuse);
      socket.off('close', closed).off('error', refuse);
      resolve();
    });
    if (late.aborted) stop();
  });
}
