// Writes the golden directory of this format version, `node test/buffer/golden/make.ts`: a log in which all stands that the
// format knows, and what it holds as expected.json. Invariant: a directory that is there is never written again, because
// its worth is that it is old.

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { Log, type LogOptions, type Shard, zstdInLine } from '../../../buffer/index.ts';
import { FORMAT_VERSION } from '../../../buffer/versions.ts';
import { ManualClock } from '../manual_clock.ts';
import { MemoryFileSystem } from '../memory_file_system.ts';

const target = path.join(import.meta.dirname, `v${FORMAT_VERSION}`);
if (fs.existsSync(target)) {
  console.error(`${target} is there already; it is never made anew`);
  process.exit(1);
}

const disk = new MemoryFileSystem();
const clock = new ManualClock();
let chance = 17;
const options: LogOptions = {
  directory: '/log',
  fileSystem: disk,
  clock,
  codec: zstdInLine,
  random: {
    next: () => {
      chance = (chance * 48_271) % 0x7fffffff;
      return chance / 0x7fffffff;
    },
  },
  segment: { maxBytes: 800 },
  retention: { minFreeSpace_bytes: 0 },
};

async function append(shard: Shard, ...entries: readonly (string | Buffer)[]): Promise<void> {
  clock.wall_ms += 1000;
  const first = shard.append(entries.map((entry) => Buffer.from(entry as string)));
  await shard.durable(first + entries.length - 1);
}

const line = (number: number): string => `line ${number}: ${'all is well at the edge; '.repeat(60)}`;

// The first epoch: frames raw and compressed, a batch over several frames, a commit that failed, consumed segments gone.
let log = await Log.open(options);
let logs = (await log.stream('logs.syslog', { compression: { codec: 'zstd', level: 3 } })).shardOf(0);
await append(logs, 'short', '', line(2));
await append(logs, 'raw, because it is short');
await append(logs, ...[5, 6, 7].map((number) => Buffer.alloc(40_000, `entry ${number} of a large batch, `)));
disk.capacity_bytes = disk.used_bytes + 10;
await append(logs, 'this commit fails', 'x'.repeat(500)).catch(() => {});
disk.capacity_bytes = Number.POSITIVE_INFINITY;
clock.advance(10_000);
for (let number = 10; number < 30; number++) await append(logs, line(number), `after ${number}`);
const stream = await log.stream('logs.syslog');
const exporter = await stream.group('otlp_http/cloud');
await stream.group('debug', { protect: false });
await stream.group('gone', { start: 'earliest' });
void exporter.commit(logs, 11);
await exporter.flush();

const traces = await log.stream('traces.otlp', { shards: 2 });
for (let number = 0; number < 40; number++) {
  await append(traces.shards[number % 2]!, `span ${number} `.repeat(20));
}
const file = await traces.group('file/archive');
void file.commit(traces.shards[0]!, 15);
void file.commit(traces.shards[1]!, 3);
await file.flush();
await log.retain();
await log.close();

// A byte of the second segment goes bad; the second epoch finds it, counts it, and goes on.
const segments = disk.paths().filter((name) => /logs\.syslog\/0\/\d+\.log$/.test(name));
disk.bytes(segments[1]!)[60]! ^= 0x10;
clock.advance(60_000);
log = await Log.open({ ...options, readEverything: true });
logs = (await log.stream('logs.syslog')).shardOf(0);
await append(logs, 'the second epoch', line(1));
await append((await log.stream('traces.otlp')).shards[1]!, 'and its span');
await log.close();

log = await Log.open({ ...options, fileSystem: disk.copy() });
const expected: Record<string, unknown> = {};
for (const name of log.streamNames()) {
  const opened = await log.stream(name);
  for (const shard of opened.shards) {
    const known = [...shard.offsets.groups.values()].filter((group) => group.name !== 'golden');
    const groups = Object.fromEntries(known.map((group) => [group.name, group.committed]));
    const { account, logStart, highWatermark } = shard.stats();
    const entries: [number, string][] = [];
    const reader = (await opened.group('golden')).reader(shard);
    reader.seek(logStart);
    for (let batch = await reader.read({ wait_ms: 0 }); batch; batch = await reader.read({ wait_ms: 0 })) {
      const sums = batch.entries.map((entry) =>
        createHash('sha256').update(entry).digest('hex').slice(0, 16),
      );
      for (const [index, sum] of sums.entries()) entries.push([batch.offsets[index]!, sum]);
      batch.release();
    }
    // Later versions know more reasons; those that are known count nothing here.
    const dropped = Object.fromEntries(Object.entries(account.dropped).filter(([, count]) => count > 0));
    expected[shard.id] = { logStart, highWatermark, groups, account: { ...account, dropped }, entries };
  }
}
await log.close();

for (const name of disk.paths()) {
  const to = path.join(target, name);
  fs.mkdirSync(path.dirname(to), { recursive: true });
  fs.writeFileSync(to, disk.bytes(name));
}
fs.writeFileSync(path.join(target, 'expected.json'), `${JSON.stringify(expected, null, 1)}\n`);
