// The blocks that were just written, kept for readers that have caught up: they read no disk. Invariant: what stands here
// is durable and is byte for byte what the file holds at the same position.

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
}

export class HotTail {
  readonly #blocks: HotBlock[] = [];
  readonly #max_bytes: number;
  #bytes = 0;

  constructor(max_bytes: number) {
    this.#max_bytes = max_bytes;
  }

  /** Takes over the caller's reference. */
  push(segmentBase: number, position: number, end: number, block: Block): void {
    const { held_bytes } = block;
    this.#blocks.push({ segmentBase, position, end, block, held_bytes });
    this.#bytes += held_bytes;
    while (this.#bytes > this.#max_bytes && this.#blocks.length > 0) this.#shift();
  }

  /** Gives back what ends at or below `offset`: every reader is past it. */
  trim(offset: number): void {
    while (this.#blocks.length > 0 && this.#blocks[0]!.end <= offset) this.#shift();
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

  #shift(): void {
    const hot = this.#blocks.shift()!;
    this.#bytes -= hot.held_bytes;
    hot.block.release();
  }
}
