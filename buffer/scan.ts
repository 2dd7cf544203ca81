// Finding frames in a file: a window of the file in memory, and the search for the next valid frame behind damage.
// Invariant: a frame is handed on only after header and body checksums held.

import type { Block, BlockPool } from './block_pool.ts';
import { NewerFormat } from './errors.ts';
import {
  bodyMatches,
  FRAME_HEADER_BYTES,
  FRAME_VERSION,
  type FrameHeader,
  findMagic,
  newerFrame,
  readFrameHeader,
} from './frame.ts';
import type { FrameKey } from './frame_key.ts';
import type { File } from './ports/file_system.ts';
import { wholeBlocks } from './segment_source.ts';
import { readFully } from './whole_io.ts';

export const WINDOW_BYTES = 1024 * 1024;
/** Of a window that moves on: the rest is room for the frame in which the last one ended. One length keeps read-ahead in step. */
export const READ_BYTES = 768 * 1024;

/** A part of a file in memory. The block is leased: whoever keeps views of it retains it. */
export class Window {
  block: Block | undefined;
  /** File position of the first byte, and how many there are. */
  start = 0;
  length = 0;
  /** Under which the frames of this file were sealed. */
  readonly key: FrameKey;
  /** Of the file that is shown: for errors. */
  path: string;
  readonly #pool: BlockPool;

  constructor(pool: BlockPool, key: FrameKey, path = '') {
    this.key = key;
    this.path = path;
    this.#pool = pool;
  }

  /** Bytes at hand from file position `position` on. */
  available(position: number): number {
    if (!this.block || position < this.start) return 0;
    return Math.max(0, this.start + this.length - position);
  }

  /** Shows bytes that are in memory already, such as a block of the hot tail. */
  show(block: Block, start: number): void {
    this.release();
    block.retain();
    this.block = block;
    this.start = start;
    this.length = block.used;
  }

  /**
   * Moves on to `position`, up to `end`: at least `need` bytes where the file has them. What is at hand of that is kept, so a
   * file that is read from its beginning is asked for each byte once, and in whole blocks.
   */
  async load(file: Pick<File, 'read'>, position: number, end: number, need = 0): Promise<void> {
    const there = this.available(position);
    const goal = wholeBlocks(position + Math.min(there + READ_BYTES, WINDOW_BYTES));
    const to = Math.min(end, Math.max(position + need, goal));
    const kept = Math.min(there, to - position);
    const block = this.#pool.acquire(to - position);
    const from = position - this.start;
    if (kept > 0) this.block!.memory.copy(block.memory, 0, from, from + kept);
    this.release();
    try {
      const rest = block.memory.subarray(kept, to - position);
      block.used = kept + (await readFully(file, rest, position + kept));
    } catch (error) {
      block.release();
      throw error;
    }
    this.block = block;
    this.start = position;
    this.length = block.used;
  }

  release(): void {
    this.block?.release();
    this.block = undefined;
    this.length = 0;
  }
}

/** A file that is scanned up to `end` bytes. */
export interface ScannedFile {
  readonly file: Pick<File, 'read'>;
  readonly end: number;
}

/** Header of the frame at `position` if it is intact, loading what is missing of header and body into the window. */
export async function loadFrame(
  window: Window,
  from: ScannedFile,
  position: number,
): Promise<{ header: FrameHeader | undefined; bodyIntact: boolean }> {
  if (window.available(position) < FRAME_HEADER_BYTES) await window.load(from.file, position, from.end);
  const header = frameAt(window, position);
  if (!header || position + FRAME_HEADER_BYTES + header.bodyBytes > from.end) {
    return { header: undefined, bodyIntact: false };
  }
  const need = FRAME_HEADER_BYTES + header.bodyBytes;
  if (window.available(position) < need) await window.load(from.file, position, from.end, need);
  return { header, bodyIntact: bodyIntact(window, position, header) };
}

/**
 * The header at file position `position` if the window holds it and it checks out.
 * @throws NewerFormat for one that only a newer program understands: it is no damage, and nothing may be done about it
 */
export function frameAt(window: Window, position: number): FrameHeader | undefined {
  if (window.available(position) < FRAME_HEADER_BYTES) return undefined;
  const memory = window.block!.memory.subarray(0, window.length);
  const at = position - window.start;
  const header = readFrameHeader(memory, at, window.key);
  if (header) return header;
  const newer = newerFrame(memory, at, window.key);
  if (newer !== undefined) throw new NewerFormat(window.path, newer, FRAME_VERSION);
  return undefined;
}

export function bodyIntact(window: Window, position: number, header: FrameHeader): boolean {
  if (window.available(position) < FRAME_HEADER_BYTES + header.bodyBytes) return false;
  return bodyMatches(window.block!.memory, position - window.start + FRAME_HEADER_BYTES, header);
}

/**
 * Position of the first intact frame at or after `position` whose offsets lie within [minOffset, maxOffset], or undefined.
 * Leaves the window wherever the search ended.
 */
export async function findNextFrame(
  window: Window,
  from: ScannedFile,
  position: number,
  minOffset: number,
  maxOffset: number,
): Promise<number | undefined> {
  let at = position;
  while (at + FRAME_HEADER_BYTES <= from.end) {
    if (window.available(at) < FRAME_HEADER_BYTES) {
      await window.load(from.file, at, from.end);
      if (window.available(at) < FRAME_HEADER_BYTES) return undefined;
    }
    const memory = window.block!.memory.subarray(0, window.length);
    const found = findMagic(memory, at - window.start);
    if (found === -1) {
      at = window.start + Math.max(at - window.start + 1, window.length - 1);
      continue;
    }
    at = window.start + found;
    if (window.available(at) < FRAME_HEADER_BYTES) continue;
    const header = frameAt(window, at);
    if (header && header.baseOffset >= minOffset && header.baseOffset + header.count <= maxOffset) {
      const frame = await loadFrame(window, from, at);
      if (frame.bodyIntact) return at;
    }
    at += 1;
  }
  return undefined;
}
