// Whether a body was signed by who knows the secret: an HMAC over the body as it arrived (RFC 2104), in a header, and where that
// is asked for over the time of signing, which must be near.
// Invariant: no signature, a wrong one and one that cannot be read are the same no, and comparing takes the same time for all.

import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { type RouteConfig, TIMESTAMP } from './config.ts';

type SignatureConfig = NonNullable<RouteConfig['signature']>;

const shapes = { hex: /^(?:[0-9a-fA-F]{2})+$/, base64: /^[A-Za-z0-9+/]+={0,2}$/ } as const;
/** Beyond it is no time of ours. */
const unixSeconds = /^\d{1,12}$/;

/** What a request shows, to be checked once its body is there. */
export interface Shown {
  readonly signature: Buffer;
  /** What is signed before the body. */
  readonly before: string;
}

export class Signature {
  readonly #config: SignatureConfig;
  readonly #header: string;

  constructor(config: SignatureConfig) {
    this.#config = config;
    this.#header = config.header.toLowerCase();
  }

  /** What the request shows; undefined where that cannot be right. @param now_ms since 1970 */
  shown(headers: IncomingHttpHeaders, now_ms: number): Shown | undefined {
    const value = headers[this.#header];
    const { prefix, encoding } = this.#config;
    if (typeof value !== 'string' || !value.startsWith(prefix)) return undefined;
    const text = value.slice(prefix.length);
    const before = this.#before(headers, now_ms);
    if (before === undefined || !shapes[encoding].test(text)) return undefined;
    return { signature: Buffer.from(text, encoding), before };
  }

  fits({ signature, before }: Shown, body: Buffer): boolean {
    const { algorithm, secret } = this.#config;
    const right = createHmac(algorithm, secret.reveal()).update(before).update(body).digest();
    // Its length is no secret: it is the algorithm's.
    return signature.length === right.length && timingSafeEqual(signature, right);
  }

  #before(headers: IncomingHttpHeaders, now_ms: number): string | undefined {
    const { timestamp } = this.#config;
    if (!timestamp) return '';
    const value = headers[timestamp.header.toLowerCase()];
    if (typeof value !== 'string' || !unixSeconds.test(value)) return undefined;
    if (Math.abs(now_ms - Number(value) * 1000) > timestamp.tolerance) return undefined;
    return timestamp.signed.replaceAll(TIMESTAMP, value);
  }
}
