// Reads the body of an HTTP request into one buffer. Invariants: never more than `limit` bytes are kept, every byte
// kept is on the request's share of the in-flight bytes, and the promise settles whatever the client does.

import type { IncomingMessage } from 'node:http';
import type { Share } from './in_flight.ts';
import { tooLarge } from './refusal.ts';

/** Up to this Content-Length memory is set aside before the bytes have come. */
const PREALLOCATED_BYTES_MAX = 2 ** 20;

/** The client went away before its request was complete: there is nobody to answer. */
export class ClientGone extends Error {}

/**
 * @param length Content-Length, or undefined for a chunked body.
 * @throws Refusal 413 or 503, while the rest of the body still arrives; ClientGone
 */
export function readBody(
  request: IncomingMessage,
  length: number | undefined,
  limit: number,
  share: Share,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const body = new Body(length);
    function onData(chunk: Buffer): void {
      try {
        if (body.length + chunk.length > limit) throw tooLarge(limit, 'the body');
        share.add(chunk.length);
      } catch (error) {
        settle();
        request.pause();
        reject(error);
        return;
      }
      body.add(chunk);
    }
    function onEnd(): void {
      settle();
      resolve(body.finish());
    }
    function onGone(): void {
      settle();
      reject(new ClientGone());
    }
    function settle(): void {
      request.off('data', onData);
      request.off('end', onEnd);
      request.off('close', onGone);
    }
    request.on('data', onData);
    request.on('end', onEnd);
    request.on('close', onGone);
  });
}

/** Gathers the chunks: a body that comes in one piece is not copied at all, others once. */
class Body {
  length = 0;
  readonly #declared: number | undefined;
  #whole: Buffer | undefined;
  #chunks: Buffer[] | undefined;

  constructor(declared: number | undefined) {
    this.#declared = declared;
  }

  add(chunk: Buffer): void {
    if (this.length === 0 && chunk.length === this.#declared) {
      this.#whole = chunk;
    } else if (this.#declared === undefined || this.#declared > PREALLOCATED_BYTES_MAX) {
      this.#chunks ??= [];
      this.#chunks.push(chunk);
    } else {
      this.#whole ??= Buffer.allocUnsafe(this.#declared);
      this.#whole.set(chunk, this.length);
    }
    this.length += chunk.length;
  }

  finish(): Buffer {
    if (this.#chunks)
      return this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks, this.length);
    return this.#whole?.subarray(0, this.length) ?? Buffer.alloc(0);
  }
}
