// The page-aligned pieces of memory that commits of all shards of a log share on their way past the page cache. Invariants:
// a piece is lent to one commit at a time; there are few of them, and who finds none waits.

import type { FileSystem } from './ports/file_system.ts';

/** So many shards commit at a time: beyond, a disk takes no more for being asked by more. */
const PIECES_MAX = 4;

export class DirectMemory {
  readonly #fileSystem: Pick<FileSystem, 'directMemory'>;
  readonly #free: Buffer[] = [];
  readonly #waiting: ((piece: Buffer) => void)[] = [];
  #made = 0;

  constructor(fileSystem: Pick<FileSystem, 'directMemory'>) {
    this.#fileSystem = fileSystem;
  }

  /** @throws what the file system says where it has no such memory */
  async lend<T>(work: (piece: Buffer) => Promise<T>): Promise<T> {
    const piece = this.#free.pop() ?? this.#another() ?? (await this.#wait());
    try {
      return await work(piece);
    } finally {
      const next = this.#waiting.shift();
      if (next) next(piece);
      else this.#free.push(piece);
    }
  }

  #another(): Buffer | undefined {
    if (this.#made === PIECES_MAX) return undefined;
    const piece = this.#fileSystem.directMemory();
    this.#made += 1;
    return piece;
  }

  #wait(): Promise<Buffer> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
