// One HTTP/2 connection over its life: how long it may be silent, idle or old, and how often it may ping.
// Invariant: whatever the client does or omits, the connection ends after bounded time once nobody uses it.
// Source: gRPC keepalive.md, A8 (client-side keepalive), A9 (server-side connection management).

import type { Http2Session } from 'node:http2';

export interface Lifetime {
  /** Until the client has shown that it speaks HTTP/2, ms. */
  readonly handshake_ms: number;
  /** Without a call; Infinity: for ever. */
  readonly maxIdle_ms: number;
  readonly maxAge_ms: number;
  /** What calls under way get beyond the age. */
  readonly maxAgeGrace_ms: number;
  /** Silence until the client is asked whether it is there, and what it gets to say so. */
  readonly ping_ms: number;
  readonly pingTimeout_ms: number;
  /** The client may ping this often at most, and without a call only if it is permitted. */
  readonly minPing_ms: number;
  readonly pingWithoutCall: boolean;
}

const ENHANCE_YOUR_CALM = 0xb;
const PING_STRIKES_MAX = 2;
/** A client that may not ping without a call may still do so this rarely. */
const PING_WITHOUT_CALL_MS = 2 * 60 * 60 * 1000;
/** What a client gets to close by itself after it was told to go for misbehaving. */
const DISMISSED_GRACE_MS = 1000;

export class Connection {
  readonly #session: Http2Session;
  readonly #lifetime: Lifetime;
  readonly #opened_ms: number;
  #spoke = false;
  #calls = 0;
  #idleSince_ms: number;
  #bytesRead = 0;
  #heard_ms: number;
  #pinged_ms: number | undefined;
  #lastPing_ms = Number.NEGATIVE_INFINITY;
  #strikes = 0;
  /** An answer was sent since the last ping, so the client may ask for it. */
  #answered = false;
  /** When what is left is cut off, once the connection is to end. */
  #end_ms: number | undefined;

  constructor(session: Http2Session, lifetime: Lifetime, now_ms: number) {
    this.#session = session;
    this.#lifetime = lifetime;
    this.#opened_ms = now_ms;
    this.#idleSince_ms = now_ms;
    this.#heard_ms = now_ms;
    session.once('remoteSettings', () => {
      this.#spoke = true;
    });
  }

  callBegan(): void {
    this.#calls++;
  }

  callEnded(now_ms: number): void {
    this.#calls--;
    this.#answered = true;
    if (this.#calls === 0) this.#idleSince_ms = now_ms;
  }

  /** The client pinged. Who does so too often is told to calm down, and goes. */
  pinged(now_ms: number): void {
    const since_ms = now_ms - this.#lastPing_ms;
    this.#lastPing_ms = now_ms;
    if (this.#answered) {
      this.#answered = false;
      this.#strikes = 0;
      return;
    }
    const { minPing_ms, pingWithoutCall } = this.#lifetime;
    const least_ms = this.#calls === 0 && !pingWithoutCall ? PING_WITHOUT_CALL_MS : minPing_ms;
    if (since_ms >= least_ms) return;
    this.#strikes++;
    if (this.#strikes <= PING_STRIKES_MAX || this.#end_ms !== undefined) return;
    this.#session.goaway(ENHANCE_YOUR_CALM, 0, Buffer.from('too_many_pings'));
    this.#close(now_ms + DISMISSED_GRACE_MS);
  }

  /** To be called now and then; finer time-outs than that are not kept. */
  tick(now_ms: number): void {
    const { handshake_ms, maxIdle_ms, maxAge_ms, maxAgeGrace_ms } = this.#lifetime;
    if (this.#end_ms !== undefined) {
      if (now_ms >= this.#end_ms) this.#session.destroy();
    } else if (!this.#spoke) {
      if (now_ms - this.#opened_ms >= handshake_ms) this.#session.destroy();
    } else if (now_ms - this.#opened_ms >= maxAge_ms) {
      this.#close(now_ms + maxAgeGrace_ms);
    } else if (this.#calls === 0 && now_ms - this.#idleSince_ms >= maxIdle_ms) {
      this.#close(now_ms + maxAgeGrace_ms);
    }
    this.#checkAlive(now_ms);
  }

  /** No new calls; those under way are answered. */
  drain(): void {
    this.#close(Number.POSITIVE_INFINITY);
  }

  destroy(): void {
    this.#session.destroy();
  }

  #close(end_ms: number): void {
    this.#end_ms = end_ms;
    if (!this.#session.closed) this.#session.close();
  }

  #checkAlive(now_ms: number): void {
    const session = this.#session;
    if (session.destroyed) return;
    const { bytesRead } = session.socket;
    if (bytesRead !== this.#bytesRead) {
      this.#bytesRead = bytesRead;
      this.#heard_ms = now_ms;
      this.#pinged_ms = undefined;
    } else if (this.#pinged_ms !== undefined) {
      if (now_ms - this.#pinged_ms >= this.#lifetime.pingTimeout_ms) session.destroy();
    } else if (now_ms - this.#heard_ms >= this.#lifetime.ping_ms) {
      this.#pinged_ms = now_ms;
      // The answer counts as bytes that were read.
      session.ping(() => {});
    }
  }
}
