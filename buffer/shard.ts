// One shard: an append-only log of its own, with one writer and any number of readers. It joins the parts (commit loop,
// segments, ledger, offsets, hot tail) and keeps what they share. Invariant: readers see offsets below the high watermark
// only, and everything below it is as durable as the log's `durability` says.

import { gather } from './append_stream.ts';
import { ShardBudget } from './budget.ts';
import type { Chain } from './chain.ts';
import { CommitLoop } from './commit_loop.ts';
import { type CompressionOptions, Compressor } from './compression.ts';
import { refused } from './deferred.ts';
import { CommitFailed, EntryTooLarge, OffsetOutOfRange } from './errors.ts';
import type { GroupOffsets } from './group_offsets.ts';
import { HotTail } from './hot_tail.ts';
import { lagOf } from './lag.ts';
import type { Account, Ledger } from './ledger.ts';
import { LedgerFile } from './ledger_file.ts';
import type { LogParts } from './log_parts.ts';
import { segmentName } from './names.ts';
import { newReadMeter } from './read_meter.ts';
import type { DamagedBytes } from './recovery.ts';
import { consumedBelow } from './retention.ts';
import { type Segment, segmentAtOrAfter } from './segment.ts';
import type { SegmentSource } from './segment_source.ts';
import { SegmentWriter } from './segment_writer.ts';
import { Spare } from './spare.ts';
import type { ShardStats } from './stats.ts';
import type { TwoSlotFile } from './two_slot.ts';
import { Upkeep } from './upkeep.ts';

