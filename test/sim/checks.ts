// What must hold of an open log whatever happened before: its account, its budget, its groups, and that all it promised
// can be read. Invariant: checks read only; they change nothing that a workload would notice.

import { DIRECT_BLOCK_BYTES } from '../../buffer/ports/file_system.ts';
import type { Disk } from './disk.ts';
import type { ShardModel } from './model.ts';
import { mayDrop, mayLag, type RunOptions } from './options.ts';
import { GROUPS, type GroupName, readAll, type Subject } from './subject.ts';
import { type InvariantNumber, Violation } from './violation.ts';

/** What is known of one group in one shard. */
export interface GroupTrack {
  /** Highest offset whose commit was durable, and highest that was ever committed. */
  durable: number;
  max: number;
  /** The same over all lives of the log. */
  ever: number;
  /** Where its reader stands. */
  position: number;
  /** How often somebody moved the group: what was committed before says nothing any more. */
  moves: number;
  /** Offsets acknowledged one by one, where the group does so. */
  readonly acknowledged: Set<number>;
}

/** What is known of one shard besides its entries. */
export interface ShardTrack {
  readonly model: ShardModel;
  readonly groups: Record<GroupName, GroupTrack>;
  /** What the model counted below the log start. */
  removed: { settled: number; lost: number; unknown: number };
  logStart: number;
  /** Somebody forgot a group for a moment, in which it protected nothing. */
  unprotected: boolean;
}

export function newTrack(model: ShardModel): ShardTrack {
  const groups = Object.fromEntries(
    GROUPS.map((name) => [
      name,
      { durable: 0, max: 0, ever: 0, position: 0, moves: 0, acknowledged: new Set<number>() },
    ]),
  );
  return {
    model,
    groups: groups as ShardTrack['groups'],
    removed: { settled: 0, lost: 0, unknown: 0 },
    logStart: 0,
    unprotected: false,
  };
}

function must(holds: boolean, invariant: InvariantNumber, message: () => string): void {
  if (!holds) throw new Violation(invariant, message());
}

/** After opening: nothing promised lies behind the end, and no group went back or ahead. */
export function checkRecovered(
  subject: Subject,
  tracks: readonly ShardTrack[],
  troubled: boolean,
  landing = false,
): void {
  for (const [index, shard] of subject.shards.entries()) {
    const track = tracks[index]!;
    must(shard.logEnd === shard.highWatermark, 5, () => `${shard.id}: opened with entries in flight`);
    track.model.recovered(shard.highWatermark, landing);
    track.removed = track.model.removedBelow(shard.logStart);
    track.logStart = shard.logStart;
    for (const name of GROUPS) {
      const group = track.groups[name];
      const committed = subject.groups[name].committed(shard);
      must(
        committed >= group.durable,
        6,
        () => `${shard.id} ${name}: committed ${committed}, ${group.durable} was durable`,
      );
      must(
        committed <= Math.max(group.max, shard.logStart),
        6,
        () => `${shard.id} ${name}: committed ${committed}, only ${group.max} ever was`,
      );
      // On a failing disk what was read may not be what is there after a power cut: that may be what stood there before.
      if (!troubled) group.durable = committed;
      group.max = troubled ? Math.max(group.max, committed) : committed;
      group.position = committed;
    }
  }
}

/** Reads every shard from its log start and compares with what was promised. */
export async function audit(subject: Subject, tracks: readonly ShardTrack[]): Promise<void> {
  for (const [index, shard] of subject.shards.entries()) {
    const { model } = tracks[index]!;
    const present = new Set<number>();
    const { from, end } = await readAll(shard, (offset, bytes) => {
      model.read(offset, bytes);
      present.add(offset);
    });
    // Retention may have been at work meanwhile.
    const start = Math.max(from, shard.logStart);
    const below = [...present].filter((offset) => offset < start);
    for (const offset of below) present.delete(offset);
    model.audited(start, end, present);
    const retained = shard.highWatermark === end ? shard.account().retained : present.size;
    must(
      retained === present.size,
      8,
      () => `${shard.id}: ${retained} entries are said to be retained, ${present.size} can be read`,
    );
  }
}

