// One connection to the backend of the benchmark: requests of HTTP/1.1 come in pieces, each is answered when it is whole, and its
// items are counted. It knows as much of HTTP as clients of OTLP use. Invariant: what it does not understand throws, never counts.

import type { CompressedCounts } from './compressed_counts.ts';
import { ItemCounter } from './item_counter.ts';

const HEAD_END = '\r\n\r\n';
const HEAD_MAX_BYTES = 16 * 1024;
const LENGTH = /\r\ncontent-length: *(\d+)\r\n/i;
const ENCODING = /\r\ncontent-encoding: *([^\r]+)\r\n/i;
const NOT_UNDERSTOOD = /\r\n(transfer-encoding|expect|upgrade): *[^\r]+\r\n/i;

export interface Backend {
  readonly compressed: CompressedCounts;
  answer(): void;
  counted(items: number): void;
}

export class Conversation {
  readonly #backend: Backend;
  readonly #counter = new ItemCounter();
  /** What has come of a head. */
  #head = '';
  #inBody = false;
  /** Of the body under way. */
  #missing_bytes = 0;
  #isCompressed = false;
  /** A compressed body is gathered here, the next one over it. */
  #gathered = Buffer.alloc(0);
  #gathered_bytes = 0;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /** The next bytes: the first `length` of `bytes`, which may be overwritten afterwards. @throws Error saying what is not understood */
  take(bytes: Buffer, length: number): void {
    for (let at = 0; at < length; ) {
      at = this.#inBody ? this.#takeBody(bytes, at, length) : this.#takeHead(bytes, at, length);
      if (this.#inBody && this.#missing_bytes === 0) this.#finish();
    }
  }

  #takeHead(bytes: Buffer, at: number, length: number): number {
    const before = this.#head.length;
    const to = Math.min(length, at + HEAD_MAX_BYTES);
    this.#head += bytes.toString('latin1', at, to);
    const end = this.#head.indexOf(HEAD_END);
    if (end < 0) {
      if (this.#head.length > HEAD_MAX_BYTES) throw new Error('the head of a request is too long');
      return to;
    }
    this.#begin(this.#head.slice(0, end + HEAD_END.length));
    this.#head = '';
    return at + end + HEAD_END.length - before;
  }

  #begin(head: string): void {
    const strange = NOT_UNDERSTOOD.exec(head);
    if (strange) throw new Error(`not understood: ${strange[0].trim()}`);
    const encoding = ENCODING.exec(head)?.[1];
    if (encoding !== undefined && encoding !== 'gzip') throw new Error(`not understood: ${encoding}`);
    this.#isCompressed = encoding === 'gzip';
    this.#missing_bytes = Number(LENGTH.exec(head)?.[1] ?? 0);
    this.#inBody = true;
    if (this.#isCompressed && this.#gathered.length < this.#missing_bytes) {
      this.#gathered = Buffer.allocUnsafe(this.#missing_bytes);
    }
    this.#gathered_bytes = 0;
  }

  #takeBody(bytes: Buffer, at: number, length: number): number {
    const to = Math.min(length, at + this.#missing_bytes);
    if (this.#isCompressed) this.#gathered_bytes += bytes.copy(this.#gathered, this.#gathered_bytes, at, to);
    else this.#counter.add(bytes, at, to);
    this.#missing_bytes -= to - at;
    return to;
  }

  /** Answers first: who waits for it need not wait for a decompression. */
  #finish(): void {
    this.#inBody = false;
    this.#backend.answer();
    const { compressed } = this.#backend;
    this.#backend.counted(
      this.#isCompressed
        ? compressed.itemsIn(this.#gathered.subarray(0, this.#gathered_bytes))
        : this.#counter.end(),
    );
  }
}
