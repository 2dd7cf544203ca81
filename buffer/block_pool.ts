// Memory for writing and reading: blocks of a few sizes, kept for reuse, given back by counting references.
// Invariant: a block is in the free list exactly when nobody holds a reference to it.

import { LeaseMisuse } from './errors.ts';

const CLASSES_BYTES = [64 * 1024, 256 * 1024, 1024 * 1024, 4 * 1024 * 1024];

export class Block {
  readonly memory: Buffer;
  /** Bytes that hold frames; the rest is free. */
  used = 0;
  /** Bodies of frames that stand compressed in the memory, as they were, by where the frame begins: for the hot tail. */
  unpacked: Map<number, Buffer> | undefined;
  #references = 0;
  #reusable = true;
  readonly #pool: BlockPool;

  constructor(pool: BlockPool, bytes: number) {
    this.#pool = pool;
    this.memory = Buffer.allocUnsafeSlow(bytes);
  }

  retain(): void {
    this.#references += 1;
  }

  /** What it holds of the machine's memory. */
  get held_bytes(): number {
    let bytes = this.memory.length;
    for (const body of this.unpacked?.values() ?? []) bytes += body.length;
    return bytes;
  }

  /** @throws LeaseMisuse when it was given back already. */
  release(): void {
    if (this.#references === 0) throw new LeaseMisuse('a block was released twice');
    this.#references -= 1;
    if (this.#references === 0) this.#pool.takeBack(this);
  }

  /** Gives a reference back whose holder was forgotten: views may be left, so the memory is never lent again. */
  abandon(): void {
    this.#reusable = false;
    this.release();
  }

  get reusable(): boolean {
    return this.#reusable;
  }
}

export interface BlockPoolStats {
  readonly free_bytes: number;
  readonly in_use_bytes: number;
  readonly hits: number;
  readonly misses: number;
}

export class BlockPool {
  readonly #free: Block[][] = CLASSES_BYTES.map(() => []);
  readonly #freeMax_bytes: number;
  #free_bytes = 0;
  #inUse_bytes = 0;
  #hits = 0;
  #misses = 0;

  /** @param freeMax_bytes what may be kept for reuse; above it blocks go back to the system. */
  constructor(freeMax_bytes: number) {
    this.#freeMax_bytes = freeMax_bytes;
  }

  /** A block of at least `bytes`, with one reference. */
  acquire(bytes: number): Block {
    const index = CLASSES_BYTES.findIndex((size) => size >= bytes);
    let block = index === -1 ? undefined : this.#free[index]!.pop();
    if (block) {
      this.#hits += 1;
      this.#free_bytes -= block.memory.length;
    } else {
      this.#misses += 1;
      block = new Block(this, index === -1 ? bytes : CLASSES_BYTES[index]!);
    }
    this.#inUse_bytes += block.memory.length;
    block.used = 0;
    block.retain();
    return block;
  }

  /** Called by the block when its last reference is gone. */
  takeBack(block: Block): void {
    block.unpacked = undefined;
    const bytes = block.memory.length;
    this.#inUse_bytes -= bytes;
    const index = CLASSES_BYTES.indexOf(bytes);
    if (index === -1 || !block.reusable || this.#free_bytes + bytes > this.#freeMax_bytes) return;
    this.#free_bytes += bytes;
    this.#free[index]!.push(block);
  }

  stats(): BlockPoolStats {
    return {
      free_bytes: this.#free_bytes,
      in_use_bytes: this.#inUse_bytes,
      hits: this.#hits,
      misses: this.#misses,
    };
  }
}
