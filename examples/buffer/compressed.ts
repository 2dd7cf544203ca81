// Frames compressed on their way to the disk, by stream. Readers notice nothing, and a log may change its mind at any time.

import { randomBytes } from 'node:crypto';
import { Log } from 'holdfast/buffer';

const log = await Log.open({
  directory: './compressed',
  compression: { codec: 'zstd', level: 1, minBytes: 512 }, // of every stream that says nothing else
});
const text = (await log.stream('logs.text')).shards[0]!;
const packed = (await log.stream('logs.packed')).shards[0]!;
const plain = (await log.stream('logs.plain', { compression: { codec: 'none' } })).shards[0]!;

const lines = Array.from(
  { length: 2000 },
  (_, index) => `2026-11-21 12:00:00 till ${index % 7}: sold item ${index}`,
);
const entries = lines.map((line) => Buffer.from(line));
for (const shard of [text, plain]) await shard.durable(shard.append(entries) + entries.length - 1);
// What is encrypted or compressed already is looked at, found to look like chance, and stored as it is.
await packed.durable(packed.append([randomBytes(20_000)]));

for (const shard of [text, packed, plain]) {
  const { frames, skipped, raw_bytes, stored_bytes } = shard.stats().compression;
  const ratio = frames > 0 ? `to ${Math.round((100 * stored_bytes) / raw_bytes)} %` : 'nothing';
  console.log(`${shard.id}: ${frames} frames compressed ${ratio}, ${skipped} left as they were`);
}

const reader = (await log.stream('logs.text').then((stream) => stream.group('check'))).reader(text);
const batch = await reader.read({ maxEntries: 2000 });
console.log(batch?.entries.length, 'entries read,', Buffer.from(batch!.entries[1999]!).toString());
batch?.release();
await log.close();
