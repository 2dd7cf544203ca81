// How a commit reaches the disk: written at the end of the active segment, then fdatasync. Another way (O_DIRECT into
// recycled segments) will stand beside this one behind the same three calls. Invariants: only one commit at a time;
// a segment's directory entry is durable before its first commit is; a file whose sync failed is never synced again.

import type { Block } from './block_pool.ts';
import { writeIndex } from './index_file.ts';
import { invariant } from './invariant.ts';
import { segmentName } from './names.ts';
import type { Clock } from './ports/clock.ts';
import { errorCode, type File, type FileSystem } from './ports/file_system.ts';
import { Segment } from './segment.ts';
import { writeFully } from './whole_io.ts';

export interface SegmentLimits {
  readonly maxBytes: number;
  readonly maxAge_ms: number;
  /** How much data one point of the index stands for, at least. */
  readonly indexInterval_bytes: number;
}

/** Errors after which the file is as it was: nothing was promised of it and it may be written again. */
const NO_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

export class SegmentWriter {
  /** Segments sealed since the shard was opened. */
  rotations = 0;
  readonly #fileSystem: FileSystem;
  readonly #clock: Clock;
  readonly #directory: string;
  readonly #limits: SegmentLimits;
  /** Shared with the shard, oldest first; the writer appends the segments that it begins. */
  readonly #segments: Segment[];
  /** Makes the account durable: the index hides the segment from the next recovery, so nothing may be left to find. */
  readonly #beforeIndex: () => Promise<void>;
  #file: File | undefined;
  /** Whether the active segment may not be written any more. */
  #givenUp = false;
  /** Whether the active segment holds what was published and is not synced, and why it never will be. */
  #unsynced = false;
  #syncFailure: unknown;
  #begun_ms = 0;

  constructor(
    fileSystem: FileSystem,
    clock: Clock,
    directory: string,
    limits: SegmentLimits,
    segments: Segment[],
    beforeIndex: () => Promise<void>,
  ) {
    this.#fileSystem = fileSystem;
    this.#clock = clock;
    this.#directory = directory;
    this.#limits = limits;
    this.#segments = segments;
    this.#beforeIndex = beforeIndex;
    this.#begun_ms = clock.monotonic();
  }