/**
 * What the budget counts is on the disk. `exact`: nothing was refused, so the segments hold nothing else, but that a direct write
 * fills the last block of each active one.
 */
export function checkDisk(subject: Subject, disk: Disk, exact: boolean): void {
  const counted = subject.log.stats().used_bytes;
  let held = 0;
  for (const { path, file } of disk.files()) if (/\.log$|\/spare-\d+$/.test(path)) held += file.live_bytes;
  const filled = subject.shards.length * (DIRECT_BLOCK_BYTES - 1);
  const right = counted <= held && (!exact || held <= counted + filled);
  must(right, 8, () => `the budget counts ${counted} bytes, the disk holds ${held} in segments`);
}

/** The loss identity, the budget, and what retention may do. */
export function checkAccounts(
  subject: Subject,
  tracks: readonly ShardTrack[],
  options: RunOptions,
  pending: number,
): void {
  const stats = subject.log.stats();
  let bytes = 0;
  for (const [index, shard] of subject.shards.entries()) {
    const { bytes: held, unused_bytes } = shard.stats();
    bytes += held + unused_bytes;
    tracks[index]!.model.check();
    checkShard(subject, index, tracks[index]!, options);
  }
  must(
    stats.used_bytes === bytes,
    8,
    () => `the budget counts ${stats.used_bytes} bytes, segments hold ${bytes}`,
  );
  must(stats.inFlight_bytes >= 0, 13, () => `${stats.inFlight_bytes} bytes in flight`);
  if (pending === 0) {
    const idle = subject.shards.every((shard) => shard.logEnd === shard.highWatermark);
    must(!idle || stats.inFlight_bytes === 0, 13, () => `idle with ${stats.inFlight_bytes} bytes in flight`);
  }
}

function checkShard(subject: Subject, index: number, track: ShardTrack, options: RunOptions): void {
  const shard = subject.shards[index]!;
  const account = shard.account();
  const where = `${shard.id} ${JSON.stringify(account)}`;
  must(
    account.appended + account.failed === shard.highWatermark,
    8,
    () => `${where}: not ${shard.highWatermark}`,
  );
  const dropped = Object.values(account.dropped).reduce((sum, count) => sum + count, 0);
  must(account.retained >= 0 && account.deletedConsumed >= 0 && dropped >= 0, 8, () => where);
  must(track.model.flips > 0 || account.quarantined === 0, 8, () => `${where}: nothing was damaged`);
  const allowed = mayDrop(options) || mayLag(options) || track.unprotected;
  must(allowed || dropped === 0, 7, () => `${where}: no policy allows to drop`);
  must(
    shard.logStart >= track.logStart,
    8,
    () => `${shard.id}: the log start went back to ${shard.logStart}`,
  );
  const moved = shard.logStart !== track.logStart;
  track.logStart = shard.logStart;
  if (moved) {
    track.removed = track.model.removedBelow(shard.logStart);
    const segments = shard.segments.filter(({ bytes }) => bytes > 0).length;
    // What a flipped bit spoils whole is none any more.
    const enough = track.model.flips > 0 || segments >= options.minSegments;
    must(enough, 7, () => `${where}: ${segments} of ${options.minSegments} segments stay`);
  }
  const gone = account.deletedConsumed + dropped;
  const { settled, unknown } = track.removed;
  must(
    track.model.flips > 0 || (gone >= settled && gone <= settled + unknown),
    8,
    () => `${where}: ${settled} to ${settled + unknown} entries were removed`,
  );
  if (mayDrop(options)) return;
  for (const name of GROUPS) {
    const limited = !options.secondGroupProtects || mayLag(options);
    if (name === GROUPS[1] && limited) continue;
    const { ever } = track.groups[name];
    must(
      shard.logStart <= ever,
      7,
      () => `${shard.id}: ${name} committed ${ever}, the log starts at ${shard.logStart}`,
    );
  }
}
