// A place in the frames of one shard: where the next entry stands, in which file, and which of its bytes are in memory. It
// holds its file position, so an entry costs the same at any length of backlog. Invariants: it gives nothing at or above the
// high watermark, nothing whose checksum failed, and nothing that was never durable.

import {
  ENTRY_OVERHEAD_MAX_BYTES,
  EntryCursor,
  FRAME_HEADER_BYTES,
  type FrameHeader,
  headerFields,
  isPacked,
} from './frame.ts';
import { invariant } from './invariant.ts';
import type { LeasedBatch } from './leased_batch.ts';
import { errorCode } from './ports/file_system.ts';
import { ReadAhead } from './read_ahead.ts';
import { bodyIntact, findNextFrame, frameAt, Window } from './scan.ts';
import type { Segment } from './segment.ts';
import type { SegmentSource } from './segment_source.ts';
import type { Shard } from './shard.ts';

const NO_BODY = Buffer.alloc(0);
const TOO_FAR = 'a frame in memory holds more than was published';

export class FrameCursor {
  readonly #shard: Shard;
  readonly #window: Window;
  /** Offset of the next entry to hand out. */
  #offset: number;
  #segment: Segment | undefined;
  #file: SegmentSource | undefined;
  #fileBase = -1;
  /** File position of the next frame within the segment, and the least offset that may stand there. */
  #position = 0;
  #passed = 0;
  /** The frame whose entries are being handed out. */
  #frame: FrameHeader | undefined;
  /** Where its body stands: in the window's block, or in a copy of ours, or decompressed. */
  #body: Buffer = NO_BODY;
  #bodyAt = 0;
  readonly #entries = new EntryCursor();
  #entryOffset = 0;
  #entryWaiting = false;
  /** Whether the window shows a block of the hot tail: what was just written needs no checksum. */
  #hot = false;
  /** The frame at the position, where it is intact and compressed: it takes a promise to open it. */
  #packed: FrameHeader | undefined;
  readonly #ahead: ReadAhead;

  constructor(shard: Shard, offset: number) {
    this.#shard = shard;
    this.#offset = offset;
    this.#window = new Window(shard.parts.pool, shard.ledger.key);
    this.#ahead = new ReadAhead(shard.parts.codec);
  }

  /** Of the next entry. */
  get offset(): number {
    return this.#offset;
  }

  moveTo(offset: number): void {
    this.#offset = offset;
    this.#segment = undefined;
    this.#frame = undefined;
    this.#entryWaiting = false;
    this.#packed = undefined;
    this.#ahead.clear();
    this.rest();
  }

  /** Gives back the memory that it looks into; the next entry is found again. */
  rest(): void {
    this.#window.release();
    this.#file?.rest();
  }

  close(): void {
    this.#window.release();
    void this.#closeFile();
  }

