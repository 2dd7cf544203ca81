// The loop that most programs want: read, handle, retry, acknowledge, and put aside what cannot be handled, until told to
// stop. Nothing is acknowledged that was neither handled nor put aside.

import { Log } from 'holdfast/buffer';

const log = await Log.open({ directory: './process-loop' });
const stream = await log.stream('mails');
// What cannot be handled gets a stream of its own, with room kept for it beyond the limits of the log.
const deadLetters = (await log.stream('mails.dead', { reserve_bytes: 1024 * 1024 })).shards[0]!;
const shard = stream.shards[0]!;
for (const mail of ['to ada', 'to nobody', 'to bob']) shard.append([Buffer.from(mail)]);

const group = await stream.group('sender');
const stop = new AbortController();
let failures = 0;
// Timers of the log keep no process alive; in a real program a server or the like does.
const alive = setInterval(() => {}, 60_000);

await group.process(
  (batch) => {
    const text = Buffer.from(batch.entries[0]!).toString();
    if (text === 'to nobody') throw new Error('no such address');
    if (text === 'to bob' && failures++ === 0) throw new Error('the server is busy');
    console.log('sent', text);
    if (text === 'to bob') stop.abort(); // the batch in hand is finished and acknowledged
  },
  {
    batchSize: 1,
    retries: 2,
    retryDelay_ms: 10,
    onError: async (batch, error) => {
      const offset = deadLetters.append(batch.entries);
      await deadLetters.durable(offset + batch.entries.length - 1);
      console.log('put aside:', (error as Error).message);
    },
    afterBatch: (_batch, { result, attempts }) => console.log(result, 'after', attempts, 'attempts'),
    signal: stop.signal,
  },
);
console.log('left', group.lag(shard).entries, '· dead letters', deadLetters.account().retained);
clearInterval(alive);
await log.close();
