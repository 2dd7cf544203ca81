// Entries whose bytes follow from (seed, id), so that a reader can tell an entry that was written from one that was
// invented. Invariant: two ids of one seed have different bytes unless they are empty.

import { SeededRandom } from './random.ts';

const POOL_BYTES = 512 * 1024;
const STAMP_BYTES = 4;

/** Made once for all seeds: a run takes its bytes from places that follow from seed and id. */
const pool = noise();

export class Payloads {
  readonly #salt: number;

  constructor(seed: number) {
    this.#salt = new SeededRandom(seed).fork('payload').seed;
  }

  bytes(id: number, size: number): Buffer {
    const from = this.#from(id, size);
    const payload = Buffer.from(pool.subarray(from, from + size));
    for (let at = 0; at < Math.min(STAMP_BYTES, size); at++) payload[at] = (id >>> (8 * at)) & 0xff;
    return payload;
  }

  is(bytes: Uint8Array, id: number, size: number): boolean {
    if (bytes.length !== size) return false;
    const stamp_bytes = Math.min(STAMP_BYTES, size);
    for (let at = 0; at < stamp_bytes; at++) if (bytes[at] !== ((id >>> (8 * at)) & 0xff)) return false;
    const from = this.#from(id, size);
    return pool.compare(bytes, stamp_bytes, size, from + stamp_bytes, from + size) === 0;
  }

  #from(id: number, size: number): number {
    return (Math.imul(id ^ this.#salt, 0x9e3779b1) >>> 0) % (POOL_BYTES - size);
  }
}

function noise(): Buffer {
  const words = new Uint32Array(POOL_BYTES / 4);
  let state = 1;
  for (let index = 0; index < words.length; index++) {
    state = Math.imul(state, 1664525) + 1013904223;
    // The first half can be compressed to about one half, the second cannot.
    words[index] = index < words.length / 2 ? state & 0x0f0f0f0f : state;
  }
  return Buffer.from(words.buffer);
}
