// Reads one segment from its first byte and says what it holds. Changes nothing itself, so running it again gives the
// same answer. Invariant: no intact frame is thrown away but the pieces of a batch that was never complete and never
// promised; only a tail above every known watermark is given up.

import type { BlockPool } from './block_pool.ts';
import { FLAG_CONTINUED, FLAG_CONTINUES, FRAME_HEADER_BYTES, type FrameHeader } from './frame.ts';
import type { FrameKey } from './frame_key.ts';
import type { File } from './ports/file_system.ts';
import type { OffsetRange, RangeKind } from './ranges.ts';
import { findNextFrame, loadFrame, Window } from './scan.ts';
import { INDEX_INTERVAL_BYTES, Segment } from './segment.ts';

export interface DamagedBytes {
  readonly position: number;
  readonly bytes: number;
  /** The offsets that may have stood there. */
  readonly from: number;
  readonly to: number;
}

export interface RecoveredSegment {
  /** `bytes` ends behind the last frame that counts; `end` behind its last entry. */
  readonly segment: Segment;
  /** Up to here the content is known to have been durable; what follows up to `segment.bytes` was found, no more. */
  readonly vouched_bytes: number;
  /** Bytes of the file behind `segment.bytes`: a torn tail. */
  readonly tail_bytes: number;
  readonly ranges: readonly OffsetRange[];
  readonly damaged: readonly DamagedBytes[];
}

export interface RecoveryInput {
  readonly file: File;
  /** For errors. */
  readonly path: string;
  readonly size: number;
  readonly base: number;
  /** Base of the next segment; undefined for the last one. */
  readonly nextBase: number | undefined;
  /** Everything below this offset is known to have been durable. */
  readonly watermark: number;
  readonly key: FrameKey;
  /** Between points of an index that is made anew; default 1 MiB. */
  readonly indexInterval_bytes?: number;
}

/** @throws NewerFormat, and what the disk said */
export async function recoverSegment(input: RecoveryInput, pool: BlockPool): Promise<RecoveredSegment> {
  const scan = new SegmentScan(input, pool);
  try {
    return await scan.run();
  } finally {
    scan.window.release();
  }
}

class SegmentScan {
  readonly window: Window;
  readonly #input: RecoveryInput;
  readonly #segment: Segment;
  readonly #ranges: OffsetRange[] = [];
  readonly #damaged: DamagedBytes[] = [];
  /** What is missing and what is incomplete is judged at the end: a later frame may say that it was promised. */
  readonly #holes: { from: number; to: number }[] = [];
  readonly #incomplete: { from: number; to: number }[] = [];
  #promised: number;
  /** Frames that no watermark covers so far. */
  #unvouched: { readonly offset: number; readonly position: number }[] = [];
  #position = 0;
  /** Bytes skipped since the last intact frame. */
  #skippedFrom: number | undefined;
  /** First piece of a batch that goes on in the next frame. */
  #openBatch: { offset: number; position: number } | undefined;
  /** Within a batch whose beginning is missing: its pieces are hidden. */
  #orphaned = false;

  constructor(input: RecoveryInput, pool: BlockPool) {
    this.#input = input;
    this.#segment = new Segment(input.base);
    this.#promised = input.watermark;
    this.window = new Window(pool, input.key, input.path);
  }

