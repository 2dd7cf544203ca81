// One HTTP/2 session to a destination. Invariant: one on which a request had no answer takes no further ones, for a link
// that died silently looks alive until the kernel gives up, a quarter of an hour later.

import type http2 from 'node:http2';

/** gRPC, keepalive.md; the keys are the Collector's. Times in ms. */
export interface Keepalive {
  /** 0: no sign of life is asked for. */
  readonly time: number;
  readonly timeout: number;
  readonly permit_without_stream: boolean;
}

export class Link {
  readonly #session: http2.ClientHttp2Session;
  readonly #keepalive: Keepalive;
  readonly #onRetired: () => void;
  #streams = 0;
  #retired = false;

  /** @param onRetired called once, when the link takes nothing new any more. */
  constructor(session: http2.ClientHttp2Session, keepalive: Keepalive, onRetired: () => void) {
    this.#session = session;
    this.#keepalive = keepalive;
    this.#onRetired = onRetired;
    session.once('goaway', () => this.retire());
    session.once('close', () => this.retire());
    // Each request hears of a failure by itself.
    session.on('error', () => {});
    if (keepalive.time > 0) this.#askForSigns();
    // A connection that does nothing does not keep the process alive.
    session.unref();
  }

  request(headers: http2.OutgoingHttpHeaders): http2.ClientHttp2Stream {
    const stream = this.#session.request(headers);
    this.#streams += 1;
    if (this.#streams === 1) this.#session.ref();
    stream.once('close', () => {
      this.#streams -= 1;
      if (this.#streams > 0) return;
      if (this.#retired) this.#session.destroy();
      else this.#session.unref();
    });
    return stream;
  }

  /** Takes no further requests; those under way may end. */
  retire(): void {
    if (this.#retired) return;
    this.#retired = true;
    this.#onRetired();
    // Not `close`: that waits for the other side's goodbye, which a dead link never says.
    if (this.#streams === 0) this.#session.destroy();
  }

  destroy(error?: Error): void {
    this.#session.destroy(error);
  }

  #askForSigns(): void {
    const { time, timeout, permit_without_stream } = this.#keepalive;
    const timer = setInterval(() => {
      if (this.#streams === 0 && !permit_without_stream) return;
      const deadline = setTimeout(() => {
        this.destroy(new Error(`no sign of life within ${timeout} ms`));
      }, timeout).unref();
      const asked = this.#session.ping(() => clearTimeout(deadline));
      if (!asked) clearTimeout(deadline);
    }, time).unref();
    this.#session.once('close', () => clearInterval(timer));
  }
}
