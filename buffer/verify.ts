// Reads everything that stands in a log's directory and says what is wrong with it. Invariant: it writes nothing. It holds
// the lock where it can, so that nothing changes under it; with `force` it looks beside an owner, and what it then says of
// the ends of active segments and of files that are being replaced may be a false alarm.

import { BlockPool } from './block_pool.ts';
import { ForeignDirectory, OwnerPresent } from './errors.ts';
import { FRAME_HEADER_BYTES, readFrameHeader } from './frame.ts';
import { type FrameKey, NO_KEY, parseKey } from './frame_key.ts';
import { readIndex } from './index_file.ts';
import { findKey, shardsOf } from './key_search.ts';
import { Ledger } from './ledger.ts';
import { indexName, segmentBase, segmentName } from './names.ts';
import { decodeOffsets } from './offsets.ts';
import { decodeOwner } from './owner_record.ts';
import type { FileSystem } from './ports/file_system.ts';
import { nodeFileSystem } from './ports/node_file_system.ts';
import { recoverSegment } from './recovery.ts';
import type { Segment } from './segment.ts';
import { viewSlots } from './two_slot.ts';
import { refuseNewer } from './versions.ts';
import { readFully } from './whole_io.ts';

export interface VerifyOptions {
  readonly directory: string;
  readonly fileSystem?: FileSystem;
  /** Looks also where a process owns the directory. */
  readonly force?: boolean;
  /** Called before each segment with what was read so far. */
  readonly progress?: (read_bytes: number, total_bytes: number) => void;
}

/**
 * `lost`: entries are gone. `index`: an index is missing or wrong. `copy`: one of two copies of a state is damaged.
 * `state`: both are.
 */
export type DamageKind = 'lost' | 'index' | 'copy' | 'state';

export interface Damage {
  readonly kind: DamageKind;
  /** The account knows of it: it was counted, kept aside and reported before. */
  readonly known: boolean;
  readonly file: string;
  readonly stream?: string;
  readonly shard?: number;
  /** Base offset. */
  readonly segment?: number;
  readonly position?: number;
  readonly bytes?: number;
  /** Offsets, the second one exclusive. */
  readonly from?: number;
  readonly to?: number;
  readonly message: string;
}

export interface VerifyReport {
  readonly directory: string;
  /** Whether nobody could change anything meanwhile. */
  readonly locked: boolean;
  readonly shards: number;
  readonly segments: number;
  readonly bytes: number;
  readonly entries: number;
  readonly damage: readonly Damage[];
}

/** @throws ForeignDirectory | OwnerPresent | NewerFormat | KeyLost, and what the disk says */
export async function verifyLog(options: VerifyOptions): Promise<VerifyReport> {
  const fileSystem = options.fileSystem ?? nodeFileSystem;
  const { directory } = options;
  const names = await fileSystem.list(directory);
  if (!names.includes('owner') && (await shardsOf(fileSystem, directory)).length === 0) {
    throw new ForeignDirectory(
      directory,
      names[0] ?? 'nothing',
      'name the directory that the log was opened with, the one that holds the file "owner"',
    );
  }
  // Locking creates the file where it is missing; then there never was an owner to wait for.
  const lock = names.includes('lock') ? await fileSystem.lock(`${directory}/lock`) : undefined;
  if (names.includes('lock') && !lock && !options.force) {
    throw new OwnerPresent(directory, 'a running process');
  }
  try {
    await refuseNewer(fileSystem, directory);
    return await new Verification(fileSystem, options).run(lock !== undefined);
  } finally {
    await lock?.release();
  }
}

class Verification {
  readonly #fileSystem: FileSystem;
  readonly #options: VerifyOptions;
  readonly #pool = new BlockPool(0);
  readonly #damage: Damage[] = [];
  #key: FrameKey = NO_KEY;
  #segments = 0;
  #read_bytes = 0;
  #total_bytes = 0;
  #entries = 0;

  constructor(fileSystem: FileSystem, options: VerifyOptions) {
    this.#fileSystem = fileSystem;
    this.#options = options;
  }