  async run(): Promise<RecoveredSegment> {
    const from = { file: this.#input.file, end: this.#input.size };
    const maxOffset = this.#input.nextBase ?? Number.MAX_SAFE_INTEGER;
    while (this.#position < from.end) {
      const { header, bodyIntact } = await loadFrame(this.window, from, this.#position);
      const fits =
        header !== undefined &&
        header.baseOffset >= this.#segment.end &&
        header.baseOffset + header.count <= maxOffset;
      if (fits && bodyIntact) {
        this.#take(header);
        continue;
      }
      this.#skippedFrom ??= this.#position;
      // An intact header tells where the next frame begins even if its body is damaged.
      const next = fits ? this.#position + FRAME_HEADER_BYTES + header.bodyBytes : this.#position + 1;
      const found = await findNextFrame(this.window, from, next, this.#segment.end, maxOffset);
      if (found === undefined) break;
      this.#position = found;
    }
    return this.#finish();
  }

  #take(header: FrameHeader): void {
    const segment = this.#segment;
    this.#promised = Math.max(this.#promised, header.watermark);
    this.#unvouched = this.#unvouched.filter((frame) => frame.offset >= this.#promised);
    this.#unvouched.push({ offset: header.baseOffset, position: this.#position });
    const contiguous = header.baseOffset === segment.end;
    const continued = (header.flags & FLAG_CONTINUED) !== 0;
    const continues = (header.flags & FLAG_CONTINUES) !== 0;
    if (this.#openBatch && !(contiguous && continued)) this.#hide(this.#openBatch.offset, segment.end);
    if (!contiguous) this.#hole(segment.end, header.baseOffset);
    const end = header.baseOffset + header.count;
    const orphan = continued && (this.#orphaned || !this.#openBatch || !contiguous);
    if (orphan) this.#hide(header.baseOffset, end);
    this.#orphaned = orphan && continues;
    if (!continues || orphan) this.#openBatch = undefined;
    else if (!continued) this.#openBatch = { offset: header.baseOffset, position: this.#position };
    if (segment.firstTimestamp === 0) segment.firstTimestamp = header.timestamp;
    segment.lastTimestamp = Math.max(segment.lastTimestamp, header.timestamp);
    segment.addPoint(
      header.baseOffset,
      this.#position,
      this.#input.indexInterval_bytes ?? INDEX_INTERVAL_BYTES,
    );
    segment.end = end;
    this.#position += FRAME_HEADER_BYTES + header.bodyBytes;
    segment.bytes = this.#position;
    this.#skippedFrom = undefined;
  }

  /** Offsets between two intact frames. */
  #hole(from: number, to: number): void {
    this.#holes.push({ from, to });
    if (this.#skippedFrom !== undefined) {
      this.#damaged.push({
        position: this.#skippedFrom,
        bytes: this.#position - this.#skippedFrom,
        from,
        to,
      });
    }
  }

  /** Pieces of an incomplete batch: a batch is all or nothing. */
  #hide(from: number, to: number): void {
    this.#incomplete.push({ from, to });
  }

  /** Missing offsets are lost where they were promised, else they failed; pieces are hidden unless they were promised. */
  #judge(): void {
    for (const { from, to } of this.#holes) {
      const border = Math.min(to, Math.max(from, this.#promised));
      this.#range(from, border, 'lost');
      this.#range(border, to, 'failed');
    }
    for (const { from, to } of this.#incomplete) {
      if (from >= this.#promised) this.#range(from, to, 'failed');
    }
  }

  #range(from: number, to: number, kind: RangeKind): void {
    if (from < to) this.#ranges.push({ from, to, kind });
  }

  #finish(): RecoveredSegment {
    const segment = this.#segment;
    const open = this.#openBatch;
    this.#judge();
    if (open && open.offset >= this.#promised && this.#input.nextBase === undefined) {
      segment.bytes = open.position;
      segment.end = open.offset;
    }
    const tail_bytes = this.#input.size - segment.bytes;
    const promised = Math.min(this.#promised, this.#input.nextBase ?? this.#promised);
    if (promised > segment.end) {
      this.#range(segment.end, promised, 'lost');
      this.#damaged.push({ position: segment.bytes, bytes: tail_bytes, from: segment.end, to: promised });
      segment.end = promised;
    }
    const unvouched = this.#unvouched.find((frame) => frame.offset >= this.#promised);
    const vouched_bytes = Math.min(segment.bytes, unvouched?.position ?? segment.bytes);
    return { segment, vouched_bytes, tail_bytes, ranges: this.#ranges, damaged: this.#damaged };
  }
}
