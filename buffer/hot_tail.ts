// The blocks that were just written, kept for readers that have caught up: they read no disk. Invariants: what stands here
// is byte for byte what the file holds at the same position; all tails of a log together keep to one limit.

import type { Block } from './block_pool.ts';

interface HotBlock {
  readonly segmentBase: number;
  /** File position of the block's first byte. */
  readonly position: number;
  /** Offset behind the last entry of the commit that wrote it. */
  readonly end: number;
  readonly block: Block;
  /** Of memory, when it came. */
  readonly held_bytes: number;
  /** When it came, by the count of all tails. */
  readonly age: number;
}

/** What the tails of all shards may take together; whose block came first lets go first. */
export class HotMemory {
  readonly #max_bytes: number;
  readonly #tails = new Set<HotTail>();
  #used_bytes = 0;
  #pushes = 0;

  constructor(max_bytes: number) {
    this.#max_bytes = max_bytes;
  }

  get used_bytes(): number {
    return this.#used_bytes;
  }

  join(tail: HotTail): void {
    this.#tails.add(tail);
  }

  leave(tail: HotTail): void {
    this.#tails.delete(tail);
  }

  /** Counts a block that comes, and says how many came before it. */
  take(bytes: number): number {
    this.#used_bytes += bytes;
    return this.#pushes++;
  }

  give(bytes: number): void {
    this.#used_bytes -= bytes;
  }

  /** Tails are few, and few blocks go this way: readers that keep up give them back before. */
  shrink(): void {
    while (this.#used_bytes > this.#max_bytes) {
      let first: HotTail | undefined;
      for (const tail of this.#tails) if (!first || tail.oldest < first.oldest) first = tail;
      first!.dropOldest();
    }
  }
}

export class HotTail {
  readonly #blocks: HotBlock[] = [];
  readonly #memory: HotMemory;

  constructor(memory: HotMemory) {
    this.#memory = memory;
    memory.join(this);
  }

  /** When the oldest block here came; later than any where there is none. */
  get oldest(): number {
    return this.#blocks[0]?.age ?? Number.POSITIVE_INFINITY;
  }

  /** Takes over the caller's reference. */
  push(segmentBase: number, position: number, end: number, block: Block): void {
    const { held_bytes } = block;
    const age = this.#memory.take(held_bytes);
    this.#blocks.push({ segmentBase, position, end, block, held_bytes, age });
    this.#memory.shrink();
  }

  /** Gives back what ends at or below `offset`: every reader is past it. */
  trim(offset: number): void {
    while (this.#blocks.length > 0 && this.#blocks[0]!.end <= offset) this.dropOldest();
  }

  /** The block that holds the byte at `position` of that segment, with where it begins. */
  find(segmentBase: number, position: number): { block: Block; position: number } | undefined {
    for (let index = this.#blocks.length - 1; index >= 0; index--) {
      const hot = this.#blocks[index]!;
      if (hot.segmentBase < segmentBase) return undefined;
      if (hot.segmentBase !== segmentBase || position < hot.position) continue;
      return position < hot.position + hot.block.used ? hot : undefined;
    }
    return undefined;
  }

  /** Gives everything back; nothing comes any more. */
  close(): void {
    this.trim(Number.POSITIVE_INFINITY);
    this.#memory.leave(this);
  }

  dropOldest(): void {
    const hot = this.#blocks.shift()!;
    this.#memory.give(hot.held_bytes);
    hot.block.release();
  }
}
