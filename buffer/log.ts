// The log: a directory of streams with one owner, one disk budget and one pool of memory. Invariant: between open and
// close nobody else writes below the directory.

import { checkAssignment } from './assignment.ts';
import { BlockPool, type BlockPoolStats } from './block_pool.ts';
import { Budget, type WhenFull } from './budget.ts';
import { LogClosed } from './errors.ts';
import { Group, type GroupOptions } from './group.ts';
import { type LeaseStats, Leases } from './leases.ts';
import { checkGroupName, checkStreamName, isStreamName } from './names.ts';
import { openShard } from './open_shard.ts';
import { Owner } from './owner.ts';
import type { Clock, Timer } from './ports/clock.ts';
import type { FileSystem } from './ports/file_system.ts';
import { nodeFileSystem } from './ports/node_file_system.ts';
import { type Random, systemRandom } from './ports/random.ts';
import { systemClock } from './ports/system_clock.ts';
import { decideRetention, type RetentionPolicy } from './retention.ts';
import type { LogParts, SealWhen, Shard, ShardStats } from './shard.ts';
import { type Totals, totalsOf } from './stats.ts';
import { checkStreamOptions, Stream, type StreamOptions } from './stream.ts';
import { streamGlob } from './stream_glob.ts';

const MiB = 1024 * 1024;

export interface RetentionOptions {
  /** Bytes that all segments together may take. Default 1 GiB. */
  readonly maxSize_bytes?: number;
  /** Age (running time) above which data is removed. Default: none. */
  readonly maxAge_ms?: number;
  /** Bytes of the file system that stay free. Default 64 MiB. */
  readonly minFreeSpace_bytes?: number;
  /** What happens to appends when a limit is reached. Default `reject`. */
  readonly whenFull?: WhenFull;
  /** Whether age leaves alone what a protecting group has not consumed. Default true. */
  readonly protectUnconsumed?: boolean;
  /** How often policies are applied. Default 5 s. */
  readonly interval_ms?: number;
}

export interface LogOptions {
  readonly directory: string;
  /** Default: the real ones. A simulator passes its own. */
  readonly fileSystem?: FileSystem;
  readonly clock?: Clock;
  /** Where the key of a new log comes from. */
  readonly random?: Random;
  readonly report?: LogParts['report'];
  /** When a segment ends: 64 MiB (an eighth of `maxSize_bytes` at most) or 1 h by default. */
  readonly segment?: { readonly maxBytes?: number; readonly maxAge_ms?: number };
  readonly retention?: RetentionOptions;
  /** Bytes appended and not yet durable; beyond it appends throw LogFull. Default 64 MiB. */
  readonly inFlightMax_bytes?: number;
  /** Largest entry. Default 64 MiB. */
  readonly entryMax_bytes?: number;
  /** How often committed offsets are written. Default 1 s. */
  readonly offsetsInterval_ms?: number;
  /** How long a commit may take before its waiters are refused. Default 30 s. */
  readonly commitDeadline_ms?: number;
  /** Bytes of just written data kept in memory for each shard's readers. Default 8 MiB. */
  readonly hotTail_bytes?: number;
  /** Opens by reading every segment, whatever its index says, and keeps a copy of all that is cut off. Default false. */
  readonly readEverything?: boolean;
}

export interface LogStats {
  readonly used_bytes: number;
  readonly maxSize_bytes: number;
  readonly free_bytes: number;
  readonly inFlight_bytes: number;
  readonly epoch: number;
  /** Blocks for writing and reading. */
  readonly pool: BlockPoolStats;
  /** What readers hold. */
  readonly leases: LeaseStats;
  /** Of all shards together. */
  readonly total: Totals;
  readonly streams: Readonly<Record<string, readonly ShardStats[]>>;
}

const SAVE_RUNNING_MS = 60_000;

export class Log {
  readonly directory: string;
  readonly #options: LogOptions;
  readonly #fileSystem: FileSystem;
  readonly #clock: Clock;
  readonly #owner: Owner;
  readonly #parts: LogParts;
  readonly #policy: RetentionPolicy;
  /** Shards of every stream on disk, opened or not: they hold disk and are subject to retention. */
  readonly #shards = new Map<string, Shard[]>();
  readonly #streams = new Map<string, Stream>();
  #opening: Promise<unknown> = Promise.resolve();
  #timer: Timer | undefined;
  #retention: Promise<void> | undefined;
  #saved_ms = 0;
  #closed = false;
  #closing: Promise<void> | undefined;

