// Opens one log, is idle, appends, reads the oldest and the newest entry, and prints how long each took (ms) with the RSS
// while idle. It is no TypeScript on purpose: Node's type stripper alone takes 35 MB, which the package does not.

import fs from 'node:fs';
import { Log } from '../../dist/buffer/index.js';

const IDLE_MS = 300;
const directory = process.argv[2];

async function timed(step) {
  const started_ms = performance.now();
  await step();
  return performance.now() - started_ms;
}

let log;
const open_ms = await timed(async () => {
  log = await Log.open({ directory, retention: { maxSize_bytes: 64 * 1024 ** 3 } });
});
await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
const status = fs.readFileSync('/proc/self/status', 'utf8');
const rss_bytes = Number(/^VmRSS:\s+(\d+)/m.exec(status)[1]) * 1024;

const stream = await log.stream('bench');
const shard = stream.shards[0];
const append_ms = await timed(() => shard.durable(shard.append([Buffer.alloc(4096)])));
const reader = (await stream.group('reader')).reader(shard);
const readAt = async (offset) => {
  reader.seek(offset);
  const batch = await reader.read({ wait_ms: 0, maxEntries: 1 });
  if (batch?.first !== offset) throw new Error(`entry ${offset} was not read`);
  batch.release();
};
const oldest_ms = await timed(() => readAt(shard.logStart));
const newest_ms = await timed(() => readAt(shard.highWatermark - 1));
reader.close();
await log.close();
console.log(JSON.stringify({ open_ms, rss_bytes, append_ms, oldest_ms, newest_ms }));
