// One shard: an append-only log of its own, with one writer and any number of readers. It joins the parts (commit loop,
// segments, ledger, offsets, hot tail) and keeps what they share. Invariant: readers see offsets below the high watermark
// only, and everything below it is durable.

import type { BlockPool } from './block_pool.ts';
import type { Budget } from './budget.ts';
import type { Chain } from './chain.ts';
import { CommitLoop, type CommitStats } from './commit_loop.ts';
import { refused } from './deferred.ts';
import { CommitFailed, EntryTooLarge, OffsetOutOfRange } from './errors.ts';
import type { FrameKey } from './frame_key.ts';
import type { GroupOffsets } from './group_offsets.ts';
import { HotTail } from './hot_tail.ts';
import type { Leases } from './leases.ts';
import type { Account, Ledger } from './ledger.ts';
import { indexName, segmentName } from './names.ts';
import type { Clock } from './ports/clock.ts';
import { errorCode, type FileSystem } from './ports/file_system.ts';
import { newReadMeter, type ReadStats } from './read_meter.ts';
import type { DamagedBytes } from './recovery.ts';
import type { Removal, SegmentView } from './retention.ts';
import { type Segment, segmentAtOrAfter } from './segment.ts';
import { type SegmentLimits, SegmentWriter } from './segment_writer.ts';
import type { TwoSlotFile } from './two_slot.ts';

/** What all shards of a log share. */
export interface LogParts {
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly pool: BlockPool;
  readonly leases: Leases;
  readonly budget: Budget;
  readonly segmentLimits: SegmentLimits;
  readonly entryMax_bytes: number;
  readonly hotTail_bytes: number;
  readonly commitDeadline_ms: number;
  readonly epoch: number;
  /** Of the log; a shard whose ledger says another keeps that one. */
  readonly key: FrameKey;
  /** Running time of the log over all its owners, ms. */
  running_ms(): number;
  /** Something happened that an operator should see. */
  report(level: 'info' | 'warn' | 'error', message: string, fields: Record<string, string | number>): void;
}

/** What recovery found on disk. */
export interface RecoveredShard {
  readonly segments: Segment[];
  readonly ledger: Ledger;
  readonly ledgerFile: TwoSlotFile;
  readonly offsets: GroupOffsets;
  /** Offset of the next entry. */
  readonly next: number;
}

export interface ShardStats {
  readonly logStart: number;
  readonly highWatermark: number;
  readonly logEnd: number;
  readonly segments: number;
  readonly bytes: number;
  readonly rotations: number;
  readonly readers: number;
  readonly commits: Readonly<CommitStats>;
  readonly reads: Readonly<ReadStats>;
  readonly account: Account;
}

/** When the active segment ends before its time: consumed and idle, consumed, or holding anything at all. */
export type SealWhen = 'idle' | 'consumed' | 'holds_data';

/** A reader as its shard sees it. */
export interface AttachedReader {
  readonly position: number;
  wake(): void;
  close(): void;
}

export class Shard {
  /** `stream/index`, the form in which offsets are written: `stream/index-offset`. */
  readonly id: string;
  readonly index: number;
  readonly directory: string;
  readonly parts: LogParts;
  readonly segments: Segment[];
  readonly ledger: Ledger;
  readonly offsets: GroupOffsets;
  readonly hotTail: HotTail;
  readonly reads = newReadMeter();
  /** How far beyond the disk limits appends may go: space kept for dead letters. */
  reserve_bytes = 0;
  readonly #commits: CommitLoop;
  readonly #writer: SegmentWriter;
  readonly #ledgerFile: TwoSlotFile;
  readonly #readers = new Set<AttachedReader>();
  #lastLedgerWrite: Promise<void> = Promise.resolve();
  #ledgerDirty = false;
  #idleSince_ms: number;

