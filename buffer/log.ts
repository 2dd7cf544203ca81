// The log: a directory of streams with one owner, one disk budget and one pool of memory. Invariant: between open and
// close nobody else writes below the directory.

import { checkAssignment } from './assignment.ts';
import { BlockPool, type BlockPoolStats } from './block_pool.ts';
import { Budget } from './budget.ts';
import { CommitWay, type CommitWayStats } from './commit_way.ts';
import { openingError } from './directory_error.ts';
import { LogClosed, UnknownStream } from './errors.ts';
import { Group, type GroupOptions, groupViews } from './group.ts';
import { HotMemory } from './hot_tail.ts';
import { type LeaseStats, Leases } from './leases.ts';
import { type Account, addAccounts } from './ledger.ts';
import { type Limits, type LogOptions, limitsOf } from './log_options.ts';
import type { LogParts } from './log_parts.ts';
import { checkGroupName, checkStreamName, isStreamName } from './names.ts';
import { openShard } from './open_shard.ts';
import { Owner } from './owner.ts';
import { BoundedFiles } from './ports/bounded_files.ts';
import type { Clock } from './ports/clock.ts';
import { zstdCodec } from './ports/codec.ts';
import type { FileSystem } from './ports/file_system.ts';
import { nodeFileSystem } from './ports/node_file_system.ts';
import { systemRandom } from './ports/random.ts';
import { systemClock } from './ports/system_clock.ts';
import { Retainer } from './retainer.ts';
import type { GroupView } from './retention.ts';
import { SegmentReads } from './segment_reads.ts';
import type { Shard } from './shard.ts';
import { type ShardStats, type Totals, totalsOf } from './stats.ts';
import { checkStreamOptions, Stream, type StreamOptions } from './stream.ts';
import { checkConsumed, StreamDeletion } from './stream_deletion.ts';
import { streamGlob } from './stream_glob.ts';

const MiB = 1024 * 1024;

export interface LogStats {
  /** All that the segments take, what is kept for commits to come included. */
  readonly used_bytes: number;
  /** Of all logs that share the budget. */
  readonly maxSize_bytes: number;
  /** What may still be written before a disk limit is met. */
  readonly room_bytes: number;
  /**
   * Until appends meet a disk limit, at the pace at which the room shrank over the last ten minutes, ms: an estimate. 0: it
   * is met. Undefined: the room does not shrink, or the log is not open for half a minute yet.
   */
  readonly timeToFull_ms: number | undefined;
  readonly free_bytes: number;
  readonly inFlight_bytes: number;
  readonly epoch: number;
  /** How commits go to the disk. */
  readonly commitWay: CommitWayStats;
  /** Blocks for writing and reading. */
  readonly pool: BlockPoolStats;
  /** What readers hold. */
  readonly leases: LeaseStats;
  /** Of all shards together. */
  readonly total: Totals;
  readonly streams: Readonly<Record<string, readonly ShardStats[]>>;
}

export class Log {
  readonly directory: string;
  readonly #options: LogOptions;
  readonly #fileSystem: FileSystem;
  readonly #clock: Clock;
  readonly #owner: Owner;
  readonly #parts: LogParts;
  readonly #retainer: Retainer;
  /** Shards of every stream on disk, opened or not: they hold disk and are subject to retention. */
  readonly #shards = new Map<string, Shard[]>();
  readonly #streams = new Map<string, Stream>();
  /** Begun and not at their end: what is left of those streams is in nobody's way. */
  readonly #deletions = new Map<string, StreamDeletion>();
  #opening: Promise<unknown> = Promise.resolve();
  #freeing = false;
  #closed = false;
  #closing: Promise<void> | undefined;

