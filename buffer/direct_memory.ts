// The page-aligned pieces of memory that shards of a log share on their way past the page cache. Invariants: a piece is lent
// to one holder at a time; there are few of them, and who finds none waits.

import type { FileSystem } from './ports/file_system.ts';

/** So many shards commit at a time: beyond, a disk takes no more for being asked by more. */
const PIECES_MAX = 4;

export class DirectMemory {
  readonly #fileSystem: Pick<FileSystem, 'directMemory'>;
  readonly #pieces_max: number;
  readonly #free: Buffer[] = [];
  readonly #waiting: ((piece: Buffer) => void)[] = [];
  #made = 0;

  constructor(fileSystem: Pick<FileSystem, 'directMemory'>, pieces_max = PIECES_MAX) {
    this.#fileSystem = fileSystem;
    this.#pieces_max = pieces_max;
  }

  /** @throws what the file system says where it has no such memory */
  async lend<T>(work: (piece: Buffer) => Promise<T>): Promise<T> {
    const piece = this.#free.pop() ?? this.#another() ?? (await this.#wait());
    try {
      return await work(piece);
    } finally {
      this.give(piece);
    }
  }

  /** A piece to be kept for a while, unless fewer than `left` would then be left for others. `give` takes it back. */
  spare(left: number): Buffer | undefined {
    if (this.#free.length + this.#pieces_max - this.#made <= left) return undefined;
    return this.#free.pop() ?? this.#another();
  }

  give(piece: Buffer): void {
    const next = this.#waiting.shift();
    if (next) next(piece);
    else this.#free.push(piece);
  }

  #another(): Buffer | undefined {
    if (this.#made === this.#pieces_max) return undefined;
    const piece = this.#fileSystem.directMemory();
    this.#made += 1;
    return piece;
  }

  #wait(): Promise<Buffer> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
