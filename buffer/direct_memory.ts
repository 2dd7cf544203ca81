// The page-aligned pieces of memory that shards of a log share on their way past the page cache. Invariants: a piece is lent
// to one holder at a time; there are few of them, and who finds none waits; what is kept for later is with those who use it.

import type { FileSystem } from './ports/file_system.ts';

/** So many shards commit at a time: beyond, a disk takes no more for being asked by more. */
const PIECES_MAX = 4;
/** Who has not come back while others came for pieces so many times each may have to give back what it keeps. */
const ROUNDS_AWAY_MAX = 8;

/** Who keeps a piece for later. */
export interface PieceKeeper {
  /** Gives the piece back, at once or as soon as nothing is read into it. */
  rest(): void;
}

export class DirectMemory {
  readonly #fileSystem: Pick<FileSystem, 'directMemory'>;
  readonly #pieces_max: number;
  readonly #free: Buffer[] = [];
  readonly #waiting: ((piece: Buffer) => void)[] = [];
  /** Each with the number of uses until its last one; the first is who has been away the longest. */
  readonly #keepers = new Map<PieceKeeper, number>();
  #uses = 0;
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

  /**
   * A piece to be kept for a while, unless fewer than `left` would then be left for others; then whoever has been away for long
   * gives his back, for the next one who asks. `give` takes it back.
   */
  spare(left: number): Buffer | undefined {
    if (this.#free.length + this.#pieces_max - this.#made > left) return this.#free.pop() ?? this.#another();
    this.#uses += 1;
    for (const [keeper, use] of this.#keepers) {
      if (this.#uses - use > ROUNDS_AWAY_MAX * this.#pieces_max) keeper.rest();
      break;
    }
    return undefined;
  }

  /** To be told each time a piece is put aside, ... */
  kept(keeper: PieceKeeper): void {
    this.#uses += 1;
    this.#keepers.set(keeper, this.#uses);
  }

  /** ... and each time it is used again: until it is put aside once more nobody is asked for it. */
  unkept(keeper: PieceKeeper): void {
    this.#keepers.delete(keeper);
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
