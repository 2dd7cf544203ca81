// Append, wait until it is on disk, read, commit, resume. Run it twice: the second time it reads what the first one added
// behind what it had committed.

import { Log, offsetText } from 'holdfast/buffer';

const log = await Log.open({ directory: './write-and-read' });
const stream = await log.stream('orders', { shards: 2 });

// The same key goes to the same shard, and within a shard order holds.
for (const [customer, order] of [
  ['ada', 'one lamp'],
  ['dan', 'two chairs'],
  ['ada', 'a bulb for the lamp'],
] as const) {
  const shard = stream.shardOf(customer);
  const offset = shard.append([Buffer.from(`${customer}: ${order}`)]);
  await shard.durable(offset); // from here on a power cut does not take it
}

const group = await stream.group('shipping');
for (const shard of stream.shards) {
  const reader = group.reader(shard);
  for (;;) {
    const batch = await reader.read({ wait_ms: 0 });
    if (!batch) break;
    for (const [index, entry] of batch.entries.entries()) {
      console.log(offsetText(shard, batch.offsets[index]!), Buffer.from(entry).toString());
    }
    void group.commit(shard, batch.next); // on disk within a second, or with flush or close
    batch.release(); // its entries are views: not to be used from here on
  }
  reader.close();
}
await log.close();
