// What one commit will write: blocks filled with frames by consecutive appends. Each shard has two, the active one that
// takes appends and the passive one that is on its way to the disk. Invariant: a batch stands in one chain, hence in
// one commit, and in one frame unless it is larger than a frame.

import type { Block, BlockPool } from './block_pool.ts';
import {
  ENTRY_OVERHEAD_MAX_BYTES,
  FLAG_CONTINUED,
  FLAG_CONTINUES,
  FRAME_BODY_TARGET_BYTES,
  FRAME_ENTRIES_MAX,
  FRAME_HEADER_BYTES,
  sealFrame,
  writeVarint,
} from './frame.ts';
import type { FrameKey } from './frame_key.ts';

const BLOCK_FIRST_BYTES = 64 * 1024;
const BLOCK_MAX_BYTES = 4 * 1024 * 1024;

export class Chain {
  readonly blocks: Block[] = [];
  /** Offset of the first entry, and the one behind the last. */
  first = 0;
  end = 0;
  /** Bytes of all frames, headers included. */
  bytes = 0;
  firstTimestamp = 0;
  lastTimestamp = 0;
  readonly #pool: BlockPool;
  readonly #epoch: number;
  readonly #key: FrameKey;
  #watermark = 0;
  #block: Block | undefined;
  #frameOpen = false;
  #frameAt = 0;
  #frameBase = 0;
  #frameTimestamp = 0;
  #frameFlags = 0;
  #at = 0;
  /** What the last commit needed: the next one will need about as much. */
  #expected_bytes = BLOCK_FIRST_BYTES;

  constructor(pool: BlockPool, epoch: number, key: FrameKey) {
    this.#pool = pool;
    this.#epoch = epoch;
    this.#key = key;
  }

  get empty(): boolean {
    return this.first === this.end;
  }

  /** Empties the chain; its first entry will have the offset `first`. The blocks are the caller's by now. */
  reset(first: number): void {
    this.blocks.length = 0;
    this.first = first;
    this.end = first;
    this.bytes = 0;
    this.#block = undefined;
    this.#frameOpen = false;
  }

  /** Appends one batch of `bytes` in all; the caller has checked sizes and budget. `watermark`: everything below it is durable. */
  appendBatch(
    entries: readonly Uint8Array[],
    timestamp: number,
    watermark: number,
    bytes: number = bytesOf(entries),
  ): void {
    this.#begin(bytes + entries.length * ENTRY_OVERHEAD_MAX_BYTES, timestamp, watermark);
    for (let index = 0; index < entries.length; ) {
      this.#reserve(entries[index]!.length, timestamp, index > 0);
      index = this.#fillFrame(entries, index, timestamp);
    }
  }

  /** Appends one entry given in parts, without joining them first. */
  appendParts(parts: readonly Uint8Array[], bytes: number, timestamp: number, watermark: number): void {
    this.#begin(bytes + ENTRY_OVERHEAD_MAX_BYTES, timestamp, watermark);
    this.#reserve(bytes, timestamp, false);
    this.#entryHeader(bytes, timestamp);
    for (const part of parts) this.#copy(part);
    this.#entryEnd();
  }