  /**
   * Makes whole frames durable, the first of which begins at `first`. Returns the segment and the position of the first
   * byte; the segment's `bytes` is not moved: that is the shard's, once it publishes. Without `sync` they are only written.
   */
  async commit(
    blocks: readonly Block[],
    bytes: number,
    first: number,
    sync = true,
  ): Promise<{ segment: Segment; position: number }> {
    let segment = this.#active();
    if (!segment || this.#mustRoll(segment, bytes)) segment = await this.#begin(first);
    this.#file ??= await this.#fileSystem.open(this.#path(segment), 'write');
    invariant(first >= segment.end, this.#directory, 'a commit begins within the segment');
    const position = segment.bytes;
    let at = position;
    try {
      for (const block of blocks) {
        await writeFully(this.#file, block.memory.subarray(0, block.used), at);
        at += block.used;
      }
    } catch (error) {
      await this.#afterFailedWrite(segment, error);
      throw error;
    }
    invariant(at === position + bytes, this.#directory, 'a commit wrote other than its bytes');
    if (sync) await this.#syncFile(this.#file);
    this.#unsynced = !sync;
    return { segment, position };
  }

  /** Why what was published will never be synced; undefined where it is, or still can be. */
  get unsyncable(): unknown {
    return this.#unsynced && !this.#file ? this.#syncFailure : undefined;
  }

  /** Makes durable what was written. Where that failed once the file is given up, and it is never tried again. */
  async sync(): Promise<void> {
    if (!this.#unsynced) return;
    if (!this.#file) throw this.#syncFailure;
    await this.#syncFile(this.#file);
    this.#unsynced = false;
  }

  /** Seals the active segment if it holds anything, so that it can be removed once consumed. The next commit begins another. */
  async seal(): Promise<void> {
    const segment = this.#active();
    if (!segment || segment.bytes === 0) return;
    try {
      await this.sync();
    } catch (error) {
      // No index vouches for it: the next start reads it.
      segment.sealed = true;
      throw error;
    }
    await this.#closeFile();
    await this.#sealed(segment);
  }

  async close(): Promise<void> {
    await this.#closeFile();
  }

  /** Whether the active segment is older than segments may get. */
  get overage(): boolean {
    return this.#clock.monotonic() - this.#begun_ms > this.#limits.maxAge_ms;
  }

  #active(): Segment | undefined {
    const last = this.#segments[this.#segments.length - 1];
    return last?.sealed === false ? last : undefined;
  }

  #path(segment: Segment): string {
    return `${this.#directory}/${segmentName(segment.base)}`;
  }

  #mustRoll(segment: Segment, bytes: number): boolean {
    if (this.#givenUp) return true;
    return segment.bytes > 0 && (segment.bytes + bytes > this.#limits.maxBytes || this.overage);
  }

  /** Everything below the base of a segment is durable, or known to have failed: recovery goes by that. */
  async #begin(base: number): Promise<Segment> {
    if (!this.#givenUp) await this.sync();
    const file = await this.#create(base);
    try {
      await this.#fileSystem.syncDirectory(this.#directory);
    } catch (error) {
      await this.#abandon(base, file);
      throw error;
    }
    const old = this.#active();
    await this.#closeFile();
    if (old && old.base !== base) {
      if (this.#givenUp) old.sealed = true;
      else await this.#sealed(old);
    } else if (old) {
      this.#segments.pop();
    }
    const segment = new Segment(base);
    this.#segments.push(segment);
    this.#file = file;
    this.#givenUp = false;
    this.#unsynced = false;
    this.#begun_ms = this.#clock.monotonic();
    return segment;
  }

  /**
   * The name of a segment that never began may come back after a power cut, even if it is removed now. Recovery would end
   * the segment before it there, so nothing may be written to that one any more.
   */
  async #abandon(base: number, file: File): Promise<void> {
    await file.close();
    await this.#giveUp();
    await this.#fileSystem.remove(`${this.#directory}/${segmentName(base)}`).catch(() => {});
  }

  /** A file of that name can only be what a failed attempt left: nothing in it was promised. */
  async #create(base: number): Promise<File> {
    const path = `${this.#directory}/${segmentName(base)}`;
    try {
      return await this.#fileSystem.open(path, 'create');
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
      await this.#fileSystem.remove(path);
      return this.#fileSystem.open(path, 'create');
    }
  }

  /** The index is only a hint, so a failure to write it is no failure. */
  async #sealed(segment: Segment): Promise<void> {
    segment.sealed = true;
    this.rotations += 1;
    try {
      await this.#beforeIndex();
      await writeIndex(this.#fileSystem, this.#directory, segment);
    } catch {
      // Without an index the segment is scanned when the log is next opened.
    }
  }

  async #syncFile(file: File): Promise<void> {
    try {
      await file.sync();
    } catch (error) {
      this.#syncFailure = error;
      await this.#giveUp();
      throw error;
    }
  }

  /** No room: cut what was written in part and stay. Anything else: give the file up. */
  async #afterFailedWrite(segment: Segment, error: unknown): Promise<void> {
    if (NO_ROOM.has(errorCode(error))) {
      try {
        await this.#file?.truncate(segment.bytes);
        return;
      } catch {
        // A file that cannot be cut cannot be trusted either.
      }
    }
    // What earlier commits left unsynced is still as good as it was. Where this fails it gives the file up itself.
    await this.sync().catch(() => {});
    await this.#giveUp();
  }

  async #giveUp(): Promise<void> {
    this.#givenUp = true;
    await this.#closeFile();
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    try {
      await file?.close();
    } catch {
      // All that was promised is synced: a failing close takes nothing back.
    }
  }
}
