// A reader that begins near the end and follows what comes. Once it has caught up it is served from memory and causes no
// disk read.

import { Log } from 'holdfast/buffer';

const log = await Log.open({ directory: './follow-the-tail' });
const stream = await log.stream('events');
const shard = stream.shards[0]!;
for (let number = 1; number <= 5; number++) shard.append([Buffer.from(`event ${number}`)]);
await shard.durable(shard.logEnd - 1);

const reader = (await stream.group('tail', { protect: false })).reader(shard);
await reader.seekTo({ last: 2 });

// Somebody writes while we read.
let number = 6;
const writing = setInterval(() => {
  shard.append([Buffer.from(`event ${number++}`)]);
  if (number > 8) clearInterval(writing);
}, 20);

// Waits for batches, and gives each back itself; ends with the reader, with the log, or as its limits say.
for await (const batch of reader) {
  for (const entry of batch.entries) {
    const text = Buffer.from(entry).toString();
    console.log(text);
    if (text === 'event 8') reader.close();
  }
}
await log.close();
