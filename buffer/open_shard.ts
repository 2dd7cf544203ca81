// Opens one shard: reads ledger and offsets, finds the segments, recovers those that no index vouches for, and makes the
// result durable before anything is appended. Invariant: opening twice gives the same shard, also when the first opening
// died anywhere.

import { GroupOffsets } from './group_offsets.ts';
import { readIndex, writeIndex } from './index_file.ts';
import { Ledger } from './ledger.ts';
import type { LogParts } from './log_parts.ts';
import { indexBase, indexName, segmentBase, segmentName } from './names.ts';
import { encodeOffsets } from './offsets.ts';
import { DIRECT_BLOCK_BYTES, type File } from './ports/file_system.ts';
import { Quarantine } from './quarantine.ts';
import type { OffsetRange } from './ranges.ts';
import { type RecoveredSegment, recoverSegment } from './recovery.ts';
import { makeDurable } from './salvage.ts';
import type { Segment } from './segment.ts';
import { Shard } from './shard.ts';
import { isSpare } from './spare.ts';
import { type StoredState, TwoSlotFile } from './two_slot.ts';
import { readFully } from './whole_io.ts';

export interface OpenShardOptions {
  readonly streamName: string;
  readonly index: number;
  readonly directory: string;
  readonly parts: LogParts;
  readonly offsetsInterval_ms: number;
  /** Reads every segment whatever its index says, and copies aside whatever is given up: `repairLog`. */
  readonly readEverything?: boolean;
}

export async function openShard(options: OpenShardOptions): Promise<Shard> {
  const opening = new Opening(options);
  try {
    return await opening.run();
  } catch (error) {
    await opening.abandon();
    throw error;
  }
}

class Opening {
  readonly #options: OpenShardOptions;
  readonly #parts: LogParts;
  readonly #directory: string;
  readonly #id: string;
  readonly #quarantine: Quarantine;
  #ledger: Ledger;
  #ledgerMissing = false;
  #ledgerDurable = true;
  readonly #twoSlotFiles: TwoSlotFile[] = [];
  #offsets: GroupOffsets | undefined;
  #changed = false;
  /** Sealed segments that had to be read; with an index the next start need not. */
  readonly #unindexed: Segment[] = [];
  /** The last segment, where it is to end for good where its content ends. */
  #last: RecoveredSegment | undefined;

