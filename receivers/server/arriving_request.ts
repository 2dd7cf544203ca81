// A request as node:http makes it, whose body goes piece by piece from the parser to whoever takes it: to make Node's stream
// flow takes five listeners and as many ticks, for a body in one piece as for one in four. Invariant: of each piece either
// the taker has it or the stream, and the taker hears once how its part ended: whole, refused by itself, or broken off.

import { IncomingMessage } from 'node:http';

/** Who takes a body. None of its calls may throw: Node's parser makes them. */
export interface BodyTaker {
  /** The next piece; false refuses it and all behind it: those are the stream's, to be read and thrown away. */
  takePiece(piece: Buffer): boolean;
  /** All of it was taken. */
  takeEnd(): void;
  /** The client went away before the end, which will not come. */
  takeGone(): void;
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
    if (chunk !== null) {
      if (!taker.takePiece(chunk)) this.#taker = undefined;
      return true;
    }
    this.#taker = undefined;
    // Nobody hears of the end of a stream that nobody reads; asked once, Node takes it for read.
    this.read(0);
    taker.takeEnd();
    return true;
  }

  /** What Node calls when the connection ends, or is cut, with the request. */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const taker = this.#taker;
    this.#taker = undefined;
    taker?.takeGone();
    super._destroy(error, callback);
  }
}