  constructor(
    streamName: string,
    index: number,
    directory: string,
    parts: LogParts,
    recovered: RecoveredShard,
  ) {
    this.id = `${streamName}/${index}`;
    this.index = index;
    this.directory = directory;
    this.parts = parts;
    this.segments = recovered.segments;
    this.ledger = recovered.ledger;
    this.offsets = recovered.offsets;
    this.hotTail = new HotTail(parts.hotTail_bytes);
    this.#ledgerFile = recovered.ledgerFile;
    this.#idleSince_ms = parts.clock.monotonic();
    this.#writer = new SegmentWriter(
      parts.fileSystem,
      parts.clock,
      directory,
      parts.segmentLimits,
      recovered.segments,
      () => this.#settleLedger(),
    );
    this.offsets.beforeWrite = () => this.#settleLedger();
    this.#commits = new CommitLoop({
      shard: this.id,
      clock: parts.clock,
      pool: parts.pool,
      budget: parts.budget,
      writer: this.#writer,
      epoch: parts.epoch,
      key: recovered.ledger.key,
      next: recovered.next,
      reserve_bytes: () => this.reserve_bytes,
      commitDeadline_ms: parts.commitDeadline_ms,
      onDurable: (chain, segment, position) => this.#publish(chain, segment, position),
      recordFailure: () => this.#settleLedger(),
      onFailed: (from, to, error) => this.#failed(from, to, error),
    });
  }

  /** Offset of the oldest entry that is kept. */
  get logStart(): number {
    return this.ledger.logStart;
  }

  /** Everything below is durable and readable. */
  get highWatermark(): number {
    return this.#commits.highWatermark;
  }

  /** Offset that the next entry will have. */
  get logEnd(): number {
    return this.#commits.logEnd;
  }

  /** Why the shard takes nothing at present, if the disk failed. */
  get failure(): unknown {
    return this.#commits.failure;
  }

  /**
   * Appends a batch: all of it becomes durable or none. Returns the offset of the first entry; the others follow it.
   * @throws LogFull | EntryTooLarge | LogClosed
   */
  append(entries: readonly Uint8Array[]): number {
    let bytes = 0;
    for (const entry of entries) {
      if (entry.length > this.parts.entryMax_bytes)
        throw new EntryTooLarge(entry.length, this.parts.entryMax_bytes);
      bytes += entry.length;
    }
    return this.#commits.append(entries, bytes);
  }

  /** Appends one entry that is given in parts. Returns its offset. @throws LogFull | EntryTooLarge | LogClosed */
  appendParts(parts: readonly Uint8Array[]): number {
    let bytes = 0;
    for (const part of parts) bytes += part.length;
    if (bytes > this.parts.entryMax_bytes) throw new EntryTooLarge(bytes, this.parts.entryMax_bytes);
    return this.#commits.appendParts(parts, bytes);
  }

  /** Throws LogFull or LogClosed unless an entry of `bytes` could be appended now. */
  admit(bytes: number): void {
    this.#commits.admit(bytes, 1);
  }

  /**
   * Resolves when the entry at `offset` is on disk; the same promise for all entries of one commit.
   * Rejects with LogFull, CommitFailed, CommitTimeout or, once it was removed, OffsetOutOfRange: then it is not promised, append again.
   */
  durable(offset: number): Promise<void> {
    // Whether it was durable before it was removed is not kept, and a wrong yes is worse than a wrong no.
    if (offset < this.logStart) {
      return refused(new OffsetOutOfRange(this.id, offset, this.logStart, this.highWatermark));
    }
    if (offset < this.highWatermark && this.ledger.ranges.at(offset)?.kind === 'failed') {
      return refused(new CommitFailed(this.id, 'the commit of this entry failed'));
    }
    return this.#commits.durable(offset);
  }

  /** What became of every entry that ever was durable here. */
  account(): Account {
    return this.ledger.account(this.highWatermark);
  }

  stats(): ShardStats {
    return {
      logStart: this.logStart,
      highWatermark: this.highWatermark,
      logEnd: this.logEnd,
      segments: this.segments.length,
      bytes: this.segments.reduce((sum, segment) => sum + segment.bytes, 0),
      rotations: this.#writer.rotations,
      readers: this.#readers.size,
      commits: { ...this.#commits.stats },
      reads: { ...this.reads },
      account: this.account(),
    };
  }

  // What follows is for the log itself (readers, groups, retention), not for its users.

  attach(reader: AttachedReader): void {
    this.#readers.add(reader);
  }

  detach(reader: AttachedReader): void {
    this.#readers.delete(reader);
    this.trimHotTail();
  }

  /** Gives back blocks that every reader has passed. */
  trimHotTail(): void {
    let lowest = Number.POSITIVE_INFINITY;
    for (const reader of this.#readers) lowest = Math.min(lowest, reader.position);
    this.hotTail.trim(lowest);
  }

  /** The segment that holds `offset` or the first one after it. */
  segmentAt(offset: number): Segment | undefined {
    return segmentAtOrAfter(this.segments, offset);
  }

  segmentPath(segment: Segment): string {
    return `${this.directory}/${segmentName(segment.base)}`;
  }

  /** Counts offsets below the high watermark that a reader found to be damaged; those known to be empty are not counted again. */
  found(damage: DamagedBytes): void {
    // What is below the log start was accounted for when it was removed.
    const lost = this.ledger.ranges.add(Math.max(damage.from, this.logStart), damage.to, 'lost');
    if (lost === 0) return;
    this.#ledgerDirty = true;
    this.parts.report('error', 'damaged entries were skipped and counted', {
      shard: this.id,
      entries: lost,
      from: damage.from,
      to: damage.to,
      position: damage.position,
    });
  }

  segmentViews(): SegmentView[] {
    const now_ms = this.parts.running_ms();
    return this.segments.map((segment) => ({
      base: segment.base,
      end: segment.end,
      bytes: segment.bytes,
      sealed: segment.sealed,
      lastTimestamp: segment.lastTimestamp,
      age_ms: now_ms - segment.lastRunning_ms,
    }));
  }

  /** Removes the oldest segments: first the account is made durable, then the files go. */
  async remove(removals: readonly Omit<Removal, 'shard'>[]): Promise<void> {
    const before = this.segments.length;
    for (const removal of removals) {
      this.ledger.removeUntil(removal.until, removal.consumedBelow, removal.reason);
    }
    // What was consumed should be known to be before it is gone. Where that cannot be written the log start says as much.
    await this.offsets.flush().catch(() => {});
    await this.writeLedger();
    while (this.segments[0]?.sealed && this.segments[0].end <= this.ledger.logStart) {
      const segment = this.segments.shift()!;
      this.parts.budget.removed(segment.bytes);
      await this.#removeFile(segmentName(segment.base));
      await this.#removeFile(indexName(segment.base));
    }
    this.parts.report('info', 'segments removed', {
      shard: this.id,
      segments: before - this.segments.length,
    });
  }

  /** Gone is what is wanted; what cannot go now is accounted for, and goes when the log is next opened. */
  async #removeFile(name: string): Promise<void> {
    try {
      await this.parts.fileSystem.remove(`${this.directory}/${name}`);
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return;
      const fields = { shard: this.id, file: name, error: String(error) };
      this.parts.report('warn', 'a file that is done with could not be removed', fields);
    }
  }

  /** Seals the active segment where its age, its readers or a lack of room say that it should end. */
  async tidy(consumedBelow: number | undefined, sealWhen: SealWhen = 'idle'): Promise<void> {
    if (this.#ledgerDirty) await this.writeLedger();
    const active = this.segments[this.segments.length - 1];
    if (!active || active.sealed || active.bytes === 0) return;
    const idle_ms = this.parts.clock.monotonic() - this.#idleSince_ms;
    const consumed = consumedBelow !== undefined && consumedBelow >= active.end;
    const idle = idle_ms > SEAL_IDLE_MS && active.bytes > SEAL_IDLE_BYTES;
    const asked = sealWhen === 'holds_data' || (consumed && (idle || sealWhen === 'consumed'));
    if (this.#writer.overage || asked) {
      await this.#commits.exclusively(() => this.#writer.seal());
    }
  }

  /** Makes the account durable; calls take turns. */
  writeLedger(): Promise<void> {
    const write = this.#lastLedgerWrite.then(async () => {
      this.#ledgerDirty = false;
      this.ledger.watermark = Math.max(this.ledger.watermark, this.highWatermark);
      const state = this.ledger.encode();
      try {
        // Into both slots: were one damaged later, the older state in the other would bring back what was removed.
        await this.#ledgerFile.write(state);
        await this.#ledgerFile.write(state);
      } catch (error) {
        this.#ledgerDirty = true;
        throw error;
      }
    });
    this.#lastLedgerWrite = write.catch(() => {});
    return write;
  }

  /** Resolves when the account on disk knows all that this one knows, also where its writing is under way. */
  async #settleLedger(): Promise<void> {
    await this.#lastLedgerWrite;
    if (this.#ledgerDirty) await this.writeLedger();
  }

  /** Writes what is left to write and lets go of all files; goes on where a part fails and throws the first failure. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    const steps = [
      () => this.#commits.close(),
      () => this.#writer.close(),
      () => this.offsets.close(),
      () => this.writeLedger(),
      () => this.#ledgerFile.close(),
    ];
    for (const step of steps) await step().catch((error: unknown) => failures.push(error));
    for (const reader of this.#readers) reader.close();
    this.hotTail.trim(Number.POSITIVE_INFINITY);
    if (failures.length > 0) throw failures[0];
  }

  #publish(chain: Chain, segment: Segment, position: number): void {
    segment.addPoint(chain.first, position);
    segment.bytes = position + chain.bytes;
    segment.end = chain.end;
    if (segment.firstTimestamp === 0) segment.firstTimestamp = chain.firstTimestamp;
    segment.lastTimestamp = Math.max(segment.lastTimestamp, chain.lastTimestamp);
    segment.lastRunning_ms = this.parts.running_ms();
    this.#idleSince_ms = this.parts.clock.monotonic();
    this.parts.budget.written(chain.bytes);
    this.#keepHot(chain, segment, position);
    for (const reader of this.#readers) reader.wake();
  }

  #keepHot(chain: Chain, segment: Segment, position: number): void {
    if (this.#readers.size === 0) {
      for (const block of chain.blocks) block.release();
      return;
    }
    let at = position;
    for (const block of chain.blocks) {
      this.hotTail.push(segment.base, at, chain.end, block);
      at += block.used;
    }
  }

  #failed(from: number, to: number, error: unknown): void {
    this.ledger.ranges.add(from, to, 'failed');
    this.#ledgerDirty = true;
    this.parts.report('error', 'a commit failed; its entries were refused', {
      shard: this.id,
      entries: to - from,
      error: error instanceof Error ? error.message : String(error),
    });
  }
}

/** A consumed active segment is given back to the disk when nothing was appended for so long. */
const SEAL_IDLE_MS = 10_000;
const SEAL_IDLE_BYTES = 1024 * 1024;
