// A stream: named shards that share groups. Invariant: the shard of a key depends on the key and the configured number of
// shards alone; shards beyond that number drain and take nothing new.

import { crc32 } from 'node:zlib';
import { Group, type GroupOptions, groupViews } from './group.ts';
import { checkGroupName } from './names.ts';
import type { GroupView } from './retention.ts';
import type { Shard } from './shard.ts';

export interface StreamOptions {
  /** How many shards take appends. Default 1. */
  readonly shards?: number;
  /** How far beyond the disk limits of the log appends may go: space kept for dead letters. Default 0. */
  readonly reserve_bytes?: number;
}

export class Stream {
  readonly name: string;
  /** All shards on disk; the first `writable` of them take appends. */
  readonly shards: readonly Shard[];
  readonly #writable: number;
  readonly #groups = new Map<string, Group>();

  /** Made by Log.stream. */
  constructor(name: string, shards: readonly Shard[], options: StreamOptions) {
    this.name = name;
    this.shards = shards;
    this.#writable = options.shards ?? 1;
    for (const shard of shards) shard.reserve_bytes = options.reserve_bytes ?? 0;
  }

  /** The shard of a key; a number counts as an unsigned 32-bit hash made by the caller. */
  shardOf(key: Uint8Array | string | number): Shard {
    const hash = typeof key === 'number' ? key >>> 0 : crc32(key);
    return this.shards[hash % this.#writable]!;
  }

  /** Opens a consumer group, creating its state where it is new. Resolves when that is durable. */
  async group(name: string, options: GroupOptions = {}): Promise<Group> {
    checkGroupName(name);
    const changed: Promise<void>[] = [];
    for (const shard of this.shards) {
      const state = shard.offsets.groups.get(name);
      const protect = options.protect ?? true;
      if (state?.protect === protect) continue;
      const start = options.start === 'latest' ? shard.highWatermark : shard.logStart;
      changed.push(shard.offsets.put({ name, protect, committed: state?.committed ?? start }));
    }
    await Promise.all(changed);
    const group = new Group(name, this.shards, options);
    this.#groups.set(name, group);
    return group;
  }

  /** Names of all groups on disk, whether opened or not: each pins what it protects. */
  groupNames(): string[] {
    return [...new Set(this.shards.flatMap((shard) => [...shard.offsets.groups.keys()]))].sort();
  }

  /** For retention: the groups of one shard with the limits that their owners gave. */
  groupViews(shard: Shard): GroupView[] {
    return groupViews(shard, this.#groups);
  }
}
