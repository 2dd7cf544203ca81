// What retention does to one shard: it shows the segments, seals the active one, removes the oldest. Invariant: the account
// of what is removed is durable before a file goes.

import type { ShardBudget } from './budget.ts';
import type { CommitLoop } from './commit_loop.ts';
import type { GroupOffsets } from './group_offsets.ts';
import type { Account } from './ledger.ts';
import type { LedgerFile } from './ledger_file.ts';
import type { LogParts } from './log_parts.ts';
import { indexName, segmentName } from './names.ts';
import { errorCode } from './ports/file_system.ts';
import { consumedBelow, type Removal, type SegmentView } from './retention.ts';
import type { Segment } from './segment.ts';
import type { SegmentWriter } from './segment_writer.ts';

/** When the active segment ends before its time: consumed and idle, consumed, or holding anything at all. */
export type SealWhen = 'idle' | 'consumed' | 'holds_data';

/** A consumed active segment is given back to the disk when nothing was appended for so long. */
const SEAL_IDLE_MS = 10_000;
const SEAL_IDLE_BYTES = 1024 * 1024;
/** A spare is kept where the next segment is needed within so long, at the pace of this one, and commits came so lately. */
const SPARE_SOON_MS = 60_000;
const SPARE_IDLE_MS = 5_000;

export interface UpkeepOptions {
  readonly shard: string;
  readonly directory: string;
  readonly parts: LogParts;
  readonly budget: ShardBudget;
  /** Shared with the shard, oldest first. */
  readonly segments: Segment[];
  readonly offsets: GroupOffsets;
  readonly account: LedgerFile;
  readonly commits: CommitLoop;
  readonly writer: SegmentWriter;
  /** The offset that the slowest reader reads next; infinite where nobody reads. */
  lowestReader(): number;
}

export class Upkeep {
  readonly #options: UpkeepOptions;
  #idleSince_ms: number;

  constructor(options: UpkeepOptions) {
    this.#options = options;
    this.#idleSince_ms = options.parts.clock.monotonic();
  }

  /** Entries were appended just now. */
  used(): void {
    this.#idleSince_ms = this.#options.parts.clock.monotonic();
  }

  segmentViews(): SegmentView[] {
    const now_ms = this.#options.parts.running_ms();
    return this.#options.segments.map((segment) => ({
      base: segment.base,
      end: segment.end,
      bytes: segment.bytes,
      sealed: segment.sealed,
      lastTimestamp: segment.lastTimestamp,
      age_ms: now_ms - segment.lastRunning_ms,
    }));
  }

  /** By how much the shard is beyond its own limit, with the largest append that was refused since the last call. */
  takeOverflow_bytes(): number {
    return this.#options.budget.takeOverflow_bytes();
  }

  /** Removes the oldest segments: first the account is made durable, then the files go. */
  async remove(removals: readonly Omit<Removal, 'shard'>[]): Promise<void> {
    const { account, budget, commits, offsets, parts, segments, shard } = this.#options;
    const before = segments.length;
    for (const removal of removals) {
      // A segment in which nothing was ever durable ends behind the watermark, which the log start does not pass.
      const until = Math.min(removal.until, commits.highWatermark);
      account.ledger.removeUntil(until, removal.consumedBelow, removal.reason);
    }
    // What was consumed should be known to be before it is gone. Where that cannot be written the log start says as much.
    await offsets.flush().catch(() => {});
    await account.write();
    for (let oldest = segments[0]; oldest?.sealed; oldest = segments[0]) {
      if (oldest.bytes > 0 && oldest.end > account.ledger.logStart) break;
      const segment = segments.shift()!;
      budget.removed(segment.bytes);
      if (!(await this.#keepSpare(segment))) await this.#removeFile(segmentName(segment.base));
      await this.#removeFile(indexName(segment.base));
    }
    parts.report('info', 'segments removed', { shard, segments: before - segments.length });
  }

  /** Keeps the file of a segment that is gone for the next one to be written over, where that will come soon. */
  async #keepSpare(segment: Segment): Promise<boolean> {
    const { budget, lowestReader, parts, writer } = this.#options;
    const { direct } = parts.commitWay;
    // Whoever still reads the file would find other frames in it.
    const unread = lowestReader() >= segment.end;
    const large = segment.bytes * 2 >= parts.segmentLimits.maxBytes;
    if (!direct || !segment.reusable || !unread || !large || !writer.spare.vacant || !this.#spareWanted)
      return false;
    const kept = await writer.spare.keep(segmentName(segment.base), segment.bytes);
    if (!kept) await writer.spare.remove().catch(() => {});
    budget.unused_bytes = writer.unused_bytes;
    return kept;
  }

  get #spareWanted(): boolean {
    const { budget, parts, writer } = this.#options;
    const idle_ms = parts.clock.monotonic() - this.#idleSince_ms;
    return idle_ms <= SPARE_IDLE_MS && writer.fullIn_ms <= SPARE_SOON_MS && !budget.crowded;
  }

  /** Of a closed shard whose stream is deleted: what became of its entries, now that none is kept. */
  accountOfDeletion(): Account {
    const { account, commits, offsets } = this.#options;
    const consumed = consumedBelow([...offsets.groups.values()]) ?? 0;
    account.ledger.removeUntil(commits.highWatermark, consumed, 'stream_deleted');
    return account.ledger.account(commits.highWatermark);
  }

  /** The files of the shard are gone: gives back what they took. */
  removed(): void {
    const { budget } = this.#options;
    budget.unused_bytes = 0;
    budget.removed(budget.used_bytes);
  }

  /** Gone is what is wanted; what cannot go now is accounted for, and goes when the log is next opened. */
  async #removeFile(name: string): Promise<void> {
    const { directory, parts, shard } = this.#options;
    try {
      await parts.fileSystem.remove(`${directory}/${name}`);
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return;
      const fields = { shard, file: name, error: String(error) };
      parts.report('warn', 'a file that is done with could not be removed', fields);
    }
  }

  /** Seals the active segment where its age, its readers or a lack of room say that it should end. */
  async tidy(consumedBelow: number | undefined, sealWhen: SealWhen): Promise<void> {
    const { account, budget, commits, parts, segments, writer } = this.#options;
    if (account.dirty) await account.write();
    if (writer.unused_bytes > 0 && (sealWhen !== 'idle' || !this.#spareWanted)) {
      await commits
        .exclusively(() => writer.giveBack())
        .finally(() => {
          budget.unused_bytes = writer.unused_bytes;
        });
    }
    const active = segments[segments.length - 1];
    if (!active || active.sealed || active.bytes === 0) return;
    const idle_ms = parts.clock.monotonic() - this.#idleSince_ms;
    const consumed = consumedBelow !== undefined && consumedBelow >= active.end;
    const idle = idle_ms > SEAL_IDLE_MS && active.bytes > SEAL_IDLE_BYTES;
    const asked = sealWhen === 'holds_data' || (consumed && (idle || sealWhen === 'consumed'));
    if (!writer.overage && !asked) return;
    await commits.exclusively(() => writer.seal());
    budget.unused_bytes = writer.unused_bytes;
  }
}
