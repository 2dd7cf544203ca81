// Whether a body was signed by who knows the secret: an HMAC over the body as it arrived (RFC 2104), in a header.
// Invariant: no signature, a wrong one and one that cannot be read are the same no, and comparing takes the same time for all.

import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { RouteConfig } from './config.ts';

type SignatureConfig = NonNullable<RouteConfig['signature']>;

const shapes = { hex: /^(?:[0-9a-fA-F]{2})+$/, base64: /^[A-Za-z0-9+/]+={0,2}$/ } as const;

export class Signature {
  readonly #config: SignatureConfig;
  readonly #header: string;

  constructor(config: SignatureConfig) {
    this.#config = config;
    this.#header = config.header.toLowerCase();
  }

  /** What the request shows; undefined where it shows none that could be right. */
  shown(headers: IncomingHttpHeaders): Buffer | undefined {
    const value = headers[this.#header];
    const { prefix, encoding } = this.#config;
    if (typeof value !== 'string' || !value.startsWith(prefix)) return undefined;
    const text = value.slice(prefix.length);
    return shapes[encoding].test(text) ? Buffer.from(text, encoding) : undefined;
  }

  fits(shown: Buffer, body: Buffer): boolean {
    const { algorithm, secret } = this.#config;
    const right = createHmac(algorithm, secret.reveal()).update(body).digest();
    // Its length is no secret: it is the algorithm's.
    return shown.length === right.length && timingSafeEqual(shown, right);
  }
}
