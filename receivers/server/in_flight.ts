// The bytes of requests that a receiver holds in memory: bodies being read, decompressed or waiting for the disk.
// Invariant: the sum never passes the limit; who is told no has been given nothing.

import { overloaded } from './refusal.ts';

const LIMIT_BYTES_MIN = 256 * 2 ** 20;
const LARGEST_BODIES = 4;

export class InFlight {
  readonly limit_bytes: number;
  #bytes = 0;

  /** Room for a few of the largest requests, so that one client cannot shut the door with a single one. */
  constructor(maxRequest_bytes: number) {
    this.limit_bytes = Math.max(LARGEST_BODIES * maxRequest_bytes, LIMIT_BYTES_MIN);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @throws Refusal (503) when the limit would be passed. */
  add(bytes: number): void {
    if (this.#bytes + bytes > this.limit_bytes) throw overloaded('too many bytes of requests are in flight');
    this.#bytes += bytes;
  }

  remove(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/** What one request holds of the whole; given back in one go, whatever became of the request. */
export class Share {
  readonly #inFlight: InFlight;
  #bytes = 0;

  constructor(inFlight: InFlight) {
    this.#inFlight = inFlight;
  }

  /** @throws Refusal (503) */
  add(bytes: number): void {
    this.#inFlight.add(bytes);
    this.#bytes += bytes;
  }

  remove(bytes: number): void {
    this.#inFlight.remove(bytes);
    this.#bytes -= bytes;
  }

  /** Gives back all but `bytes`, which it has. */
  keepOnly(bytes: number): void {
    this.remove(this.#bytes - bytes);
  }

  release(): void {
    this.keepOnly(0);
  }
}
