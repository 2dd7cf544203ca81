// The one way from a compressed body to its bytes, for both protocols. Invariant: no more than `limit` bytes come out of
// any codec, and what the event loop does itself is bounded in time.

import type { Share } from '../in_flight.ts';
import type { Decompressed } from './decompressed.ts';
import { inflateLater, inflateNow } from './deflate.ts';
import { gunzipLater, gunzipNow } from './gzip.ts';
import { Inflater } from './inflater.ts';
import { zstdLater, zstdNow } from './zstd.ts';

export type Compression = 'gzip' | 'deflate' | 'zstd';

interface Decoder {
  /** Undefined where the body is too large for the event loop. */
  now(body: Buffer, limit: number, inflater: Inflater): Decompressed | undefined;
  later(body: Buffer, limit: number, share: Share): Promise<Decompressed>;
}

const decoders: Readonly<Record<Compression, Decoder>> = {
  gzip: { now: gunzipNow, later: gunzipLater },
  deflate: { now: inflateNow, later: inflateLater },
  zstd: { now: zstdNow, later: zstdLater },
};

export class Decompressor {
  readonly #limit: number;
  readonly #inflater = new Inflater();

  /** @param limit of the decompressed bytes of one body */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** At once where the body is of moderate size, else in the pool. @throws Refusal 400, 413 or 503 */
  decompress(compression: Compression, body: Buffer, share: Share): Decompressed | Promise<Decompressed> {
    const decoder = decoders[compression];
    return decoder.now(body, this.#limit, this.#inflater) ?? decoder.later(body, this.#limit, share);
  }
}
