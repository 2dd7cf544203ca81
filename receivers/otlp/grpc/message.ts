// Reads the one message of a unary call. Invariants: never more than `limit` bytes are kept, every byte kept is on the
// call's share of the in-flight bytes while it arrives, and the promise settles whatever the client does.

import type { ServerHttp2Stream } from 'node:http2';
import type { BlockPool } from '../../../buffer/index.ts';
import { rpcCode } from '../../../otlp/status.ts';
import { Body, type RequestBody } from '../../server/body.ts';
import type { Share } from '../../server/in_flight.ts';
import { Refusal, tooLarge } from '../../server/refusal.ts';

/** Compressed flag and length, before every message (PROTOCOL-HTTP2.md, Length-Prefixed-Message). */
const PREFIX_BYTES = 5;

/** The client went away before its message was complete: there is nobody to answer. */
export class ClientGone extends Error {}

export interface Message {
  readonly body: RequestBody;
  readonly compressed: boolean;
}

/** @throws Refusal, while the rest of the message may still arrive; ClientGone */
export function readMessage(
  stream: ServerHttp2Stream,
  limit: number,
  share: Share,
  pool: BlockPool,
): Promise<Message> {
  return new Promise((resolve, reject) => {
    const reader = new MessageReader(limit, share, pool);
    function fail(error: unknown): void {
      settle();
      reader.release();
      reject(error);
    }
    function onData(chunk: Buffer): void {
      try {
        reader.add(chunk);
      } catch (error) {
        fail(error);
      }
    }
    function onEnd(): void {
      try {
        const message = reader.finish();
        settle();
        resolve(message);
      } catch (error) {
        // A reset ends the reading side first, and says that it is one in a frame behind that, which the next read may bring: one
        // whole turn of the event loop lies between two immediates.
        setImmediate(() => setImmediate(() => fail(stream.closed ? new ClientGone() : error)));
      }
    }
    function onGone(): void {
      fail(new ClientGone());
    }
    function settle(): void {
      stream.off('data', onData);
      stream.off('end', onEnd);
      stream.off('close', onGone);
    }
    stream.on('data', onData);
    stream.on('end', onEnd);
    stream.on('close', onGone);
  });
}

class MessageReader {
  readonly #limit: number;
  readonly #share: Share;
  readonly #pool: BlockPool;
  /** Until it is whole; most often it comes with the first bytes of the message. */
  #prefix: Buffer = nothing;
  #compressed = false;
  #length = 0;
  #body: Body | undefined;

  constructor(limit: number, share: Share, pool: BlockPool) {
    this.#limit = limit;
    this.#share = share;
    this.#pool = pool;
  }

  /** @throws Refusal */
  add(chunk: Buffer): void {
    let rest = chunk;
    if (!this.#body) {
      this.#prefix = this.#prefix.length === 0 ? chunk : Buffer.concat([this.#prefix, chunk]);
      if (this.#prefix.length < PREFIX_BYTES) return;
      rest = this.#prefix.subarray(PREFIX_BYTES);
      this.#body = this.#begin(this.#prefix);
    }
    if (rest.length === 0) return;
    if (this.#body.length + rest.length > this.#length) {
      // Statuscodes.md: another number of messages than the method takes.
      throw new Refusal(400, rpcCode.UNIMPLEMENTED, 'more than one message in a unary call');
    }
    this.#share.add(rest.length);
    this.#body.add(rest);
  }

  /** @throws Refusal */
  finish(): Message {
    const body = this.#body;
    if (!body) throw new Refusal(400, rpcCode.UNIMPLEMENTED, 'no message in a unary call');
    if (body.length < this.#length) {
      throw new Refusal(400, rpcCode.INTERNAL, 'the message ends before its length');
    }
    body.finish();
    return { body, compressed: this.#compressed };
  }

  release(): void {
    this.#body?.release();
  }

  #begin(prefix: Buffer): Body {
    const flag = prefix[0]!;
    if (flag > 1) throw new Refusal(400, rpcCode.INTERNAL, 'the message has an unknown flag');
    this.#compressed = flag === 1;
    this.#length = prefix.readUInt32BE(1);
    if (this.#length > this.#limit) throw tooLarge(this.#limit, 'the message');
    return new Body(this.#length, this.#pool);
  }
}

const nothing = Buffer.alloc(0);
