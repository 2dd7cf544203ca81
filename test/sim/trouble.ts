// The disk's bad days: switches one fault on or off, flips a bit, or harms a file. Invariant: what a flip or a harm may cost is
// told to the model of the shard whose segment it hit.

import type { ShardTrack } from './checks.ts';
import type { World } from './machine.ts';
import type { SeededRandom } from './random.ts';
import { DIRECTORY, GROUPS, STREAM } from './subject.ts';

/** Returns whether anything is broken now. */
export function toggleFault(world: World, random: SeededRandom): boolean {
  const { faults, disk } = world;
  if (random.chance(0.4)) {
    faults.heal();
    disk.capacity_bytes = Number.MAX_SAFE_INTEGER;
    world.trace.event('HEALED');
    return [...disk.files()].some(({ file }) => file.syncFails);
  }
  const kind = random.integer(10);
  const rate = random.pick([0.02, 0.2, 1]);
  if (kind === 0) {
    faults.syncError = rate;
    faults.syncSticky = random.chance(0.4);
    faults.contentAfterFailedSync = random.pick(['kept', 'reverted'] as const);
  } else if (kind === 1) faults.directorySyncError = rate;
  else if (kind === 2) faults.writeError = rate;
  else if (kind === 3) faults.readError = rate;
  else if (kind === 4) faults.metadataError = rate;
  else if (kind === 5 || kind === 6) {
    disk.capacity_bytes = disk.used_bytes + random.pick([0, 100, 3_000, 20_000, 200_000]);
  } else if (kind === 7) {
    faults.shortIo = 0.5;
    faults.slowIo = random.pick([0, 0.05]);
    faults.slow_ms = random.pick([5, 2_000, 60_000]);
  } else if (kind === 8) {
    faults.directReadsRefused = random.chance(0.7);
    faults.directRefused = !faults.directReadsRefused || random.chance(0.5);
  } else faults.handlesMax = world.process.handles + random.integer(3);
  world.trace.event(`FAULT ${kind} ${rate}`);
  return true;
}

/** At rest, between two lives of the log: any bit of any file, or a whole file. */
export function harmAtRest(world: World, random: SeededRandom, tracks: readonly ShardTrack[]): void {
  if (random.chance(0.7)) flipBit(world, random, tracks, filesOf(world));
  else harmFile(world, random, tracks);
}

/** While the log is open: in a segment that is not the last one, whose end could not be told from a torn tail. */
export function flipLive(world: World, random: SeededRandom, tracks: readonly ShardTrack[]): void {
  const segments = filesOf(world).filter(({ path }) => path.endsWith('.log'));
  const sealed = segments.filter(({ path }) => baseOf(path) < lastBase(segments, path));
  flipBit(world, random, tracks, sealed);
  for (const { model } of tracks) model.damagedLive ||= model.flips > 0;
}

function filesOf(world: World): DiskFile[] {
  return world.disk.files().filter(({ path, file }) => path.startsWith(DIRECTORY) && file.live_bytes > 0);
}

type DiskFile = ReturnType<World['disk']['files']>[number];

function baseOf(path: string): number {
  return Number(path.slice(path.lastIndexOf('/') + 1, -'.log'.length));
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

function lastBase(segments: readonly DiskFile[], beside: string): number {
  const bases = segments.filter(({ path }) => folderOf(path) === folderOf(beside));
  return Math.max(...bases.map(({ path }) => baseOf(path)));
}

function flipBit(
  world: World,
  random: SeededRandom,
  tracks: readonly ShardTrack[],
  files: readonly DiskFile[],
): void {
  if (files.length === 0) return;
  const { path, file } = random.pick(files);
  const at = random.integer(file.live_bytes);
  const mask = 1 << random.integer(8);
  file.flip(at, mask);
  world.faults.strike('bit_flip', 'idle');
  world.trace.event(`FLIP ${path} ${at}`);
  for (const [index, track] of tracks.entries()) {
    if (path.startsWith(`${DIRECTORY}/${STREAM}/${index}/`) && path.endsWith('.log')) track.model.flips += 1;
  }
}

/** Somebody removes, empties or cuts a segment, an index or the offsets of a shard, or the owner file. */
function harmFile(world: World, random: SeededRandom, tracks: readonly ShardTrack[]): void {
  const files = filesOf(world).filter(({ path }) => /\/(\d{20}\.(log|index)|offsets|owner)$/.test(path));
  if (files.length === 0) return;
  const { path, file } = random.pick(files);
  const how = random.pick(['removed', 'emptied', 'cut'] as const);
  const folder = world.disk.find(folderOf(path));
  if (how === 'removed' && folder?.kind === 'directory') {
    folder.remove(path.slice(path.lastIndexOf('/') + 1));
    folder.persist(folder.pending.length);
  } else {
    file.truncate(how === 'cut' ? random.integer(file.live_bytes) : 0);
    file.beginSync();
    file.endSync();
  }
  world.faults.strike('harmed_file', 'idle');
  world.trace.event(`HARM ${path} ${how}`);
  // The epoch then goes on from the clock, and the key is found in what is left: nothing else depends on it.
  if (path.endsWith('/owner')) return;
  const index = Number(folderOf(path).split('/').at(-1));
  const track = tracks[index]!;
  if (path.endsWith('/offsets')) {
    // What is left of it may be an older state.
    for (const name of GROUPS) {
      const group = track.groups[name];
      group.durable = 0;
      group.max = Math.max(group.max, group.ever);
    }
  }
  if (!path.endsWith('.log')) return;
  const later = files.filter(
    ({ path: other }) => other.endsWith('.log') && folderOf(other) === folderOf(path),
  );
  const ends = later.map(({ path: other }) => baseOf(other)).filter((base) => base > baseOf(path));
  track.model.harmed(baseOf(path), Math.min(track.model.end, ...ends));
}