  async run(locked: boolean): Promise<VerifyReport> {
    const { directory } = this.#options;
    const owner = await this.#state(`${directory}/owner`, 'HFOW', {});
    const record = owner && decodeOwner(owner);
    if (record) this.#key = parseKey(record.key);
    else this.#key = (await findKey(this.#fileSystem, directory)) ?? NO_KEY;
    // What is left of a deleted stream goes when the log is next opened.
    const deleted = `${directory}/${record?.deleting ?? ''}/`;
    const shards = (await shardsOf(this.#fileSystem, directory)).filter(
      (shard) => record?.deleting === undefined || !shard.startsWith(deleted),
    );
    for (const shard of shards) this.#total_bytes += await this.#bytesOf(shard);
    for (const shard of shards) await this.#shard(shard);
    return {
      directory,
      locked,
      shards: shards.length,
      segments: this.#segments,
      bytes: this.#read_bytes,
      entries: this.#entries,
      damage: this.#damage,
    };
  }

  async #bases(directory: string): Promise<number[]> {
    const bases = (await this.#fileSystem.list(directory)).map(segmentBase);
    return bases.filter((base) => base !== undefined).sort((a, b) => a - b);
  }

  async #bytesOf(directory: string): Promise<number> {
    let bytes = 0;
    for (const base of await this.#bases(directory))
      bytes += await this.#size(`${directory}/${segmentName(base)}`);
    return bytes;
  }

  async #size(path: string): Promise<number> {
    return (await this.#fileSystem.stat(path))?.size ?? 0;
  }

  async #shard(directory: string): Promise<void> {
    const [stream, index] = directory.split('/').slice(-2);
    const place = { stream: stream!, shard: Number(index) };
    const state = await this.#state(`${directory}/ledger`, 'HFLG', place);
    const ledger = state ? Ledger.decode(state) : new Ledger(this.#key);
    const offsets = await this.#state(`${directory}/offsets`, 'HFOF', place, true);
    let promised = ledger.watermark;
    for (const group of offsets ? decodeOffsets(offsets).values() : []) {
      promised = Math.max(promised, group.committed);
    }
    const bases = await this.#bases(directory);
    let end = state ? ledger.logStart : (bases[0] ?? 0);
    for (const [at, base] of bases.entries()) {
      const path = `${directory}/${segmentName(base)}`;
      this.#lost(ledger, end, base, { ...place, file: path, segment: base, message: 'a segment is missing' });
      const found = await this.#segment(directory, base, bases[at + 1], promised, ledger, place);
      end = Math.max(end, found.end);
    }
    this.#lost(ledger, end, promised, {
      ...place,
      file: directory,
      message: 'the end of the log is missing',
    });
    this.#entries += end - Math.min(end, ledger.logStart) - ledger.ranges.count(ledger.logStart, end);
  }

  async #segment(
    directory: string,
    base: number,
    nextBase: number | undefined,
    promised: number,
    ledger: Ledger,
    shard: { stream: string; shard: number },
  ): Promise<Segment> {
    const path = `${directory}/${segmentName(base)}`;
    const place = { ...shard, file: path, segment: base };
    this.#options.progress?.(this.#read_bytes, this.#total_bytes);
    const file = await this.#fileSystem.open(path, 'read');
    const size = await file.size();
    const input = { file, path, size, base, nextBase, watermark: nextBase ?? promised, key: ledger.key };
    const found = await recoverSegment(input, this.#pool).finally(() => file.close());
    for (const { position, bytes, from, to } of found.damaged) {
      const says = bytes === 0 ? 'entries are missing' : 'damaged bytes';
      this.#lost(ledger, from, to, { ...place, position, bytes, message: says });
    }
    if (nextBase !== undefined && size > 0)
      await this.#index(directory, found.segment, nextBase, size, ledger, place);
    this.#segments += 1;
    this.#read_bytes += size;
    return found.segment;
  }

  /** A sealed segment must have an index that fits, and whose every point is where a frame begins. */
  async #index(
    directory: string,
    segment: Segment,
    nextBase: number,
    size: number,
    ledger: Ledger,
    place: { stream: string; shard: number; segment: number },
  ): Promise<void> {
    const file = `${directory}/${indexName(segment.base)}`;
    const told = (message: string): void => {
      this.#damage.push({ kind: 'index', known: false, ...place, file, message });
    };
    // Behind damage at its end a segment is read at every start: an index would hide where it ends.
    if (segment.bytes !== size) return;
    const index = await readIndex(this.#fileSystem, directory, segment.base, size);
    if (!index) told((await this.#fileSystem.stat(file)) ? 'the index is damaged' : 'the index is missing');
    else if (index.end !== nextBase) told('the index ends elsewhere than the segment');
    else if (!(await this.#pointsHold(`${directory}/${segmentName(segment.base)}`, index, ledger.key))) {
      told('the index points at what is no frame');
    }
  }

  async #pointsHold(path: string, index: Segment, key: FrameKey): Promise<boolean> {
    const file = await this.#fileSystem.open(path, 'read');
    try {
      const header = Buffer.alloc(FRAME_HEADER_BYTES);
      for (const { offset, position } of index.points) {
        const whole = (await readFully(file, header, position)) === header.length;
        const frame = whole ? readFrameHeader(header, 0, key) : undefined;
        // A frame that is damaged itself is told already.
        if (frame && frame.baseOffset !== offset) return false;
        if (!frame && header[0] !== 0x48 && header[1] !== 0x46) return this.#damage.length > 0;
      }
      return true;
    } finally {
      await file.close();
    }
  }

  /** Offsets that hold nothing although they were durable, in part or all known to the account. */
  #lost(
    ledger: Ledger,
    from: number,
    to: number,
    damage: Omit<Damage, 'kind' | 'known' | 'from' | 'to'>,
  ): void {
    const first = Math.max(from, ledger.logStart);
    if (first >= to) return;
    const known = ledger.ranges.count(first, to) === to - first;
    // A commit that failed leaves a hole by right.
    if (known && ledger.ranges.count(first, to, 'lost') === 0) return;
    this.#damage.push({ kind: 'lost', known, from: first, to, ...damage });
  }

  /** The newest state of a two-slot file. */
  async #state(
    path: string,
    magic: string,
    place: { stream?: string; shard?: number },
    mayBeMissing = false,
  ): Promise<Buffer | undefined> {
    const told = (kind: DamageKind, message: string): undefined => {
      this.#damage.push({ kind, known: false, ...place, file: path, message });
      return undefined;
    };
    if (!(await this.#fileSystem.stat(path))) {
      return mayBeMissing ? undefined : told('state', 'the file is missing');
    }
    const file = await this.#fileSystem.open(path, 'read');
    const bytes = Buffer.alloc(8192);
    await readFully(file, bytes, 0).finally(() => file.close());
    const views = viewSlots(bytes);
    const slots = views.filter((slot) => slot.state === 'intact' && slot.magic === magic);
    if (slots.length === 0) return told('state', 'both copies of the state are damaged');
    const damaged = views.find((view) => !slots.includes(view));
    if (damaged) told('copy', `slot ${damaged.slot} is damaged; the other holds the state`);
    return slots.sort((a, b) => b.sequence - a.sequence)[0]!.payload;
  }
}
