// A request as node:http makes it, that hands a body which came in one piece straight on: most small ones do, and to make
// Node's stream flow for a single chunk takes five listeners and as many ticks. Invariant: a body is either handed on whole,
// once, and the stream has none of it, or the stream has all of it.

import { IncomingMessage } from 'node:http';

const nothing = Buffer.alloc(0);

/** Who waits for a body. Neither call may throw: Node's parser makes them. */
export interface BodyTaker {
  /** What the head declares. */
  readonly length: number;
  /** Where the body is kept until its end has come: the request itself has no room for more than one field. */
  body: Buffer | undefined;
  /** All of it, at its end. */
  takeWhole(body: Buffer): void;
  /** It comes in pieces: to be read as a stream, from its first byte on. */
  takeStream(): void;
}

export class ArrivingRequest extends IncomingMessage {
  #taker: BodyTaker | undefined;

  /** To be called where the head is looked at, before anything of the body has come. */
  whenHere(taker: BodyTaker): void {
    this.#taker = taker;
  }

  /** What Node's parser calls with each piece, and with null at the end. */
  override push(chunk: Buffer | null, encoding?: BufferEncoding): boolean {
    const taker = this.#taker;
    if (taker === undefined) return super.push(chunk, encoding);
    if (chunk !== null && chunk.length === taker.length) {
      taker.body = chunk;
      return true;
    }
    this.#taker = undefined;
    if (chunk === null && this.complete) {
      // Nobody hears of the end of a stream that nobody reads; asked once, Node takes it for read.
      this.read(0);
      const body = taker.body ?? nothing;
      taker.body = undefined;
      taker.takeWhole(body);
      return true;
    }
    taker.takeStream();
    return super.push(chunk, encoding);
  }
}
