// How many items a compressed request holds. The same few come again and again, and the backend shares the cores with whom it
// waits for, so each is decompressed once. Invariant: a body is known only by all of its bytes.

import { gunzipSync } from 'node:zlib';
import { ItemCounter } from './item_counter.ts';

/** CRC and length of what a gzip member holds. */
const TRAILER_BYTES = 8;
const REMEMBERED_MAX_BYTES = 32 * 2 ** 20;
const CHUNK_BYTES = 2 ** 20;

interface Known {
  readonly body: Buffer;
  readonly items: number;
}

export class CompressedCounts {
  readonly #counter = new ItemCounter();
  /** By trailer, which finds it fast and proves nothing. */
  readonly #known = new Map<string, Known>();
  #remembered_bytes = 0;

  /** @param body one gzip member; may be overwritten afterwards. @throws Error where it is none, or holds no request */
  itemsIn(body: Buffer): number {
    const trailer = body.toString('latin1', Math.max(0, body.length - TRAILER_BYTES));
    const known = this.#known.get(trailer);
    if (known?.body.equals(body)) return known.items;
    const plain = gunzipSync(body, { chunkSize: CHUNK_BYTES });
    this.#counter.add(plain, 0, plain.length);
    const items = this.#counter.end();
    if (!known && this.#remembered_bytes + body.length <= REMEMBERED_MAX_BYTES) {
      this.#known.set(trailer, { body: Buffer.from(body), items });
      this.#remembered_bytes += body.length;
    }
    return items;
  }
}
