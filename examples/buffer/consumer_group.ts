// Two groups read the same stream, each at its own pace; one of them acknowledges out of order. What is committed is what is
// acknowledged without a gap: the rest comes again after a restart.

import { Log } from 'holdfast/buffer';

const log = await Log.open({ directory: './consumer-group' });
const stream = await log.stream('jobs');
const shard = stream.shards[0]!;
await shard.durable(shard.append(['a', 'b', 'c', 'd', 'e'].map((name) => Buffer.from(name))) + 4);

const workers = await stream.group('workers');
const batch = await workers.reader(shard).read();
if (batch) {
  const [a, b, c, d] = batch.offsets as [number, number, number, number];
  workers.ack(shard, d); // done first
  workers.ack(shard, a, c); // a and b in one call
  console.log('workers committed', workers.committed(shard), 'c is missing');
  workers.ack(shard, c);
  console.log('workers committed', workers.committed(shard), `of ${b - a + 4}`);
  batch.release();
}

const audit = await stream.group('audit', { start: 'earliest', protect: false });
console.log('audit lags by', audit.lag(shard).entries, 'entries');
await audit.seek(shard, { last: 2 }); // durable when it resolves
console.log('audit lags by', audit.lag(shard).entries, 'entries');

for (const { name, protect, lag } of stream.groups()) {
  console.log(name, protect ? 'pins' : 'does not pin', 'what it has not read:', lag.entries);
}
await workers.flush();
await log.close();
