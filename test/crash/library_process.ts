// A small process that holds a log and nothing else, made to be killed: it appends, reads and commits, and says each fact on
// stdout once it is one. Invariant: a line is written with one write(2) after the promise it reports has resolved, so
// whatever its reader has got was true when the process died. node library_process.ts DIRECTORY SEED work|drain

import fs from 'node:fs';
import { Seeded } from '../../bench/load/payload.ts';
import { type Group, Log, type Shard } from '../../buffer/index.ts';
import { entryOf, idOf } from './library_entry.ts';

const [directory = '', seed = '0', mode = 'work'] = process.argv.slice(2);
const random = new Seeded(Number(seed));
const APPENDERS = 4;
const MiB = 1024 * 1024;

function say(...words: readonly (string | number)[]): void {
  fs.writeSync(1, `${words.join(' ')}\n`);
}

async function append(shard: Shard): Promise<void> {
  for (;;) {
    const count = 1 + (random.next() % 8);
    const ids = Array.from({ length: count }, () => random.next());
    const first = shard.append(ids.map(entryOf));
    await shard.durable(first + count - 1);
    ids.forEach((id, index) => {
      say('ack', first + index, id);
    });
  }
}

/** Reads on and commits; with `until`, up to that offset. */
async function consume(group: Group, shard: Shard, until: number): Promise<void> {
  const reader = group.reader(shard);
  for (let next = group.committed(shard); next < until; ) {
    const batch = await reader.read({ maxEntries: 1 + (random.next() % 50) });
    if (!batch) return;
    batch.entries.forEach((entry, index) => {
      say('read', batch.offsets[index]!, idOf(entry));
    });
    next = batch.next;
    batch.release();
    const committed = group.commit(shard, next);
    void committed.then(() => say('commit', next));
    if (random.next() % 20 === 0) await group.flush();
  }
}

const log = await Log.open({
  directory,
  segment: { maxBytes: MiB / 4 },
  retention: { maxSize_bytes: 64 * MiB, interval_ms: 50 },
  offsetsInterval_ms: 20,
  report: (level, message, fields) => {
    if (level === 'error') say('trouble', JSON.stringify({ message, ...fields }));
  },
});
const stream = await log.stream('s');
const shard = stream.shardOf(0);
const group = await stream.group('g');
const { logStart, highWatermark, account } = shard.stats();
say('open', log.stats().epoch, logStart, highWatermark, group.committed(shard), JSON.stringify(account));
if (mode === 'drain') {
  await consume(group, shard, highWatermark);
  await log.close();
  say('closed');
} else {
  await Promise.all([
    ...Array.from({ length: APPENDERS }, () => append(shard)),
    consume(group, shard, Number.POSITIVE_INFINITY),
  ]);
}
