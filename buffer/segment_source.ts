// The file of a segment as a reader has it: through the page cache, or past it in whole blocks, with a read-ahead of one
// piece of memory in place of the kernel's. Invariants: the bytes at a position are the same either way, and a file that
// refuses direct reads is gone on with through the page cache; nothing is given that was read from another place.

import type { DirectMemory, PieceKeeper } from './direct_memory.ts';
import { AlignedMemoryUnavailable } from './pool/errors.ts';
import { DIRECT_BLOCK_BYTES, type File, refusesDirect } from './ports/file_system.ts';

/** Pieces that no read-ahead takes: a read that somebody waits for finds one. */
const PIECES_LEFT = 2;

export interface SegmentSource {
  /** As that of a file: it may give less than was asked for, and nothing at the end of the file only. */
  read(into: Buffer, position: number): Promise<number>;
  /** Gives back the memory of the read-ahead: the reader has caught up, or goes elsewhere. */
  rest(): void;
  close(): Promise<void>;
}

/** Through the page cache; the kernel reads ahead. */
export class CachedSource implements SegmentSource {
  readonly #file: File;

  constructor(file: File) {
    this.#file = file;
  }

  read(into: Buffer, position: number): Promise<number> {
    return this.#file.read(into, position);
  }

  rest(): void {}

  close(): Promise<void> {
    return this.#file.close();
  }
}

/** What is being read, or was, and nobody asked for yet. */
interface Ahead {
  readonly piece: Buffer;
  /** File position of the piece's first byte. */
  readonly from: number;
  /** How many bytes there are: none where the read failed. */
  readonly read: Promise<number>;
}

export class DirectSource implements SegmentSource, PieceKeeper {
  #file: File;
  readonly #memory: DirectMemory;
  readonly #end: number;
  readonly #openCached: () => Promise<File>;
  #direct = true;
  /** Behind the last byte that was given: a reader that goes on there is read ahead for. */
  #next = -1;
  /** Not while a read looks at it: others may have its memory asked back at any time. */
  #ahead: Ahead | undefined;
  /** Of a read-ahead that nobody wants any more. */
  #ending: Promise<void> = Promise.resolve();

  /**
   * @param end of the segment: nothing behind it is read ahead
   * @param openCached opens the same file to be read through the page cache
   */
  constructor(file: File, memory: DirectMemory, end: number, openCached: () => Promise<File>) {
    this.#file = file;
    this.#memory = memory;
    this.#end = end;
    this.#openCached = openCached;
  }

  /** Not to be called before the last call has settled. */
  async read(into: Buffer, position: number): Promise<number> {
    if (this.#direct) {
      const read = await this.#readDirect(into, position);
      if (read !== undefined) return read;
      await this.#giveUp();
    }
    return this.#file.read(into, position);
  }

  rest(): void {
    const ahead = this.#takeUp();
    if (ahead) this.#drop(ahead);
  }

  #drop(ahead: Ahead): void {
    const before = this.#ending;
    this.#ending = ahead.read.then(() => {
      this.#memory.give(ahead.piece);
      return before;
    });
  }

  async close(): Promise<void> {
    this.rest();
    await this.#ending;
    await this.#file.close();
  }

  /** Undefined where the file does not take it. @throws what else the disk says */
  async #readDirect(into: Buffer, position: number): Promise<number | undefined> {
    const goesOn = position === this.#next;
    const ready = await this.#takeAhead(into, position);
    if (ready > 0) return ready;
    try {
      const read = await this.#memory.lend((piece) => this.#readBlocks(piece, into, position));
      if (!read) return read;
      this.#next = position + read;
      if (goesOn) this.#begin(this.#memory.spare(PIECES_LEFT), into.length);
      return read;
    } catch (error) {
      if (refusesDirect(error) || error instanceof AlignedMemoryUnavailable) return undefined;
      throw error;
    }
  }

  /** Undefined where it ended before the position: whether the file does too, only a read of bytes can tell. */
  async #readBlocks(piece: Buffer, into: Buffer, position: number): Promise<number | undefined> {
    const from = wholeBlocks(position);
    const length = Math.min(piece.length, blocksOver(position + into.length - from));
    const read = await this.#file.read(piece.subarray(0, length), from);
    if (read === 0) return 0;
    return from + read > position ? piece.copy(into, 0, position - from, read) : undefined;
  }

  /** What the read-ahead has of it; 0 where there is none. */
  async #takeAhead(into: Buffer, position: number): Promise<number> {
    const ahead = this.#takeUp();
    if (!ahead) return 0;
    const there = position >= ahead.from ? ahead.from + (await ahead.read) - position : 0;
    if (there <= 0) {
      this.#drop(ahead);
      return 0;
    }
    const read = ahead.piece.copy(into, 0, position - ahead.from, position - ahead.from + there);
    this.#next = position + read;
    // Where it does not suffice, what is missing is read at once, and read ahead behind that.
    if (read < into.length) this.#drop(ahead);
    else if (read === there) this.#begin(ahead.piece, into.length);
    else this.#putAside(ahead);
    return read;
  }

  /** Reads on in the piece that is given, unless the segment ends here: as much as was asked for, so that the next read finds all. */
  #begin(piece: Buffer | undefined, bytes: number): void {
    if (!piece) return;
    if (this.#next >= this.#end) {
      this.#memory.give(piece);
      return;
    }
    const from = wholeBlocks(this.#next);
    const length = Math.min(piece.length, blocksOver(Math.min(this.#next + bytes, this.#end) - from));
    // Whoever needs the bytes asks again, and is told why there are none.
    const read = this.#file.read(piece.subarray(0, length), from).catch(() => 0);
    this.#putAside({ piece, from, read });
  }

  #putAside(ahead: Ahead): void {
    this.#ahead = ahead;
    this.#memory.kept(this);
  }

  #takeUp(): Ahead | undefined {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    if (ahead) this.#memory.unkept(this);
    return ahead;
  }

  async #giveUp(): Promise<void> {
    this.rest();
    await this.#ending;
    const cached = await this.#openCached();
    const direct = this.#file;
    this.#file = cached;
    this.#direct = false;
    await direct.close().catch(() => {});
  }
}

/** The last border of blocks at or before `position`. */
export function wholeBlocks(position: number): number {
  return position - (position % DIRECT_BLOCK_BYTES);
}

function blocksOver(bytes: number): number {
  return wholeBlocks(bytes + DIRECT_BLOCK_BYTES - 1);
}