  constructor(options: OpenShardOptions) {
    this.#options = options;
    this.#parts = options.parts;
    this.#ledger = new Ledger(options.parts.key);
    this.#directory = options.directory;
    this.#id = `${options.streamName}/${options.index}`;
    this.#quarantine = new Quarantine(
      this.#directory,
      this.#id,
      options.parts,
      options.readEverything ?? false,
    );
  }

  async run(): Promise<Shard> {
    const { parts } = this.#options;
    // Names that a dead process left unsynced would be relied upon from here on.
    await parts.fileSystem.syncDirectory(this.#directory);
    const ledgerFile = this.#twoSlot('ledger', 'HFLG');
    const storedLedger = await ledgerFile.open();
    this.#ledgerMissing = storedLedger.payload === undefined;
    this.#ledgerDurable = storedLedger.durable;
    if (storedLedger.payload) this.#ledger = Ledger.decode(storedLedger.payload);
    else if (storedLedger.damaged)
      parts.report('error', 'the ledger is damaged; counts begin anew', { shard: this.#id });
    const offsetsFile = this.#twoSlot('offsets', 'HFOF');
    const storedOffsets = await offsetsFile.open();
    if (!storedOffsets.payload && storedOffsets.damaged) {
      parts.report('error', 'the committed offsets are damaged; all that is kept will be delivered again', {
        shard: this.#id,
      });
    }
    const offsetsState = await this.#agreed(offsetsFile, storedOffsets);
    const { clock } = parts;
    const interval_ms = this.#options.offsetsInterval_ms;
    const offsets = new GroupOffsets(this.#id, offsetsFile, offsetsState, clock, interval_ms);
    this.#offsets = offsets;
    offsets.onError = (error) =>
      parts.report('warn', 'committed offsets could not be written; trying again', {
        shard: this.#id,
        error: String(error),
      });
    if (isNew(storedLedger) && isNew(storedOffsets)) this.#ledger.logStart = parts.firstOffset();
    let promised = this.#ledger.watermark;
    for (const group of offsets.groups.values()) promised = Math.max(promised, group.committed);
    const segments = await this.#segments(promised);
    const next = this.#account(segments, promised);
    const shard = new Shard(this.#options.streamName, this.#options.index, this.#directory, parts, {
      segments,
      ledger: this.#ledger,
      ledgerFile,
      ledgerDurable: this.#ledgerDurable,
      offsets,
      next,
    });
    if (this.#ledgerMissing || this.#changed) await shard.writeLedger();
    if (this.#last) await this.#cut(this.#last, segments);
    // It gets a successor of the same name, and who had this file open would wait there for ever.
    const last = segments[segments.length - 1];
    if (parts.abandoned && last?.sealed === false && last.bytes === 0) segments.pop();
    await this.#index();
    for (const segment of segments) parts.budget.used_bytes += segment.bytes;
    return shard;
  }

  /** Comes after the account, which must know what the segments lack. Where it fails they are read again next time. */
  async #index(): Promise<void> {
    for (const segment of this.#unindexed) {
      await writeIndex(this.#parts.fileSystem, this.#directory, segment).catch(() => {});
    }
  }

  /** Lets go of the files of a shard that could not be opened. */
  async abandon(): Promise<void> {
    // What could not be settled is being tried again by then: it ends first, or it would leave a file open.
    await this.#offsets?.close().catch(() => {});
    await Promise.allSettled(this.#twoSlotFiles.map((file) => file.close()));
  }

  /**
   * Whoever wrote the offsets may have died between the two slots, or one was damaged: until both agree one flipped bit takes
   * back what was committed. What the disk refuses here is written again later.
   */
  async #agreed(file: TwoSlotFile, stored: StoredState): Promise<StoredState> {
    const { readEverything } = this.#options;
    const payload = stored.payload ?? (readEverything ? encodeOffsets([], this.#id) : undefined);
    if (!payload || (stored.payload && stored.mirrored && stored.durable)) return stored;
    try {
      await file.write(payload);
    } catch (error) {
      if (readEverything) throw error;
      return stored;
    }
    return { ...stored, payload, mirrored: true, durable: true };
  }

  #twoSlot(name: string, magic: string): TwoSlotFile {
    const file = new TwoSlotFile(this.#parts.fileSystem, this.#directory, name, magic, () =>
      this.#parts.confirmOwner(),
    );
    this.#twoSlotFiles.push(file);
    return file;
  }

  async #segments(promised: number): Promise<Segment[]> {
    const names = await this.#parts.fileSystem.list(this.#directory);
    const bases = names.map(segmentBase).filter((base) => base !== undefined);
    const there = new Set(bases);
    for (const name of names) {
      // An index goes after its segment: whoever died in between left one that nobody would ever ask for.
      const indexed = indexBase(name);
      const orphan = indexed !== undefined && !there.has(indexed);
      if (orphan || isSpare(name)) await this.#remove(name);
    }
    bases.sort((a, b) => a - b);
    if (this.#ledgerMissing && bases.length > 0) this.#ledger.logStart = bases[0]!;
    const segments: Segment[] = [];
    const held = await this.#heldBases(bases);
    for (let index = 0; index < held.length; index++) {
      const segment = await this.#segment(held[index]!, held[index + 1], promised);
      if (segment) segments.push(segment);
    }
    return segments;
  }

  /** Without segments that hold nothing: one that could not be begun, or was emptied, must not end the one before it. */
  async #heldBases(bases: readonly number[]): Promise<number[]> {
    const held: number[] = [];
    for (const base of bases) {
      const stat = await this.#parts.fileSystem.stat(this.#pathOf(base));
      if (base === bases[bases.length - 1] || (stat && stat.size > 0)) held.push(base);
      else await this.#leftover(base);
    }
    return held;
  }

  async #segment(base: number, nextBase: number | undefined, promised: number): Promise<Segment | undefined> {
    const { fileSystem } = this.#parts;
    const path = this.#pathOf(base);
    const stat = await fileSystem.stat(path);
    if (nextBase !== undefined && !this.#options.readEverything) {
      const indexed = await readIndex(fileSystem, this.#directory, base, stat?.size ?? 0);
      if (indexed && indexed.end <= this.#ledger.logStart) return this.#leftover(indexed.base);
      // The end that the index says must be where the next segment begins, or the rest is looked at.
      if (indexed && indexed.end === nextBase) return indexed;
    }
    // A segment is begun only when everything below its base is durable, or is known to the account to have failed.
    const watermark = nextBase ?? promised;
    let found = await this.#scan(base, nextBase, watermark);
    if (nextBase === undefined && (await this.#settle(found))) {
      found = await this.#scan(base, nextBase, watermark);
    }
    if (base < this.#ledger.logStart && found.segment.end <= this.#ledger.logStart) {
      return this.#leftover(base);
    }
    await this.#quarantine.keep(path, found.damaged);
    const kept = found.damaged.some(({ position }) => position >= found.segment.bytes);
    if (this.#options.readEverything && nextBase === undefined && !kept) {
      const { end: from, bytes: position } = found.segment;
      await this.#quarantine.keep(path, [{ position, bytes: found.tail_bytes, from, to: from }]);
    }
    // The frames of a tail may be all that says what was promised: the account must, before they go.
    if (found.tail_bytes > 0 && nextBase === undefined) this.#changed = true;
    // Without a tail as well: whoever cut it off may have died before his sync, and a power cut would bring it back.
    if (nextBase === undefined && (found.tail_bytes > 0 || this.#parts.abandoned)) this.#last = found;
    this.#note(found.ranges);
    found.segment.sealed = nextBase !== undefined;
    found.segment.lastRunning_ms = this.#parts.running_ms();
    if (nextBase !== undefined && found.segment.bytes === stat?.size) this.#unindexed.push(found.segment);
    return found.segment;
  }

  async #scan(base: number, nextBase: number | undefined, watermark: number): Promise<RecoveredSegment> {
    const path = this.#pathOf(base);
    const file = await this.#parts.fileSystem.open(path, 'read');
    try {
      const size = await file.size();
      return await recoverSegment(
        {
          file,
          path,
          size,
          base,
          nextBase,
          watermark,
          key: this.#ledger.key,
          indexInterval_bytes: this.#parts.segmentLimits.indexInterval_bytes,
        },
        this.#parts.pool,
      );
    } finally {
      await file.close();
    }
  }

  /** Readers must not be shown what a power cut takes away. Returns whether the segment is to be looked at again. */
  async #settle(found: RecoveredSegment): Promise<boolean> {
    const { segment, vouched_bytes } = found;
    if (vouched_bytes === segment.bytes) return false;
    const { fileSystem } = this.#parts;
    const name = segmentName(segment.base);
    const moved = await makeDurable(fileSystem, this.#directory, name, vouched_bytes, segment.bytes);
    if (moved) {
      this.#parts.report('error', 'a segment refuses to be synced and was copied to a new file', {
        shard: this.#id,
        base: segment.base,
      });
    }
    return moved;
  }

  #pathOf(base: number): string {
    return `${this.#directory}/${segmentName(base)}`;
  }

  /** Ranges that recovery found become part of the account, but for what is below the log start or known. */
  #note(ranges: readonly OffsetRange[]): void {
    for (const range of ranges) {
      const added = this.#ledger.ranges.add(
        Math.max(range.from, this.#ledger.logStart),
        range.to,
        range.kind,
      );
      if (added === 0) continue;
      this.#changed = true;
      if (range.kind === 'lost') {
        this.#parts.report('error', 'damaged entries were quarantined and counted', {
          shard: this.#id,
          entries: added,
          from: range.from,
          to: range.to,
        });
      }
    }
  }

  /** Removal was accounted for and interrupted: finish it. */
  async #leftover(base: number): Promise<undefined> {
    // A log start that stands in the page cache alone may be gone after a power cut, and what it gave up would be wanted.
    if (!this.#ledgerDurable) return undefined;
    for (const name of [segmentName(base), indexName(base)]) await this.#remove(name);
    return undefined;
  }

  async #remove(name: string): Promise<void> {
    const path = `${this.#directory}/${name}`;
    try {
      if (await this.#parts.fileSystem.stat(path)) await this.#parts.fileSystem.remove(path);
    } catch (error) {
      const fields = { shard: this.#id, error: String(error) };
      const message = 'a file that is accounted for could not be removed; trying again at the next start';
      this.#parts.report('warn', message, fields);
    }
  }

  /** Comes after the account, which alone knows by then what the tail said was promised. */
  async #cut(found: RecoveredSegment, segments: Segment[]): Promise<void> {
    const { segment, tail_bytes } = found;
    const file = await this.#parts.fileSystem.open(this.#pathOf(segment.base), 'write');
    let torn = true;
    try {
      torn = tail_bytes > 0 && (await this.#isTorn(file, segment.bytes, tail_bytes));
      await file.truncate(segment.bytes);
      await file.sync();
    } catch (error) {
      // Not to be written again: the next commit begins another segment.
      segment.sealed = true;
      // One that holds nothing may get a successor of the same name, which its removal would take along.
      if (segment.bytes === 0) segments.splice(segments.indexOf(segment), 1);
      this.#parts.report('error', 'a torn tail could not be cut off; the segment ends here', {
        shard: this.#id,
        error: String(error),
      });
      return;
    } finally {
      await file.close();
    }
    const fields = { shard: this.#id, bytes: tail_bytes, offset: segment.end };
    if (torn) this.#parts.report('warn', 'a torn tail was cut off; nobody was promised it', fields);
    else if (tail_bytes > 0) this.#parts.report('info', 'space that no commit had used was cut off', fields);
  }

  /** A direct write fills the block in which it ends with zeros; what follows that may be older than the segment. */
  async #isTorn(file: File, position: number, bytes: number): Promise<boolean> {
    const tail = Buffer.alloc(Math.min(bytes, DIRECT_BLOCK_BYTES - (position % DIRECT_BLOCK_BYTES)));
    await readFully(file, tail, position);
    return tail.some((byte) => byte !== 0);
  }

  /** Accounts for offsets between segments and at the end, and returns the offset of the next entry. */
  #account(segments: readonly Segment[], promised: number): number {
    let end = this.#ledger.logStart;
    for (const segment of segments) {
      if (segment.base > end) {
        this.#note([{ from: end, to: segment.base, kind: 'lost' }]);
      }
      end = Math.max(end, segment.end);
    }
    this.#note([{ from: end, to: promised, kind: 'lost' }]);
    // Offsets whose commit failed are known to hold nothing: an entry that got one of them again would be hidden.
    const handedOut = this.#ledger.ranges.list.at(-1)?.to ?? 0;
    return Math.max(end, promised, handedOut);
  }
}

/** Never written; were it lost, some of it would be there. */
function isNew(stored: { readonly payload: Buffer | undefined; readonly damaged: boolean }): boolean {
  return stored.payload === undefined && !stored.damaged;
}
