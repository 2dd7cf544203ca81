// Where commits go: the active segment, the next one when that is full, and what becomes of a file that failed. In which way
// they are written is the segment file's. Invariants: only one commit at a time; a segment's directory entry is durable
// before its first commit is; a file whose sync, or direct write, failed is not written again.

import type { Block } from './block_pool.ts';
import type { CommitWay } from './commit_way.ts';
import { writeIndex } from './index_file.ts';
import { invariant } from './invariant.ts';
import { segmentName } from './names.ts';
import type { Clock } from './ports/clock.ts';
import { DIRECT_BLOCK_BYTES, errorCode, type FileSystem, refusesDirect } from './ports/file_system.ts';
import { Segment } from './segment.ts';
import type { SegmentFile } from './segment_file.ts';
import type { Spare } from './spare.ts';

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
  /** What the next segment is written over. */
  readonly spare: Spare;
  readonly #fileSystem: FileSystem;
  readonly #way: CommitWay;
  readonly #clock: Clock;
  readonly #directory: string;
  readonly #limits: SegmentLimits;
  /** Shared with the shard, oldest first; the writer appends the segments that it begins. */
  readonly #segments: Segment[];
  /** Makes the account durable: the index hides the segment from the next recovery, so nothing may be left to find. */
  readonly #beforeIndex: () => Promise<void>;
  /** Asked before a file is cut, or a name taken from one, that another owner may rely on. */
  readonly #confirmOwner: () => Promise<void> | undefined;
  #file: SegmentFile | undefined;
  /** What the file of the active segment takes at least: more than its content after direct writes, and where it was a spare. */
  #file_bytes = 0;
  /** Whether the active segment may not be written any more. */
  #givenUp: boolean;
  /** Whether the active segment holds what was published and is not synced, and why it never will be. */
  #unsynced = false;
  #syncFailure: unknown;
  #begun_ms = 0;

  /** @param shared whether the owner before this one may live, and hold the active segment open: it is not written to then */
  constructor(
    fileSystem: FileSystem,
    way: CommitWay,
    clock: Clock,
    directory: string,
    limits: SegmentLimits,
    segments: Segment[],
    beforeIndex: () => Promise<void>,
    confirmOwner: () => Promise<void> | undefined,
    shared: boolean,
    spare: Spare,
  ) {
    this.#confirmOwner = confirmOwner;
    this.#givenUp = shared;
    this.#fileSystem = fileSystem;
    this.#way = way;
    this.#clock = clock;
    this.#directory = directory;
    this.#limits = limits;
    this.#segments = segments;
    this.#beforeIndex = beforeIndex;
    this.#begun_ms = clock.monotonic();
    this.spare = spare;
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
    let file = this.#file ?? (await this.#reopen(segment));
    invariant(first >= segment.end, this.#directory, 'a commit begins within the segment');
    const held = blocks.reduce((sum, block) => sum + block.used, 0);
    invariant(held === bytes, this.#directory, 'the blocks of a commit hold other than its bytes');
    const position = segment.bytes;
    const { direct } = file;
    try {
      try {
        await file.write(blocks, position);
      } catch (error) {
        if (!direct || !refusesDirect(error)) throw error;
        // Nothing is wrong with the disk: the same bytes go to the same place in the other way.
        this.#way.fallBack(error);
        await this.#closeFile();
        file = await this.#reopen(segment);
        await file.write(blocks, position);
      }
    } catch (error) {
      await this.#afterFailedWrite(segment, error, direct);
      throw error;
    }
    const end = position + bytes;
    this.#file_bytes = Math.max(this.#file_bytes, file.direct ? wholeBlocks(end) : end);
    if (!file.direct && sync) await this.#syncFile(file);
    this.#unsynced = !sync;
    return { segment, position };
  }

  /** The file of the active segment, after an opening or another way. */
  async #reopen(segment: Segment): Promise<SegmentFile> {
    try {
      this.#file = await this.#way.open(this.#path(segment), segment.bytes);
      return this.#file;
    } catch (error) {
      // What stands in its last block cannot be read, so it cannot be written again either.
      if (this.#way.direct) await this.#giveUp();
      throw error;
    }
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
    await this.#cut(segment);
    await this.#closeFile();
    await this.#sealed(segment);
  }

  async close(): Promise<void> {
    const segment = this.#active();
    if (segment) await this.#cut(segment);
    await this.#closeFile();
  }

  /** What the shard takes of the disk for commits to come: the spare, and whole blocks of the active file behind its content. */
  get unused_bytes(): number {
    const active = this.#active();
    const behind = active && this.#file_bytes > 0 ? this.#file_bytes - wholeBlocks(active.bytes) : 0;
    return this.spare.bytes + Math.max(0, behind);
  }

  /** Gives what is unused back to the disk; a commit may not be under way. */
  async giveBack(): Promise<void> {
    const active = this.#active();
    if (active) await this.#cut(active);
    await this.#confirmOwner();
    await this.spare.remove();
  }

  /** How long the active segment takes to be full at the pace at which it grew so far, ms; infinite where it did not. */
  get fullIn_ms(): number {
    const bytes = this.#active()?.bytes ?? 0;
    if (bytes === 0) return Number.POSITIVE_INFINITY;
    return ((this.#clock.monotonic() - this.#begun_ms) / bytes) * Math.max(0, this.#limits.maxBytes - bytes);
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
    const { file, bytes } = await this.#create(base);
    try {
      await this.#fileSystem.syncDirectory(this.#directory);
    } catch (error) {
      await this.#abandon(base, file);
      throw error;
    }
    const old = this.#active();
    if (old) await this.#cut(old);
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
    this.#file_bytes = bytes;
    this.#givenUp = false;
    this.#unsynced = false;
    this.#begun_ms = this.#clock.monotonic();
    return segment;
  }

  /**
   * The name of a segment that never began may come back after a power cut, even if it is removed now. Recovery would end
   * the segment before it there, so nothing may be written to that one any more.
   */
  async #abandon(base: number, file: SegmentFile): Promise<void> {
    await file.close();
    await this.#giveUp();
    try {
      await this.#confirmOwner();
      await this.#fileSystem.remove(`${this.#directory}/${segmentName(base)}`);
    } catch {
      // Whatever the name stands for, it is not written to.
    }
  }

  /**
   * The spare under the new name, where there is one, or a new file. One of that name can only be what a failed attempt left:
   * nothing in it was promised.
   */
  async #create(base: number): Promise<{ file: SegmentFile; bytes: number }> {
    const path = `${this.#directory}/${segmentName(base)}`;
    // The spare takes the name of whatever stands there.
    if (this.spare.bytes > 0) await this.#confirmOwner();
    const taken = await this.spare.take(path);
    if (taken) return taken;
    await this.#way.tryAgain(this.spare.path);
    try {
      return { file: await this.#way.create(path), bytes: 0 };
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
      await this.#confirmOwner();
      await this.#fileSystem.remove(path);
      return { file: await this.#way.create(path), bytes: 0 };
    }
  }

  /** Ends the file where its content does. Where that fails, whoever opens the log next finds a tail that holds nothing. */
  async #cut(segment: Segment): Promise<void> {
    if (!this.#file || this.#file_bytes <= segment.bytes) return;
    this.#file_bytes = segment.bytes;
    try {
      await this.#confirmOwner();
      await this.#file.truncate(segment.bytes);
      await this.#file.sync();
    } catch {
      // Every commit is durable: what is lost is the index of a sealed segment, which does not fit then.
    }
  }

  /** The index is only a hint, so a failure to write it is no failure. */
  async #sealed(segment: Segment): Promise<void> {
    segment.sealed = true;
    this.rotations += 1;
    try {
      await this.#beforeIndex();
      await writeIndex(this.#fileSystem, this.#directory, segment);
      // Not the file into which an owner before this one may still write.
      segment.reusable = !this.#givenUp;
    } catch {
      // Without an index the segment is scanned when the log is next opened.
    }
  }

  async #syncFile(file: SegmentFile): Promise<void> {
    try {
      await file.sync();
    } catch (error) {
      this.#syncFailure = error;
      await this.#giveUp();
      throw error;
    }
  }

  /**
   * No room: cut what was written in part and stay. Anything else: give the file up.
   * @param direct whether a part was written past the page cache, were the rest of it appended
   */
  async #afterFailedWrite(segment: Segment, error: unknown, direct: boolean): Promise<void> {
    if (NO_ROOM.has(errorCode(error))) {
      try {
        await this.#confirmOwner();
        await this.#file?.truncate(segment.bytes);
        // Of a direct write the part that arrived is durable, and must not come back.
        if (direct) await this.#file?.sync();
        this.#file_bytes = segment.bytes;
        await this.spare.remove();
        return;
      } catch {
        // A file that cannot be cut cannot be trusted either.
      }
    }
    // What earlier commits left unsynced is still as good as it was. Where this fails it gives the file up itself.
    await this.sync().catch(() => {});
    // Behind the content there may be the rest of a spare, which no limit counts from here on.
    await this.#cut(segment);
    await this.#giveUp();
  }

  async #giveUp(): Promise<void> {
    this.#givenUp = true;
    this.#file_bytes = 0;
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

function wholeBlocks(bytes: number): number {
  return Math.ceil(bytes / DIRECT_BLOCK_BYTES) * DIRECT_BLOCK_BYTES;
}
