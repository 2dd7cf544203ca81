// A stream: named shards that share groups. Invariant: the shard of a key depends on the key and the configured number of
// shards alone; shards beyond that number drain and take nothing new.

import { crc32 } from 'node:zlib';
import { checkAssignment } from './assignment.ts';
import { type CompressionOptions, checkCompression } from './compression.ts';
import { GroupExists, InvalidOption, UnknownGroup } from './errors.ts';
import { Group, type GroupOptions, groupViews } from './group.ts';
import { addLags, type Lag, lagOf } from './lag.ts';
import { checkGroupName } from './names.ts';
import { encodeOffsets } from './offsets.ts';
import type { GroupView } from './retention.ts';
import type { Shard } from './shard.ts';
import { type ShardStats, type Totals, totalsOf } from './stats.ts';

export interface StreamOptions {
  /** How many shards take appends. Default 1. */
  readonly shards?: number;
  /** How far beyond the disk limits of the log appends may go: space kept for dead letters. Default 0. */
  readonly reserve_bytes?: number;
  /** Where the log drops the oldest to make room, streams of the lowest priority are shed first. Any number. Default 0. */
  readonly priority?: number;
  /** How this stream's frames are stored. Default: as the log says. */
  readonly compression?: CompressionOptions;
}

/** Where a batch begins: its entries have `offset` and those that follow. */
export interface Appended {
  readonly shard: Shard;
  readonly offset: number;
}

/** A group as it stands on disk, opened or not. */
export interface GroupListing {
  readonly name: string;
  readonly protect: boolean;
  /** Of all shards together; the age is that of the oldest. */
  readonly lag: Lag;
  readonly shards: readonly { readonly shard: string; readonly committed: number; readonly lag: Lag }[];
}

export interface StreamStats extends Totals {
  readonly name: string;
  readonly groups: readonly GroupListing[];
  readonly shards: readonly ShardStats[];
}

const SHARDS_MAX = 4096;

/** @throws InvalidOption */
export function checkStreamOptions(options: StreamOptions): void {
  checkCompression(options.compression);
  const { priority = 0, shards = 1 } = options;
  if (!Number.isInteger(shards) || shards < 1 || shards > SHARDS_MAX) {
    throw new InvalidOption('shards', shards, `a whole number from 1 to ${SHARDS_MAX} is`);
  }
  if (!Number.isFinite(priority)) throw new InvalidOption('priority', priority, 'a finite number is');
}

export class Stream {
  readonly name: string;
  /** All shards on disk; the first `writable` of them take appends. */
  readonly shards: readonly Shard[];
  #writable: number;
  #configured = false;
  readonly #groups = new Map<string, Group>();

  /** Made by Log. Without options it is opened for reading: until it is configured all of its shards take appends. */
  constructor(name: string, shards: readonly Shard[], options?: StreamOptions) {
    this.name = name;
    this.shards = shards;
    this.#writable = shards.length;
    if (options) this.#configure(options);
  }

  /** Whether somebody said how many shards take appends. */
  get configured(): boolean {
    return this.#configured;
  }

  /** For the log: takes the options, and gives groups that are open their place in shards that are new. */
  async configure(options: StreamOptions): Promise<void> {
    this.#configure(options);
    for (const group of [...this.#groups.values()]) await this.group(group.name, group.options);
  }

  #configure(options: StreamOptions): void {
    this.#configured = true;
    this.#writable = options.shards ?? 1;
    for (const shard of this.shards) {
      shard.reserve_bytes = options.reserve_bytes ?? 0;
      shard.priority = options.priority ?? 0;
      shard.compress(options.compression);
    }
  }

  /** The shard of a key; a number counts as an unsigned 32-bit hash made by the caller. */
  shardOf(key: Uint8Array | string | number): Shard {
    const hash = typeof key === 'number' ? key >>> 0 : crc32(key);
    return this.shards[hash % this.#writable]!;
  }

  /**
   * Appends a batch to the shard of its key. The key decides the place and is not stored: an entry that is to be known by its
   * key holds it.
   * @throws LogFull | EntryTooLarge | LogClosed
   */
  append(key: Uint8Array | string | number, entries: readonly Uint8Array[]): Appended {
    const shard = this.shardOf(key);
    return { shard, offset: shard.append(entries) };
  }

  /** Opens a consumer group, creating its state where it is new. Resolves when that is durable. */
  async group(name: string, options: GroupOptions = {}): Promise<Group> {
    checkGroupName(name);
    checkAssignment(options.assignment);
    const changed: Promise<void>[] = [];
    for (const shard of this.shards) {
      const state = shard.offsets.groups.get(name);
      const protect = options.protect ?? true;
      if (state?.protect === protect) continue;
      const start = options.start === 'latest' ? shard.highWatermark : shard.logStart;
      changed.push(shard.offsets.put({ ...state, name, protect, committed: state?.committed ?? start }));
    }
    await Promise.all(changed);
    const group = new Group(name, this.shards, options, this.shards[0]!.parts.clock);
    this.#groups.set(name, group);
    return group;
  }

  /** Names of all groups on disk, whether opened or not: each pins what it protects. */
  groupNames(): string[] {
    return [...new Set(this.shards.flatMap((shard) => [...shard.offsets.groups.keys()]))].sort();
  }

  stats(): StreamStats {
    const shards = this.shards.map((shard) => shard.stats());
    return { name: this.name, ...totalsOf(shards), groups: this.groups(), shards };
  }

  /** Every group on disk with how far it has come. */
  groups(): GroupListing[] {
    return this.groupNames().map((name) => {
      const shards = this.#shardsOf(name).map((shard) => {
        const { committed } = shard.offsets.groups.get(name)!;
        return { shard: shard.id, committed, lag: lagOf(shard, committed) };
      });
      return {
        name,
        protect: this.#shardsOf(name).some((shard) => shard.offsets.groups.get(name)!.protect),
        lag: addLags(shards.map((one) => one.lag)),
        shards,
      };
    });
  }

  /** Removes a group for ever: it protects nothing any more. Resolves when that is durable. @throws UnknownGroup */
  async forgetGroup(name: string): Promise<void> {
    const shards = this.#shardsOf(name);
    if (shards.length === 0) throw new UnknownGroup(name, this.name);
    this.#groups.delete(name);
    await Promise.all(shards.map((shard) => shard.offsets.forget(name)));
  }

  /**
   * Gives a group another name; open it again by that. Resolves when that is durable; where it was cut off, call it again.
   * @throws UnknownGroup | GroupExists | InvalidName | TooManyGroups, and nothing has changed then
   */
  async renameGroup(from: string, to: string): Promise<void> {
    checkGroupName(to);
    const shards = this.#shardsOf(from);
    if (shards.length === 0) throw new UnknownGroup(from, this.name);
    for (const shard of shards) {
      if (shard.offsets.groups.has(to)) throw new GroupExists(to, this.name);
      const states = [...shard.offsets.groups.values()];
      encodeOffsets(
        states.map((state) => (state.name === from ? { ...state, name: to } : state)),
        shard.id,
      );
    }
    const open = this.#groups.get(from);
    this.#groups.delete(from);
    // Retention goes by the limits that the owner gave.
    if (open) this.#groups.set(to, open);
    await Promise.all(shards.map((shard) => shard.offsets.rename(from, to)));
  }

  #shardsOf(group: string): Shard[] {
    return this.shards.filter((shard) => shard.offsets.groups.has(group));
  }

  /** For retention: the groups of one shard with the limits that their owners gave. */
  groupViews(shard: Shard): GroupView[] {
    return groupViews(shard, this.#groups);
  }
}
