// The body of a request, gathered from its pieces into one buffer. Invariant: what is gathered stands there until `release`,
// and no memory of the pool is held after it.
//
// The memory comes from a pool: a fresh buffer for every body costs its page faults and makes the collector run full
// cycles for memory that is not its own (a fifth of the CPU at full load).

import type { Block, BlockPool } from '../../buffer/index.ts';

/** Up to this Content-Length memory is set aside before the bytes have come. */
const PREALLOCATED_BYTES_MAX = 2 ** 20;
/** A body in more pieces has those copied together that are small: kept by itself a piece of one byte costs 120 bytes of heap. */
const PIECES_KEPT_MAX = 32;
const SMALL_PIECE_BYTES = 16 * 2 ** 10;
const GATHERED_BYTES = 64 * 2 ** 10;

export interface RequestBody {
  /** Valid until `release`. */
  readonly bytes: Buffer;
  /** Gives the memory back; to be called once. */
  release(): void;
}

const nothing = Buffer.alloc(0);

/** Gathers the chunks: a body that comes in one piece is not copied at all, others once. */
export class Body implements RequestBody {
  bytes: Buffer = nothing;
  length = 0;
  readonly #declared: number | undefined;
  readonly #pool: BlockPool;
  #block: Block | undefined;
  #chunks: Buffer[] | undefined;
  /** Where small pieces are copied to, and which part of it stands in no chunk yet. */
  #room: Buffer = nothing;
  #gatheredFrom = 0;
  #gatheredTo = 0;

  constructor(declared: number | undefined, pool: BlockPool) {
    this.#declared = declared;
    this.#pool = pool;
  }

  add(chunk: Buffer): void {
    if (this.length === 0 && chunk.length === this.#declared) {
      this.bytes = chunk;
    } else if (this.#declared === undefined || this.#declared > PREALLOCATED_BYTES_MAX) {
      this.#keep(chunk);
    } else {
      this.#block ??= this.#pool.acquire(this.#declared);
      this.#block.memory.set(chunk, this.length);
    }
    this.length += chunk.length;
  }

  finish(): void {
    this.#closePiece();
    if (this.#chunks) this.bytes = Buffer.concat(this.#chunks, this.length);
    else if (this.#block) this.bytes = this.#block.memory.subarray(0, this.length);
  }

  #keep(chunk: Buffer): void {
    this.#chunks ??= [];
    if (this.#chunks.length < PIECES_KEPT_MAX || chunk.length >= SMALL_PIECE_BYTES) {
      this.#closePiece();
      this.#chunks.push(chunk);
      return;
    }
    if (this.#room.length - this.#gatheredTo < chunk.length) {
      this.#closePiece();
      this.#room = Buffer.allocUnsafeSlow(GATHERED_BYTES);
      this.#gatheredFrom = 0;
      this.#gatheredTo = 0;
    }
    this.#room.set(chunk, this.#gatheredTo);
    this.#gatheredTo += chunk.length;
  }

  /** What was copied together so far becomes one piece. */
  #closePiece(): void {
    if (this.#gatheredTo === this.#gatheredFrom) return;
    this.#chunks!.push(this.#room.subarray(this.#gatheredFrom, this.#gatheredTo));
    this.#gatheredFrom = this.#gatheredTo;
  }

  release(): void {
    this.#block?.release();
    this.#block = undefined;
  }
}
