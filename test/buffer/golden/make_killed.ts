// Writes what a log of this format leaves that commits directly and is killed: a segment written over an older one, of which it
// still shows the end, and a spare. `node test/buffer/golden/make_killed.ts`. Invariant: as of make.ts, a directory that is
// there is never written again.

import fs from 'node:fs';
import path from 'node:path';
import { Log } from '../../../buffer/index.ts';
import { FORMAT_VERSION } from '../../../buffer/versions.ts';
import { ManualClock } from '../manual_clock.ts';
import { MemoryFileSystem } from '../memory_file_system.ts';

const target = path.join(import.meta.dirname, `v${FORMAT_VERSION}_killed`);
if (fs.existsSync(target)) {
  console.error(`${target} is there already; it is never made anew`);
  process.exit(1);
}

const disk = new MemoryFileSystem();
disk.direct = true;
const clock = new ManualClock();
const log = await Log.open({
  directory: '/log',
  fileSystem: disk,
  clock,
  random: { next: () => 0.3 },
  segment: { maxBytes: 9_000 },
  retention: { minFreeSpace_bytes: 0 },
});
const stream = await log.stream('s');
const shard = stream.shardOf(0);
const group = await stream.group('g');

/** Appends until a segment has begun in which there are as many entries. */
async function fill(entries: number): Promise<void> {
  const { length } = shard.segments;
  while (shard.segments.length === length || shard.highWatermark - shard.segments.at(-1)!.base < entries) {
    clock.advance(1);
    const offset = shard.append([Buffer.from(`entry ${shard.logEnd} `.padEnd(1100, 'x'))]);
    await shard.durable(offset);
  }
}

await fill(1);
await fill(1);
for (const entries of [1, 3]) {
  void group.commit(shard, shard.highWatermark);
  await group.flush();
  await log.retain();
  await fill(entries);
}
void group.commit(shard, shard.highWatermark - 2);
await group.flush();
await log.retain();
const { account, logStart, highWatermark } = shard.stats();
const expected = { logStart, highWatermark, account, committed: group.committed(shard) };

// As it stands: nobody closes the log.
for (const name of disk.paths()) {
  const to = path.join(target, name);
  fs.mkdirSync(path.dirname(to), { recursive: true });
  fs.writeFileSync(to, disk.bytes(name));
}
fs.writeFileSync(path.join(target, 'expected.json'), `${JSON.stringify(expected, null, 1)}\n`);
