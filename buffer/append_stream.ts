// One entry from a stream of chunks. Invariant: while it is gathered it counts as in flight, so that however many are gathered
// at a time memory is bounded; nothing of it is appended before all of it is there.

import type { Block, BlockPool } from './block_pool.ts';
import type { Budget } from './budget.ts';
import { EntryTooLarge } from './errors.ts';

const BLOCK_FIRST_BYTES = 64 * 1024;
const BLOCK_MAX_BYTES = 4 * 1024 * 1024;

export interface GatherOptions {
  readonly pool: BlockPool;
  readonly budget: Pick<Budget, 'reserveMemory' | 'inFlight_bytes'>;
  readonly entryMax_bytes: number;
}

/**
 * Reads the chunks to their end and hands them, as parts of one entry, to `append`; what that returns is returned.
 * @throws EntryTooLarge | LogFull, and the source is told to end; or what the source or `append` throws
 */
export async function gather<T>(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: GatherOptions,
  append: (parts: Uint8Array[]) => T,
): Promise<T> {
  const gathered = new Gathered(options);
  try {
    for await (const chunk of chunks) gathered.add(chunk);
    const parts = gathered.parts();
    // From here to the end of the append nothing else runs: what it takes from the budget is what is given back.
    gathered.uncharge();
    return append(parts);
  } finally {
    gathered.release();
  }
}

/** Copies, because a source may use the memory of a chunk again for the next one. */
class Gathered {
  readonly #options: GatherOptions;
  readonly #blocks: Block[] = [];
  #bytes = 0;
  #charged_bytes = 0;

  constructor(options: GatherOptions) {
    this.#options = options;
  }

  add(chunk: Uint8Array): void {
    const { entryMax_bytes } = this.#options;
    if (this.#bytes + chunk.length > entryMax_bytes) {
      throw new EntryTooLarge(this.#bytes + chunk.length, entryMax_bytes);
    }
    this.#bytes += chunk.length;
    let done = 0;
    while (done < chunk.length) {
      const block = this.#blockWithRoom(chunk.length - done);
      const fits = Math.min(chunk.length - done, block.memory.length - block.used);
      block.memory.set(chunk.subarray(done, done + fits), block.used);
      block.used += fits;
      done += fits;
    }
  }

  parts(): Uint8Array[] {
    return this.#blocks.map((block) => block.memory.subarray(0, block.used));
  }

  uncharge(): void {
    this.#options.budget.inFlight_bytes -= this.#charged_bytes;
    this.#charged_bytes = 0;
  }

  release(): void {
    this.uncharge();
    for (const block of this.#blocks) block.release();
    this.#blocks.length = 0;
  }

  #blockWithRoom(wanted_bytes: number): Block {
    const last = this.#blocks[this.#blocks.length - 1];
    if (last && last.used < last.memory.length) return last;
    const { budget, pool } = this.#options;
    const size = Math.max(BLOCK_FIRST_BYTES, Math.min(this.#bytes, BLOCK_MAX_BYTES), wanted_bytes);
    // An entry that is alone in memory may take what entryMax_bytes allows.
    if (budget.inFlight_bytes > this.#charged_bytes) budget.reserveMemory(size);
    const block = pool.acquire(size);
    this.#blocks.push(block);
    this.#charged_bytes += block.memory.length;
    budget.inFlight_bytes += block.memory.length;
    return block;
  }
}