  /** Seals the last frame: afterwards the blocks hold nothing but whole frames. */
  seal(): void {
    if (this.#frameOpen) this.#sealFrame(0);
    this.#expected_bytes = Math.max(BLOCK_FIRST_BYTES, Math.min(this.bytes, BLOCK_MAX_BYTES));
  }

  #begin(total: number, timestamp: number, watermark: number): void {
    this.#watermark = watermark;
    if (this.empty) this.firstTimestamp = timestamp;
    // A batch that fits one frame is never split: it begins a new frame, in a new block if need be.
    if (this.#frameOpen) {
      const tooMuch = this.#frameBody() + total > FRAME_BODY_TARGET_BYTES;
      if (!tooMuch && this.#at + total <= this.#block!.memory.length) return;
      this.#sealFrame(0);
    }
    const wanted = FRAME_HEADER_BYTES + Math.min(total, FRAME_BODY_TARGET_BYTES);
    if (this.#room() < wanted) this.#addBlock(wanted);
  }

  /** Makes sure that a frame is open with room for an entry of `bytes`. */
  #reserve(bytes: number, timestamp: number, inBatch: boolean): void {
    const need = bytes + ENTRY_OVERHEAD_MAX_BYTES;
    if (this.#frameOpen) {
      const count = this.end - this.#frameBase;
      const full = this.#frameBody() + need > FRAME_BODY_TARGET_BYTES || count === FRAME_ENTRIES_MAX;
      if (!full && this.#at + need <= this.#block!.memory.length) return;
      this.#sealFrame(inBatch ? FLAG_CONTINUES : 0);
    }
    if (this.#room() < FRAME_HEADER_BYTES + need) this.#addBlock(FRAME_HEADER_BYTES + need);
    this.#frameOpen = true;
    this.#frameAt = this.#at;
    this.#frameBase = this.end;
    this.#frameTimestamp = timestamp;
    this.#frameFlags = inBatch ? FLAG_CONTINUED : 0;
    this.#at += FRAME_HEADER_BYTES;
  }

  /**
   * Copies entries from `from` on into the open frame until the next one would not fit; there is room for the first.
   * Returns the index behind the last. What can be known once is kept out of the loop: it runs for every entry there is.
   */
  #fillFrame(entries: readonly Uint8Array[], from: number, timestamp: number): number {
    const memory = this.#block!.memory;
    const frameLimit = this.#frameAt + FRAME_HEADER_BYTES + FRAME_BODY_TARGET_BYTES;
    const limit = Math.min(frameLimit, memory.length) - ENTRY_OVERHEAD_MAX_BYTES;
    const behind = Math.min(entries.length, from + FRAME_ENTRIES_MAX - (this.end - this.#frameBase));
    const delta_ms = this.#delta_ms(timestamp);
    let at = this.#at;
    let index = from;
    let entry = entries[from]!;
    for (;;) {
      at = writeVarint(memory, at, entry.length);
      at = writeVarint(memory, at, delta_ms);
      memory.set(entry, at);
      at += entry.length;
      index += 1;
      if (index >= behind) break;
      entry = entries[index]!;
      if (at + entry.length > limit) break;
    }
    this.#at = at;
    this.end += index - from;
    this.lastTimestamp = timestamp;
    return index;
  }

  /** The wall clock may jump either way; a delta says at least that the order was this. */
  #delta_ms(timestamp: number): number {
    return Math.min(0xffffffff, Math.max(0, timestamp - this.#frameTimestamp));
  }

  #room(): number {
    return this.#block ? this.#block.memory.length - this.#at : 0;
  }

  #addBlock(need: number): void {
    const wanted =
      this.blocks.length === 0 ? this.#expected_bytes : Math.min(2 * this.bytes, BLOCK_MAX_BYTES);
    this.#block = this.#pool.acquire(Math.max(need, wanted));
    this.blocks.push(this.#block);
    this.#at = 0;
  }

  #entryHeader(bytes: number, timestamp: number): void {
    const memory = this.#block!.memory;
    let at = writeVarint(memory, this.#at, bytes);
    at = writeVarint(memory, at, this.#delta_ms(timestamp));
    this.#at = at;
    this.lastTimestamp = timestamp;
  }

  #copy(bytes: Uint8Array): void {
    this.#block!.memory.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  #entryEnd(): void {
    this.end += 1;
  }

  #frameBody(): number {
    return this.#at - this.#frameAt - FRAME_HEADER_BYTES;
  }

  #sealFrame(flags: number): void {
    sealFrame(
      this.#block!.memory,
      this.#frameAt,
      this.#frameFlags | flags,
      this.#frameBody(),
      this.#frameBase,
      this.end - this.#frameBase,
      this.#frameTimestamp,
      this.#epoch,
      this.#watermark,
      this.#key,
    );
    this.bytes += this.#at - this.#frameAt;
    this.#block!.used = this.#at;
    this.#frameOpen = false;
  }
}

function bytesOf(entries: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const entry of entries) bytes += entry.length;
  return bytes;
}
