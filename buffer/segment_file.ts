// The file of an active segment, and the two ways in which a commit reaches it: written at the end and synced, or written in
// whole blocks past the page cache. Both leave the same bytes up to where the content ends. Invariant: of the direct way, a
// block that holds durable bytes is only ever written again with those bytes in it.

import type { Block } from './block_pool.ts';
import type { DirectMemory } from './direct_memory.ts';
import { DIRECT_BLOCK_BYTES, type File } from './ports/file_system.ts';
import { writeFully } from './whole_io.ts';

export interface SegmentFile {
  /** Whether what was written is durable without a sync. The file may then be longer than its content, by unused space. */
  readonly direct: boolean;
  /** Writes what the blocks hold at `position`, where the content ends. */
  write(blocks: readonly Block[], position: number): Promise<void>;
  sync(): Promise<void>;
  truncate(size: number): Promise<void>;
  close(): Promise<void>;
}

export class AppendFile implements SegmentFile {
  readonly direct = false;
  readonly #file: File;

  constructor(file: File) {
    this.#file = file;
  }

  async write(blocks: readonly Block[], position: number): Promise<void> {
    let at = position;
    for (const block of blocks) {
      await writeFully(this.#file, block.memory.subarray(0, block.used), at);
      at += block.used;
    }
  }

  sync(): Promise<void> {
    return this.#file.sync();
  }

  truncate(size: number): Promise<void> {
    return this.#file.truncate(size);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

export class DirectFile implements SegmentFile {
  readonly direct = true;
  readonly #file: File;
  readonly #memory: DirectMemory;
  /** The content of the last block, which the next commit carries along in front of its own. */
  readonly #carry = Buffer.alloc(DIRECT_BLOCK_BYTES);

  /** @param carry what stands in the block in which the content ends, from its beginning on. */
  constructor(file: File, memory: DirectMemory, carry: Uint8Array) {
    this.#file = file;
    this.#memory = memory;
    this.#carry.set(carry);
  }

  /** Copied together, since blocks end anywhere and a direct write may not; the copy costs less than what a second write would. */
  write(blocks: readonly Block[], position: number): Promise<void> {
    return this.#memory.lend(async (memory) => {
      const carried = position % DIRECT_BLOCK_BYTES;
      let at = position - carried;
      let filled = this.#carry.copy(memory, 0, 0, carried);
      for (const block of blocks) {
        for (let from = 0; from < block.used; ) {
          const copied = block.memory.copy(memory, filled, from, block.used);
          from += copied;
          filled += copied;
          if (filled < memory.length) continue;
          await this.#writeBlocks(memory, at);
          at += filled;
          filled = 0;
        }
      }
      const end = Math.ceil(filled / DIRECT_BLOCK_BYTES) * DIRECT_BLOCK_BYTES;
      memory.fill(0, filled, end);
      await this.#writeBlocks(memory.subarray(0, end), at);
      memory.copy(this.#carry, 0, filled - (filled % DIRECT_BLOCK_BYTES), filled);
    });
  }

  sync(): Promise<void> {
    return this.#file.sync();
  }

  truncate(size: number): Promise<void> {
    return this.#file.truncate(size);
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  /** Where the disk took a part, it goes on from the last whole block. */
  async #writeBlocks(bytes: Buffer, position: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const written = await this.#file.write(bytes.subarray(done), position + done);
      if (written < DIRECT_BLOCK_BYTES) {
        throw Object.assign(new Error('the disk took no block of a write'), { code: 'ENOSPC' });
      }
      done += written - (written % DIRECT_BLOCK_BYTES);
    }
  }
}
