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
  /** By class: how many blocks of any had been taken when one of it last was. */
  readonly #takenAt: number[] = CLASSES_BYTES.map(() => 0);
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
    if (index !== -1) this.#takenAt[index] = this.#hits + this.#misses;
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
    if (index === -1 || !block.reusable) return;
    while (this.#free_bytes + bytes > this.#freeMax_bytes) if (!this.#evictInsteadOf(index)) return;
    this.#free_bytes += bytes;
    this.#free[index]!.push(block);
  }

  /**
   * Gives a free block back to the system whose class was not taken from for longer than this one; false where there is none.
   * Blocks of sizes that nobody wants any more would else keep out those that come and go, and fresh memory for every one of
   * these makes the collector run full cycles.
   */
  #evictInsteadOf(index: number): boolean {
    let oldest = index;
    for (let other = 0; other < this.#free.length; other++) {
      if (this.#free[other]!.length > 0 && this.#takenAt[other]! < this.#takenAt[oldest]!) oldest = other;
    }
    if (oldest === index) return false;
    this.#free_bytes -= this.#free[oldest]!.pop()!.memory.length;
    return true;
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