  private constructor(options: LogOptions, fileSystem: FileSystem, clock: Clock, owner: Owner) {
    const retention = options.retention ?? {};
    this.directory = options.directory;
    this.#options = options;
    this.#fileSystem = fileSystem;
    this.#clock = clock;
    this.#owner = owner;
    this.#policy = {
      maxAge_ms: retention.maxAge_ms,
      protectUnconsumed: retention.protectUnconsumed ?? true,
      whenFull: retention.whenFull ?? 'reject',
    };
    const budget = new Budget({
      maxSize_bytes: retention.maxSize_bytes ?? 1024 * MiB,
      minFreeSpace_bytes: retention.minFreeSpace_bytes ?? 64 * MiB,
      inFlightMax_bytes: options.inFlightMax_bytes ?? 64 * MiB,
      whenFull: this.#policy.whenFull,
    });
    budget.onPressure = () => void this.retain();
    const report = options.report ?? (() => {});
    this.#parts = {
      fileSystem,
      clock,
      pool: new BlockPool(16 * MiB),
      leases: new Leases((leaked) =>
        report('error', 'a batch was forgotten without release; its memory is not used again', { leaked }),
      ),
      budget,
      segmentLimits: {
        // Removal goes by whole segments, so a small log has small ones.
        maxBytes: Math.min(options.segment?.maxBytes ?? 64 * MiB, Math.ceil(budget.limits.maxSize_bytes / 8)),
        maxAge_ms: options.segment?.maxAge_ms ?? 3_600_000,
      },
      entryMax_bytes: options.entryMax_bytes ?? 64 * MiB,
      hotTail_bytes: options.hotTail_bytes ?? 8 * MiB,
      commitDeadline_ms: options.commitDeadline_ms ?? 30_000,
      epoch: owner.epoch,
      key: owner.key,
      running_ms: () => owner.running_ms(),
      report,
    };
  }

  /** Takes the directory and recovers what is in it. @throws OwnerPresent | ForeignDirectory | NewerFormat | KeyLost */
  static async open(options: LogOptions): Promise<Log> {
    const fileSystem = options.fileSystem ?? nodeFileSystem;
    const clock = options.clock ?? systemClock;
    const random = options.random ?? systemRandom;
    const owner = await Owner.take(fileSystem, clock, random, options.directory, process.pid);
    const log = new Log(options, fileSystem, clock, owner);
    if (owner.restored)
      log.#parts.report('error', 'the owner file was lost and is made anew', { epoch: owner.epoch });
    try {
      for (const name of await fileSystem.list(options.directory)) {
        if (!isStreamName(name)) continue;
        const stat = await fileSystem.stat(`${options.directory}/${name}`);
        if (stat?.directory) await log.#discover(name);
      }
      await log.#measure();
      log.#arm();
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

  /** Names of all streams on disk. */
  streamNames(): string[] {
    return [...this.#shards.keys()].sort();
  }

  stats(): LogStats {
    const { budget, epoch, leases, pool } = this.#parts;
    const streams: Record<string, ShardStats[]> = {};
    for (const [name, shards] of this.#shards) streams[name] = shards.map((shard) => shard.stats());
    return {
      used_bytes: budget.used_bytes,
      maxSize_bytes: budget.limits.maxSize_bytes,
      free_bytes: budget.free_bytes,
      inFlight_bytes: budget.inFlight_bytes,
      epoch,
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
    if (this.#closed) return Promise.resolve();
    this.#retention ??= this.#retain().finally(() => {
      this.#retention = undefined;
    });
    return this.#retention;
  }

  /** Takes nothing new, makes durable what was taken, writes offsets and accounts, and lets go of the directory. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#opening;
    await this.#retention;
    const closed = await Promise.allSettled(this.#allShards().map((shard) => shard.close()));
    await this.#owner.release();
    const failed = closed.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  #allShards(): Shard[] {
    return [...this.#shards.values()].flat();
  }

  async #openStream(name: string, options?: StreamOptions): Promise<Stream> {
    checkStreamName(name);
    if (options) checkStreamOptions(options);
    if (this.#closed) throw new LogClosed(this.directory);
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

  #arm(): void {
    if (this.#closed) return;
    this.#timer = this.#clock.setTimer(() => {
      void this.retain().finally(() => this.#arm());
    }, this.#options.retention?.interval_ms ?? 5000);
  }

  /** Never rejects: what cannot be done now is reported and tried again at the next interval. */
  async #retain(): Promise<void> {
    try {
      await this.#measure();
      const shards = this.#allShards();
      const seal = this.#sealWhen(shards);
      for (const shard of shards) await shard.tidy(this.#consumedBelow(shard), seal);
      const views = shards.map((shard) => ({
        segments: shard.segmentViews(),
        groups: this.#groupViews(shard),
      }));
      const { budget } = this.#parts;
      const removals = decideRetention(views, this.#policy, budget.overflow_bytes(), budget.pressure());
      for (const [index, shard] of shards.entries()) {
        const own = removals.filter((removal) => removal.shard === index);
        if (own.length > 0) await shard.remove(own);
      }
      if (this.#policy.maxAge_ms !== undefined) await this.#saveRunning();
    } catch (error) {
      this.#parts.report('warn', 'retention was interrupted; trying again', { error: String(error) });
    }
  }

  async #measure(): Promise<void> {
    this.#parts.budget.measured(await this.#fileSystem.freeSpace(this.directory));
  }

  async #saveRunning(): Promise<void> {
    const running_ms = this.#owner.running_ms();
    if (running_ms - this.#saved_ms < SAVE_RUNNING_MS) return;
    this.#saved_ms = running_ms;
    await this.#owner.save();
  }

  #groupViews(shard: Shard): ReturnType<Stream['groupViews']> {
    const stream = this.#streams.get(shard.id.slice(0, shard.id.lastIndexOf('/')));
    if (stream) return stream.groupViews(shard);
    return [...shard.offsets.groups.values()].map((state) => ({
      ...state,
      maxLag_bytes: undefined,
      maxLag_ms: undefined,
    }));
  }

  /** The active segment is never removed, so where room is needed it has to end early. */
  #sealWhen(shards: readonly Shard[]): SealWhen {
    const { budget } = this.#parts;
    const pressed = budget.pressed;
    budget.pressed = false;
    if (!pressed) return 'idle';
    const removable = shards.some((shard) => shard.segments[0]?.sealed);
    const mustDrop = this.#policy.whenFull === 'drop_oldest' && budget.pressure() !== undefined;
    return mustDrop && !removable ? 'holds_data' : 'consumed';
  }

  /** What every group that counts has consumed; undefined where there is no group. */
  #consumedBelow(shard: Shard): number | undefined {
    const groups = [...shard.offsets.groups.values()];
    const protecting = groups.filter((group) => group.protect);
    const counting = protecting.length > 0 ? protecting : groups;
    return counting.length === 0 ? undefined : Math.min(...counting.map((group) => group.committed));
  }
}