  private constructor(
    options: LogOptions,
    limits: Limits,
    fileSystem: FileSystem,
    clock: Clock,
    owner: Owner,
  ) {
    this.directory = options.directory;
    this.#options = options;
    this.#fileSystem = fileSystem;
    this.#clock = clock;
    this.#owner = owner;
    const budget = new Budget(limits.budget, options.sharedDisk);
    const report = options.report ?? (() => {});
    const commitWay = new CommitWay(fileSystem);
    this.#parts = {
      fileSystem,
      clock,
      pool: new BlockPool(16 * MiB),
      leases: new Leases((leaked) =>
        report('error', 'a batch was forgotten without release; its memory is not used again', { leaked }),
      ),
      budget,
      codec: options.codec ?? zstdCodec,
      compression: options.compression,
      segmentLimits: limits.segment,
      entryMax_bytes: options.entryMax_bytes ?? 64 * MiB,
      hotMemory: new HotMemory(options.hotTail_bytes ?? 16 * MiB),
      commitDeadline_ms: options.commitDeadline_ms ?? 30_000,
      commitPolicy: limits.commit,
      commitWay,
      segmentReads: new SegmentReads(fileSystem, () => commitWay.direct),
      epoch: owner.epoch,
      key: owner.key,
      firstOffset: () => owner.firstOffset,
      abandoned: owner.abandoned,
      confirmOwner: () => owner.confirm(),
      running_ms: () => owner.running_ms(),
      report,
    };
    this.#retainer = new Retainer({
      directory: options.directory,
      parts: this.#parts,
      policy: limits.policy,
      interval_ms: options.retention?.interval_ms ?? 5000,
      shards: () => this.#allShards(),
      groupViews: (shard) => this.#groupViews(shard),
      saveRunning: () => owner.save(),
    });
    owner.onLost = (error) => {
      for (const shard of this.#allShards()) shard.poison(error);
    };
    budget.onPressure = () => void this.retain();
  }

  /** Takes the directory and recovers what is in it. @throws OwnerPresent | ForeignDirectory | NewerFormat | KeyLost | DirectoryUnusable | InvalidOption */
  static async open(options: LogOptions): Promise<Log> {
    const limits = limitsOf(options);
    try {
      return await Log.#open(options, limits);
    } catch (error) {
      throw openingError(options.directory, error);
    }
  }

  static async #open(options: LogOptions, limits: Limits): Promise<Log> {
    const unbounded = options.fileSystem ?? nodeFileSystem;
    const fileSystem = new BoundedFiles(unbounded, limits.openFiles);
    const clock = options.clock ?? systemClock;
    const random = options.random ?? systemRandom;
    const owner = await Owner.take(fileSystem, clock, random, options.directory, process.pid, unbounded);
    const log = new Log(options, limits, fileSystem, clock, owner);
    if (limits.commit.durability !== 'fsync') fileSystem.onUnsynced = () => log.#freeFiles();
    if (owner.restored)
      log.#parts.report('error', 'the owner file was lost and is made anew', { epoch: owner.epoch });
    try {
      await log.#chooseWay();
      await log.#finishDeletion();
      for (const name of await fileSystem.list(options.directory)) {
        if (!isStreamName(name) || log.#deletions.has(name)) continue;
        const stat = await fileSystem.stat(`${options.directory}/${name}`);
        if (stat?.directory) await log.#discover(name);
      }
      log.#parts.budget.found();
      await log.#retainer.start();
      return log;
    } catch (error) {
      await log.close().catch(() => {});
      throw error;
    }
  }

  /** Opens a stream, creating what is missing of it. The same stream for the same name until the log is closed. */
  stream(name: string, options: StreamOptions = {}): Promise<Stream> {
    const opened = this.#opening.then(() => this.#openStream(name, options));
    this.#opening = opened.catch(() => {});
    return opened;
  }

  /** The streams on disk whose names match: `*` for anything in a part of a name, `**` for any parts. @throws InvalidName */
  streams(glob: string): Promise<Stream[]> {
    const opened = this.#opening.then(async () => {
      const names = this.streamNames().filter(streamGlob(glob));
      const streams = await Promise.all(names.map((name) => this.#openStream(name)));
      return streams.filter((stream) => stream.shards.length > 0);
    });
    this.#opening = opened.catch(() => {});
    return opened;
  }

  /** A group over the streams that match now, or one reader's share of it. @throws InvalidName | InvalidOption */
  async group(name: string, options: GroupOptions & { readonly streams: string }): Promise<Group> {
    checkAssignment(options.assignment);
    checkGroupName(name);
    const streams = await this.streams(options.streams);
    for (const stream of streams) await stream.group(name, options);
    const shards = streams.flatMap((stream) => stream.shards);
    return new Group(name, shards, options, this.#clock);
  }

  /**
   * Takes a stream out for good, with its groups: its readers, shards and groups are closed, its files go, and its name may be
   * used again, for offsets above all that any deleted stream has used. What was not consumed is counted as `stream_deleted`.
   * Where the disk cuts it off the stream stays closed: call it again.
   * @param options.force also where a protecting group has not consumed all of it, or nobody has read it
   * @throws UnknownStream | StreamUnconsumed, and nothing has changed then | LogClosed | what the disk says
   */
  deleteStream(name: string, options: { readonly force?: boolean } = {}): Promise<void> {
    const deleted = this.#opening.then(() =>
      this.#retainer.exclusively(() => this.#deleteStream(name, options.force ?? false)),
    );
    this.#opening = deleted.catch(() => {});
    return deleted;
  }

  /** What became of every entry that ever was durable in this log, deleted streams included. */
  account(): Account {
    return this.#allShards()
      .map((shard) => shard.account())
      .reduce(addAccounts, this.#owner.deleted);
  }

  /** Names of all streams on disk. */
  streamNames(): string[] {
    return [...this.#shards.keys()].sort();
  }

  stats(): LogStats {
    const { budget, commitWay, epoch, leases, pool } = this.#parts;
    const streams: Record<string, ShardStats[]> = {};
    for (const [name, shards] of this.#shards) streams[name] = shards.map((shard) => shard.stats());
    return {
      used_bytes: budget.used_bytes + budget.unused_bytes,
      maxSize_bytes: budget.limits.maxSize_bytes,
      room_bytes: budget.room_bytes,
      timeToFull_ms: this.#retainer.timeToFull_ms,
      free_bytes: budget.free_bytes,
      inFlight_bytes: budget.inFlight_bytes,
      epoch,
      commitWay: commitWay.stats(),
      pool: pool.stats(),
      leases: leases.stats(),
      total: totalsOf(Object.values(streams).flat()),
      streams,
    };
  }

  /** Why shards take nothing at present, by shard; empty when all is well. */
  failures(): Map<string, unknown> {
    const failures = new Map<string, unknown>();
    for (const shard of this.#allShards())
      if (shard.failure !== undefined) failures.set(shard.id, shard.failure);
    return failures;
  }

  /** Applies retention now; a call that comes while it runs waits for that run. Never rejects. */
  retain(): Promise<void> {
    return this.#retainer.run();
  }

  /** Resolves when all that was appended so far, to any shard, is synced. Rejects with the first failure, once all have been tried. */
  async sync(): Promise<void> {
    const synced = await Promise.allSettled(this.#allShards().map((shard) => shard.sync()));
    const failed = synced.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** Takes nothing new, makes durable what was taken, writes offsets and accounts, and lets go of the directory. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#closed = true;
    const retained = this.#retainer.stop();
    await this.#opening;
    await retained;
    const closed = await Promise.allSettled(this.#allShards().map((shard) => shard.close()));
    await this.#owner.release();
    const failed = closed.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** Where commits do not sync, what they wrote holds descriptors that others wait for: more shards than files would wait for ever. */
  #freeFiles(): void {
    if (this.#freeing) return;
    this.#freeing = true;
    this.#clock.soon(() => {
      this.#freeing = false;
      for (const shard of this.#allShards()) shard.syncSoon();
    });
  }

  #allShards(): Shard[] {
    return [...this.#shards.values()].flat();
  }

  async #openStream(name: string, options?: StreamOptions): Promise<Stream> {
    checkStreamName(name);
    if (options) checkStreamOptions(options);
    if (this.#closed) throw new LogClosed(this.directory);
    const deletion = this.#deletions.get(name);
    if (deletion) await this.#finish(deletion);
    const known = this.#streams.get(name);
    if (known && (known.configured || !options)) return known;
    const fileSystem = this.#fileSystem;
    const directory = `${this.directory}/${name}`;
    const shards = this.#shards.get(name) ?? [];
    this.#shards.set(name, shards);
    for (let index = shards.length; index < (options ? (options.shards ?? 1) : 0); index++) {
      // That a directory is there does not say that it will be after a power cut: an attempt before may have died here.
      await fileSystem.makeDirectory(directory);
      await fileSystem.syncDirectory(this.directory);
      await fileSystem.makeDirectory(`${directory}/${index}`);
      await fileSystem.syncDirectory(directory);
      shards.push(await this.#openShard(name, index));
    }
    if (known) await known.configure(options ?? {});
    const stream = known ?? new Stream(name, shards, options);
    this.#streams.set(name, stream);
    return stream;
  }

  async #deleteStream(name: string, force: boolean): Promise<void> {
    if (this.#closed) throw new LogClosed(this.directory);
    // The owner file names one stream at a time.
    for (const begun of [...this.#deletions.values()]) if (begun.name !== name) await this.#finish(begun);
    const shards = this.#shards.get(name);
    let deletion = this.#deletions.get(name);
    if (!deletion) {
      if (!shards) throw new UnknownStream(name);
      if (!force) checkConsumed(name, shards);
      deletion = new StreamDeletion(name, shards);
      this.#deletions.set(name, deletion);
      this.#shards.delete(name);
      this.#streams.delete(name);
    }
    await this.#finish(deletion);
    this.#parts.report('info', 'a stream was deleted', { stream: name });
  }

  async #finish(deletion: StreamDeletion): Promise<void> {
    await deletion.run(this.#owner, this.#fileSystem, this.directory);
    this.#deletions.delete(deletion.name);
  }

  async #chooseWay(): Promise<void> {
    const { commitPolicy, commitWay, report } = this.#parts;
    await commitWay.choose(this.directory, commitPolicy);
    const { reason } = commitWay.stats();
    if (reason !== undefined && commitPolicy.way === 'direct')
      report('warn', 'direct commits were asked for and cannot be had; segments are appended to', { reason });
    commitWay.onDirect = () =>
      report('info', 'direct writes work by now; segments are written past the page cache from here on', {});
    commitWay.onFallBack = (why) =>
      report('warn', 'a file refused direct writes; segments are appended to from here on', { reason: why });
  }

  /** What an owner before this one decided. It keeps the log from nothing where the disk refuses: the stream is gone. */
  async #finishDeletion(): Promise<void> {
    const name = this.#owner.deleting;
    if (name === undefined) return;
    const deletion = new StreamDeletion(name);
    this.#deletions.set(name, deletion);
    await this.#finish(deletion).catch((error: unknown) => {
      const fields = { stream: name, error: String(error) };
      this.#parts.report('warn', 'files of a deleted stream could not be removed', fields);
    });
  }

  /** Opens the shards of a stream that is on disk. */
  async #discover(name: string): Promise<void> {
    const shards: Shard[] = [];
    this.#shards.set(name, shards);
    await this.#fileSystem.syncDirectory(`${this.directory}/${name}`);
    const names = new Set(await this.#fileSystem.list(`${this.directory}/${name}`));
    for (let index = 0; names.has(String(index)); index++) shards.push(await this.#openShard(name, index));
  }

  #openShard(streamName: string, index: number): Promise<Shard> {
    return openShard({
      streamName,
      index,
      directory: `${this.directory}/${streamName}/${index}`,
      parts: this.#parts,
      offsetsInterval_ms: this.#options.offsetsInterval_ms ?? 1000,
      readEverything: this.#options.readEverything ?? false,
    });
  }

  #groupViews(shard: Shard): GroupView[] {
    const stream = this.#streams.get(shard.id.slice(0, shard.id.lastIndexOf('/')));
    if (stream) return stream.groupViews(shard);
    return groupViews(shard, new Map());
  }
}
