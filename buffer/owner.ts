// Who owns a log directory. The lock is the kernel's, so it goes with the process; the owner file says who holds it, since
// when, and with which epoch. Invariant: no two owners at a time, and no two owners ever with the same epoch.

import { ForeignDirectory, OwnerPresent, type OwnershipLost } from './errors.ts';
import { type FrameKey, formatKey, makeKey, parseKey } from './frame_key.ts';
import { findKey, holdsLedger } from './key_search.ts';
import { type Account, addAccounts, NO_ENTRIES } from './ledger.ts';
import { isStreamName, WORKERS_DIRECTORY } from './names.ts';
import { decodeOwner, encodeOwner, type OwnerRecord } from './owner_record.ts';
import type { Clock } from './ports/clock.ts';
import { errorCode, type FileSystem, type Lock } from './ports/file_system.ts';
import type { Random } from './ports/random.ts';
import { Tenure } from './tenure.ts';
import { TwoSlotFile } from './two_slot.ts';
import { FORMAT_VERSION, refuseNewer } from './versions.ts';

/** Beside the streams; `lost+found` is the file system's, where the directory is a mount point. */
const OWN_NAMES = new Set(['lock', 'lock-journal', 'owner', 'owner.new', 'lost+found', WORKERS_DIRECTORY]);

export class Owner {
  readonly epoch: number;
  readonly key: FrameKey;
  /** Whether the owner file was lost and made anew: epoch, running time and key are what else could tell. */
  readonly restored: boolean;
  /** Whether the owner before this one did not let go in good order, and may live. */
  readonly abandoned: boolean;
  readonly #lock: Lock;
  readonly #file: TwoSlotFile;
  readonly #clock: Clock;
  readonly #begun_ms: number;
  readonly #tenure: Tenure;
  #record: OwnerRecord;
  #last: Promise<void> = Promise.resolve();

  private constructor(
    lock: Lock,
    file: TwoSlotFile,
    clock: Clock,
    record: OwnerRecord,
    restored: boolean,
    abandoned: boolean,
    tenure: Tenure,
  ) {
    this.abandoned = abandoned;
    this.#tenure = tenure;
    this.#lock = lock;
    this.#file = file;
    this.#clock = clock;
    this.#begun_ms = clock.monotonic();
    this.#record = record;
    this.epoch = record.epoch;
    this.key = parseKey(record.key);
    this.restored = restored;
  }

  /**
   * Takes the directory, creating it if need be.
   * @param unbounded the same file system without a bound on descriptors
   * @throws OwnerPresent | ForeignDirectory | NewerFormat | KeyLost | StateInvalid
   */
  static async take(
    fileSystem: FileSystem,
    clock: Clock,
    random: Random,
    directory: string,
    pid: number,
    unbounded: FileSystem = fileSystem,
  ): Promise<Owner> {
    await makeDirectories(fileSystem, directory);
    const names = await fileSystem.list(directory);
    const foreign = names.find((name) => !OWN_NAMES.has(name) && !isStreamName(name));
    if (foreign !== undefined) throw new ForeignDirectory(directory, foreign);
    // Streams without an owner file are somebody else's folders, unless a ledger says that they are ours: told before
    // anything is created among them.
    const orphan = names.find((name) => !OWN_NAMES.has(name));
    const ours = async (): Promise<boolean> =>
      orphan === undefined || (await holdsLedger(fileSystem, directory));
    if (!names.includes('owner') && !(await ours())) throw new ForeignDirectory(directory, orphan!);
    const file = new TwoSlotFile(fileSystem, directory, 'owner', 'HFOW');
    const lock = await fileSystem.lock(`${directory}/lock`);
    if (!lock) throw new OwnerPresent(directory, await describe(file));
    try {
      // A process that died between making a name and syncing it left one that a power cut still takes away.
      if (!names.includes('owner')) await syncParents(fileSystem, directory);
      await fileSystem.syncDirectory(directory);
      await refuseNewer(fileSystem, directory);
      const { payload, damaged } = await file.open();
      const last = payload ? decodeOwner(payload) : undefined;
      if (!last && !damaged && !(await ours())) throw new ForeignDirectory(directory, orphan!);
      const lost = !last && (damaged || orphan !== undefined);
      const key = lost ? await findKey(fileSystem, directory) : undefined;
      const record: OwnerRecord = {
        format: FORMAT_VERSION,
        // Where the last epoch is lost, time serves: it is above any count of openings.
        epoch: last ? last.epoch + 1 : lost ? Math.floor(clock.now() / 1000) : 1,
        pid,
        since: new Date(clock.now()).toISOString(),
        running_ms: last?.running_ms ?? 0,
        ...(last?.deleting === undefined ? {} : { deleting: last.deleting }),
        ...(last?.deleted === undefined ? {} : { deleted: last.deleted }),
        ...(last?.firstOffset === undefined ? {} : { firstOffset: last.firstOffset }),
        key: last ? formatKey(parseKey(last.key)) : formatKey(key ?? makeKey(random)),
      };
      // The second attempt goes into a new file: one bad sector must not keep the log from opening.
      await file.write(encodeOwner(record)).catch(() => file.write(encodeOwner(record)));
      const tenure = new Tenure(unbounded, clock, directory, record.epoch);
      return new Owner(
        lock,
        file,
        clock,
        record,
        lost,
        lost || (last !== undefined && !last.released),
        tenure,
      );
    } catch (error) {
      await file.close();
      await lock.release();
      throw error;
    }
  }