/** What recovery found on disk. */
export interface RecoveredShard {
  readonly segments: Segment[];
  readonly ledger: Ledger;
  readonly ledgerFile: TwoSlotFile;
  /** Whether no power cut takes back what was read of it. */
  readonly ledgerDurable: boolean;
  readonly offsets: GroupOffsets;
  /** Offset of the next entry. */
  readonly next: number;
}

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
  /** For retention. */
  readonly upkeep: Upkeep;
  /** Of its stream: under `drop_oldest` the lowest is shed first. */
  priority = 0;
  /** How far beyond the disk limits appends may go: space kept for dead letters. */
  reserve_bytes = 0;
  readonly #commits: CommitLoop;
  readonly #writer: SegmentWriter;
  readonly #compressor: Compressor;
  readonly #account: LedgerFile;
  readonly #budget: ShardBudget;
  readonly #readers = new Set<AttachedReader>();

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
    this.hotTail = new HotTail(parts.hotMemory);
    const { ledger, ledgerFile, ledgerDurable } = recovered;
    this.#account = new LedgerFile(ledger, ledgerFile, ledgerDurable, () => this.#commits.syncedBelow);
    this.#budget = new ShardBudget(parts.budget, this.id, bytesOf(recovered.segments));
    this.#writer = new SegmentWriter(
      parts.fileSystem,
      parts.commitWay,
      parts.clock,
      directory,
      parts.segmentLimits,
      recovered.segments,
      () => this.#account.settle(),
      () => parts.confirmOwner(),
      parts.abandoned,
      new Spare(parts.fileSystem, parts.commitWay, directory, parts.epoch),
    );
    // An offset on disk refers to entries that are there after a power cut too.
    this.offsets.beforeWrite = async () => {
      await this.#commits.syncWritten();
      await this.#account.settle();
    };
    this.#compressor = new Compressor(parts.codec, recovered.ledger.key);
    this.#compressor.configure(parts.compression);
    this.#commits = new CommitLoop({
      shard: this.id,
      clock: parts.clock,
      pool: parts.pool,
      budget: this.#budget,
      writer: this.#writer,
      epoch: parts.epoch,
      key: recovered.ledger.key,
      next: recovered.next,
      reserve_bytes: () => this.reserve_bytes,
      commitDeadline_ms: parts.commitDeadline_ms,
      policy: parts.commitPolicy,
      confirmOwner: () => parts.confirmOwner(),
      compress: (chain) => this.#compressor.compress(chain, this.#readers.size > 0),
      onDurable: (chain, segment, position) => this.#publish(chain, segment, position),
      recordFailure: () => this.#account.settle(),
      onPoisoned: (error) => {
        parts.report('error', 'the shard takes nothing any more', { shard: this.id, error: error.message });
        for (const reader of this.#readers) reader.wake();
      },
      onFailed: (from, to, error) => this.#failed(from, to, error),
      onSyncFailed: (from, to, error) =>
        parts.report('error', 'a sync failed; a power cut may take entries that were acknowledged', {
          shard: this.id,
          entries: to - from,
          error: String(error),
        }),
    });
    this.upkeep = new Upkeep({
      shard: this.id,
      directory,
      parts,
      budget: this.#budget,
      segments: this.segments,
      offsets: this.offsets,
      account: this.#account,
      commits: this.#commits,
      writer: this.#writer,
      lowestReader: () => this.#lowestReader(),
    });
  }

  /** Offset of the oldest entry that is kept. */
  get logStart(): number {
    return this.ledger.logStart;
  }

  /** Everything below is readable, and as durable as `durability` says. */
  get highWatermark(): number {
    return this.#commits.highWatermark;
  }

  /** Offset that the next entry will have. */
  get logEnd(): number {
    return this.#commits.logEnd;
  }

  /** Something was found that cannot be: nothing is taken or handed out until the log is opened again. */
  poison(cause: unknown): void {
    this.#commits.poison(cause);
  }

  get poisoned(): boolean {
    return this.#commits.poisoned;
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

  /**
   * Appends one entry that comes in chunks, which are copied as they come; an empty source is an empty entry. Resolves with its
   * offset once the source has ended; nothing is appended before, nor where the source fails, which is passed on.
   * @throws LogFull | EntryTooLarge | LogClosed, and the source is told to end
   */
  async appendStream(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<number> {
    this.admit(0);
    return gather(chunks, this.parts, (parts) => this.appendParts(parts));
  }

  /** Throws LogFull or LogClosed unless an entry of `bytes` could be appended now. */
  admit(bytes: number): void {
    this.#commits.admit(bytes, 1);
  }

  /**
   * Resolves when the entry at `offset` is on disk, or as near to it as `durability` says; the same promise for all entries of one commit.
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

  /** Resolves when all that was appended so far is synced, whatever `durability` says. Rejects as `durable` does, or with what the disk said. */
  sync(): Promise<void> {
    return this.#commits.sync();
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
      bytes: bytesOf(this.segments),
      unused_bytes: this.#budget.unused_bytes,
      oldestUnconsumed_age_ms: lagOf(this, consumedBelow([...this.offsets.groups.values()]) ?? this.logStart)
        .age_ms,
      rotations: this.#writer.rotations,
      readers: this.#readers.size,
      commits: this.#commits.meter.commitStats(),
      writes: this.#commits.meter.writeStats(this.#commits.openAppends),
      switches: this.#commits.switches.stats(),
      compression: this.#compressor.stats,
      reads: { ...this.reads },
      account: this.account(),
    };
  }

  // What follows is for the log itself (readers, groups, retention), not for its users.

  /** How commits from now on are stored; the log's way where it says nothing. */
  compress(options: CompressionOptions | undefined): void {
    this.#compressor.configure(options ?? this.parts.compression);
  }

  attach(reader: AttachedReader): void {
    this.#readers.add(reader);
  }

  detach(reader: AttachedReader): void {
    this.#readers.delete(reader);
    this.trimHotTail();
  }

  /** Gives back blocks that every reader has passed. */
  trimHotTail(): void {
    this.hotTail.trim(this.#lowestReader());
  }

  #lowestReader(): number {
    let lowest = Number.POSITIVE_INFINITY;
    for (const reader of this.#readers) lowest = Math.min(lowest, reader.position);
    return lowest;
  }

  /** Syncs what is readable, so that its file may be closed; the shard tells where that fails. */
  syncSoon(): void {
    this.#commits.syncWritten().catch(() => {});
  }

  /** The segment that holds `offset` or the first one after it. */
  segmentAt(offset: number): Segment | undefined {
    return segmentAtOrAfter(this.segments, offset);
  }

  segmentPath(segment: Segment): string {
    return `${this.directory}/${segmentName(segment.base)}`;
  }

  /** Opens the file of the segment for one of the readers. @throws what the disk says */
  openToRead(segment: Segment): Promise<SegmentSource> {
    let behind = 0;
    for (const reader of this.#readers) if (reader.position < segment.end) behind += 1;
    return this.parts.segmentReads.open(this.segmentPath(segment), segment, behind <= 1);
  }

  /** Counts offsets below the high watermark that a reader found to be damaged; those known to be empty are not counted again. */
  found(damage: DamagedBytes): void {
    // What is below the log start was accounted for when it was removed.
    const lost = this.ledger.ranges.add(Math.max(damage.from, this.logStart), damage.to, 'lost');
    if (lost === 0) return;
    this.#account.dirty = true;
    this.parts.report('error', 'damaged entries were skipped and counted', {
      shard: this.id,
      entries: lost,
      from: damage.from,
      to: damage.to,
      position: damage.position,
    });
  }

  /** Makes the account durable. */
  writeLedger(): Promise<void> {
    return this.#account.write();
  }

  /** Writes what is left to write and lets go of all files; goes on where a part fails and throws the first failure. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    const steps = [
      () => this.#commits.close(),
      () => this.#writer.close(),
      () => this.offsets.close(),
      () => this.#account.write(),
      () => this.#account.close(),
    ];
    for (const step of steps) await step().catch((error: unknown) => failures.push(error));
    for (const reader of this.#readers) reader.close();
    this.hotTail.close();
    if (failures.length > 0) throw failures[0];
  }

  #publish(chain: Chain, segment: Segment, position: number): void {
    segment.addPoint(chain.first, position, this.parts.segmentLimits.indexInterval_bytes);
    segment.bytes = position + chain.bytes;
    segment.end = chain.end;
    if (segment.firstTimestamp === 0) segment.firstTimestamp = chain.firstTimestamp;
    segment.lastTimestamp = Math.max(segment.lastTimestamp, chain.lastTimestamp);
    segment.lastRunning_ms = this.parts.running_ms();
    this.upkeep.used();
    this.#budget.written(chain.bytes);
    this.#budget.unused_bytes = this.#writer.unused_bytes;
    // A segment has begun, so the ones before it may be done with, and the next could be written over one.
    if (position === 0 && this.parts.commitWay.direct && this.#writer.spare.vacant) this.#budget.ask();
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
    this.#account.dirty = true;
    this.parts.report('error', 'a commit failed; its entries were refused', {
      shard: this.id,
      entries: to - from,
      error: error instanceof Error ? error.message : String(error),
    });
  }
}

function bytesOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, segment) => sum + segment.bytes, 0);
}