  /**
   * Adds entries from the offset on until the batch is full or the high watermark is reached.
   * @param safe_bytes entries up to so large are copied out of pooled memory; 0: none.
   * @throws what the disk said; what was added until then stays in the batch
   */
  async fill(batch: LeasedBatch, maxBytes: number, maxEntries: number, safe_bytes: number): Promise<void> {
    if (this.#offset < this.#shard.logStart) this.moveTo(this.#shard.logStart);
    while (batch.length < maxEntries) {
      if (!this.#frame) {
        if (this.#offset >= this.#shard.highWatermark) return;
        const opened = this.#openSync() || (await this.#openNext());
        if (!opened) continue;
      }
      if (safe_bytes > 0) this.#copyBody(safe_bytes);
      if (this.#body === this.#window.block?.memory) batch.keep(this.#window.block);
      if (!this.#take(batch, maxBytes, maxEntries)) return;
    }
  }

  /** Copies the frame's body in one piece, unless it is one entry above the limit or a copy already. */
  #copyBody(safe_bytes: number): void {
    const { bodyBytes, count } = this.#frame!;
    const large = count === 1 && bodyBytes > safe_bytes + ENTRY_OVERHEAD_MAX_BYTES;
    if (large || this.#body !== this.#window.block?.memory) return;
    const at = this.#bodyAt;
    const copy = Buffer.allocUnsafe(bodyBytes);
    this.#body.copy(copy, 0, at, at + bodyBytes);
    this.#entries.move(copy, at);
    this.#body = copy;
  }

  /** Moves entries of the current frame into the batch; false when the batch is full. */
  #take(batch: LeasedBatch, maxBytes: number, maxEntries: number): boolean {
    const frame = this.#frame!;
    const memory = this.#body;
    for (;;) {
      if (!this.#entryWaiting) {
        if (!this.#entries.next()) break;
        this.#entryWaiting = true;
      }
      const { start, end } = this.#entries;
      if (this.#entryOffset >= this.#offset) {
        const bytes = end - start;
        const full = batch.length >= maxEntries || batch.bytes + bytes > maxBytes;
        if (full && batch.length > 0) return false;
        const timestamp = frame.timestamp + this.#entries.timeDelta_ms;
        batch.add(memory.subarray(start, end), this.#entryOffset, timestamp);
      }
      this.#entryWaiting = false;
      this.#entryOffset += 1;
    }
    this.#offset = Math.max(this.#offset, frame.baseOffset + frame.count);
    batch.next = this.#offset;
    this.#frame = undefined;
    return true;
  }

  /** Opens the frame at the position if the window or the hot tail holds it: the common case, without a promise. */
  #openSync(): boolean {
    const segment = this.#segment;
    if (!segment || this.#position >= segment.bytes) return false;
    if (this.#window.available(this.#position) < FRAME_HEADER_BYTES) {
      const hot = this.#shard.hotTail.find(segment.base, this.#position);
      if (!hot) return false;
      this.#window.show(hot.block, hot.position);
      this.#hot = true;
    }
    const header = this.#hot ? this.#hotHeader() : frameAt(this.#window, this.#position);
    if (!header) return false;
    const length = FRAME_HEADER_BYTES + header.bodyBytes;
    if (this.#window.available(this.#position) < length) return false;
    const ahead = this.#ahead.take(this.#position);
    if (ahead) return this.#enter(header, ahead);
    if (this.#hot) invariant(header.baseOffset + header.count <= segment.end, this.#shard.id, TOO_FAR);
    else if (!this.#isWhole(header, segment)) return false;
    if (isPacked(header)) {
      const unpacked = this.#window.block!.unpacked?.get(this.#position - this.#window.start);
      if (unpacked) return this.#enter(header, unpacked);
      this.#packed = header;
      return false;
    }
    return this.#enter(header);
  }

  /** What is not durable yet, or was copied there from elsewhere, is not this segment's, whatever its checksums say. */
  #isWhole(header: FrameHeader, segment: Segment): boolean {
    const end = header.baseOffset + header.count;
    return end <= segment.end && bodyIntact(this.#window, this.#position, header);
  }

  /** Of a frame that this process wrote: what stands in its memory needs no checksum. */
  #hotHeader(): FrameHeader {
    const { block, key, start } = this.#window;
    return headerFields(block!.memory, this.#position - start, key);
  }

  /** Begins with the frame unless all of it is to be skipped; false then, with the position moved behind it. */
  #enter(header: FrameHeader, unpacked?: Buffer): boolean {
    const at = this.#position;
    this.#position = at + FRAME_HEADER_BYTES + header.bodyBytes;
    const end = header.baseOffset + header.count;
    this.#passed = end;
    if (header.baseOffset > this.#offset) this.#gap(header, at);
    const range = this.#shard.ledger.ranges.at(header.baseOffset);
    // Below the log start nobody remembers any more which frames were refused.
    if (end <= Math.max(this.#offset, this.#shard.logStart) || range) {
      this.#offset = Math.max(this.#offset, end);
      return false;
    }
    this.#frame = header;
    this.#entryOffset = header.baseOffset;
    this.#entryWaiting = false;
    this.#body = unpacked ?? this.#window.block!.memory;
    this.#bodyAt = unpacked ? 0 : at - this.#window.start + FRAME_HEADER_BYTES;
    this.#entries.open(this.#body, this.#bodyAt, unpacked?.length ?? header.bodyBytes);
    return true;
  }

  /** Begins with a compressed frame, which the window holds and whose checksum held. */
  async #enterPacked(header: FrameHeader): Promise<boolean> {
    this.#packed = undefined;
    const end = header.baseOffset + header.count;
    if (end <= this.#offset) return this.#enter(header);
    const unpacked = await this.#ahead.unpack(this.#window, this.#position, header);
    if (unpacked) return this.#enter(header, unpacked);
    // The checksum held, so this is what was written, and yet nothing that can be read.
    const bytes = FRAME_HEADER_BYTES + header.bodyBytes;
    this.#shard.found({ position: this.#position, bytes, from: this.#offset, to: end });
    this.#position += bytes;
    this.#passed = end;
    this.#offset = end;
    return false;
  }

  /** Offsets before this frame that hold no entry: counted unless they are known. */
  #gap(header: FrameHeader, position: number): void {
    this.#shard.found({ position, bytes: 0, from: this.#offset, to: header.baseOffset });
    this.#offset = header.baseOffset;
  }

  /** A file that is gone while its descriptor is closed to make room is looked for again: retention took it, or it is damage. */
  async #openNext(): Promise<boolean> {
    try {
      return await this.#openFrame();
    } catch (error) {
      if (!this.#file || errorCode(error) !== 'ENOENT') throw error;
      await this.#closeFile();
      this.moveTo(Math.max(this.#offset, this.#shard.logStart));
      return false;
    }
  }

  /** Finds the next frame wherever it is: another segment, another window, or behind damage. */
  async #openFrame(): Promise<boolean> {
    if (this.#packed) return this.#enterPacked(this.#packed);
    const segment = await this.#locate();
    if (!segment) return false;
    const file = await this.#open(segment);
    if (!file) return false;
    const from = { file, end: segment.bytes };
    this.#hot = false;
    if (this.#window.available(this.#position) < FRAME_HEADER_BYTES) {
      await this.#window.load(file, this.#position, from.end);
    }
    let header = frameAt(this.#window, this.#position);
    if (header) {
      const length = FRAME_HEADER_BYTES + header.bodyBytes;
      if (this.#position + length > from.end) header = undefined;
      else if (this.#window.available(this.#position) < length) {
        await this.#window.load(file, this.#position, from.end, length);
      }
    }
    if (header && this.#isWhole(header, segment)) {
      return isPacked(header) ? this.#enterPacked(header) : this.#enter(header);
    }
    const next = header ? this.#position + FRAME_HEADER_BYTES + header.bodyBytes : this.#position + 1;
    await this.#skipDamage(segment, from.file, next);
    return false;
  }

  async #skipDamage(segment: Segment, file: SegmentSource, searchFrom: number): Promise<void> {
    const from = { file, end: segment.bytes };
    const found = await findNextFrame(this.#window, from, searchFrom, this.#passed, segment.end);
    if (found !== undefined) {
      // The frame that was found says by its base which offsets are missing.
      this.#position = found;
      return;
    }
    const damage = {
      position: this.#position,
      bytes: segment.bytes - this.#position,
      from: this.#offset,
      to: segment.end,
    };
    this.#shard.found(damage);
    this.#position = segment.bytes;
    this.#offset = Math.max(this.#offset, segment.end);
  }

  /** The segment to read from, with the position set; undefined when the offset had to be moved first. */
  async #locate(): Promise<Segment | undefined> {
    if (this.#offset < this.#shard.logStart) {
      this.moveTo(this.#shard.logStart);
      return undefined;
    }
    let segment = this.#segment;
    if (segment && this.#position < segment.bytes) return segment;
    segment = this.#shard.segmentAt(this.#offset);
    if (!segment) {
      this.#offset = this.#shard.highWatermark;
      return undefined;
    }
    if (segment === this.#segment) {
      // All its bytes are read and yet it should hold more: what is missing at its end is damage.
      const damage = { position: segment.bytes, bytes: 0, from: this.#offset, to: segment.end };
      this.#shard.found(damage);
      this.#offset = segment.end;
      return undefined;
    }
    this.#window.release();
    this.#ahead.clear();
    this.#window.path = this.#shard.segmentPath(segment);
    this.#segment = segment;
    const point = segment.pointBefore(Math.max(this.#offset, segment.base));
    this.#position = point.position;
    // The frame that holds the reader's offset may begin before it, so a search behind damage begins there too.
    this.#passed = point.offset;
    return this.#openSync() || this.#packed ? undefined : segment;
  }

  async #open(segment: Segment): Promise<SegmentSource | undefined> {
    if (this.#file && this.#fileBase === segment.base) return this.#file;
    await this.#closeFile();
    try {
      this.#file = await this.#shard.openToRead(segment);
      this.#fileBase = segment.base;
      return this.#file;
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
      if (segment.end > this.#shard.logStart) {
        const damage = { position: 0, bytes: segment.bytes, from: this.#offset, to: segment.end };
        this.#shard.found(damage);
      }
      this.#segment = undefined;
      this.#offset = Math.max(this.#offset, segment.end);
      return undefined;
    }
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close().catch(() => {});
  }
}