  /** Running time of the log over all its owners, ms: monotonic, whatever the wall clock does. */
  running_ms(): number {
    return this.#record.running_ms + (this.#clock.monotonic() - this.#begun_ms);
  }

  /** See Tenure: asked before and after whatever another owner must not meet. */
  confirm(): Promise<void> | undefined {
    return this.#tenure.confirm();
  }

  set onLost(told: (error: OwnershipLost) => void) {
    this.#tenure.onLost = told;
  }

  /** The stream whose files are being removed. */
  get deleting(): string | undefined {
    return this.#record.deleting;
  }

  /** What became of all entries of the streams that were deleted. */
  get deleted(): Account {
    const { deleted } = this.#record;
    return { ...NO_ENTRIES, ...deleted, dropped: { ...NO_ENTRIES.dropped, ...deleted?.dropped } };
  }

  /** Where the shards of new streams begin. */
  get firstOffset(): number {
    return this.#record.firstOffset ?? 0;
  }

  /** Decides that the stream is gone. @param end the highest offset that any of its shards could have used */
  beginDeletion(stream: string, account: Account, end: number): Promise<void> {
    return this.#replace((record) => ({
      ...record,
      deleting: stream,
      deleted: addAccounts(this.deleted, account),
      firstOffset: Math.max(this.firstOffset, end),
    }));
  }

  /** Its files are gone, and its name may be used again. */
  endDeletion(): Promise<void> {
    return this.#replace(({ deleting: _, ...record }) => record);
  }

  /** Into both slots: were one damaged later, the older record would bring back a stream, or delete its successor. */
  #replace(change: (record: OwnerRecord) => OwnerRecord): Promise<void> {
    return this.#inTurn(async () => {
      const record = change(this.#record);
      await this.#write(record);
      await this.#write(record);
      this.#record = record;
    });
  }

  /** Makes the running time durable. */
  save(): Promise<void> {
    return this.#inTurn(() => this.#write(this.#record));
  }

  /** With the running time as it is now, whatever is written: an older one would set back all ages. */
  async #write(record: OwnerRecord): Promise<void> {
    await this.confirm();
    await this.#file.write(encodeOwner({ ...record, running_ms: Math.round(this.running_ms()) }));
  }

  /** One write at a time: retention saves the running time while a deletion that was cut off goes on. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const run = this.#last.then(work);
    this.#last = run.catch(() => {});
    return run;
  }

  async release(): Promise<void> {
    try {
      await this.#inTurn(() => this.#write({ ...this.#record, released: true }));
    } finally {
      await this.#tenure.close();
      await this.#file.close();
      await this.#lock.release();
    }
  }
}

async function describe(file: TwoSlotFile): Promise<string> {
  const { payload } = await file.open('read');
  await file.close();
  if (!payload) return 'another process';
  const owner = decodeOwner(payload);
  return `process ${owner.pid} since ${owner.since}`;
}

/** As far as they let us: what cannot be opened or synced is somebody else's, durable before we came. */
async function syncParents(fileSystem: FileSystem, directory: string): Promise<void> {
  for (let at = directory; at !== '/' && at !== '.'; ) {
    at = parentOf(at);
    try {
      await fileSystem.syncDirectory(at);
    } catch (error) {
      if (errorCode(error) === 'EIO') throw error;
    }
  }
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  if (slash > 0) return path.slice(0, slash);
  return slash === 0 ? '/' : '.';
}

/** Creates the directory and its parents, each entry durable before the next. */
export async function makeDirectories(fileSystem: FileSystem, directory: string): Promise<void> {
  if (await fileSystem.stat(directory)) return;
  const parent = parentOf(directory);
  if (parent !== directory) await makeDirectories(fileSystem, parent);
  if (await fileSystem.makeDirectory(directory)) await fileSystem.syncDirectory(parent);
}
