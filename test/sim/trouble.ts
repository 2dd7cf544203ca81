// The disk's bad days: switches one fault on or off, or flips a bit of a file at rest. Invariant: a flip hits durable bytes
// only and is told to the model of the shard whose segment it hit.

import type { ShardTrack } from './checks.ts';
import type { World } from './machine.ts';
import type { SeededRandom } from './random.ts';
import { DIRECTORY, STREAM } from './subject.ts';

/** Returns whether anything is broken now. */
export function toggleFault(world: World, random: SeededRandom): boolean {
  const { faults, disk } = world;
  if (random.chance(0.4)) {
    faults.heal();
    disk.capacity_bytes = Number.MAX_SAFE_INTEGER;
    world.trace.event('HEALED');
    return [...disk.files()].some(({ file }) => file.syncFails);
  }
  const kind = random.integer(9);
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
  } else faults.handlesMax = world.process.handles + random.integer(3);
  world.trace.event(`FAULT ${kind} ${rate}`);
  return true;
}

export function flipBit(world: World, random: SeededRandom, tracks: readonly ShardTrack[]): void {
  const files = world.disk
    .files()
    .filter(({ path, file }) => path.startsWith(DIRECTORY) && file.live_bytes > 0);
  if (files.length === 0) return;
  const { path, file } = random.pick(files);
  const at = random.integer(file.live_bytes);
  const mask = 1 << random.integer(8);
  file.live[at] = file.live[at]! ^ mask;
  if (at < file.disk.length) file.disk[at] = file.disk[at]! ^ mask;
  world.faults.strike('bit_flip', 'idle');
  world.trace.event(`FLIP ${path} ${at}`);
  for (const [index, track] of tracks.entries()) {
    if (path.startsWith(`${DIRECTORY}/${STREAM}/${index}/`) && path.endsWith('.log')) track.model.flips += 1;
  }
}
