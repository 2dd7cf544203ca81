// Logs to measure on: entries of one size in a directory of their own. Invariant: what `fill` returns from is durable.

import fs from 'node:fs';
import path from 'node:path';
import { Log, type LogOptions, type Shard } from '../../buffer/index.ts';

/** Far above what any figure needs: limits are not what is measured here. */
const ROOM_BYTES = 64 * 1024 ** 3;
const DURABLE_EVERY_BYTES = 8 * 1024 * 1024;

export function openLog(directory: string, options: Partial<LogOptions> = {}): Promise<Log> {
  return Log.open({ directory, retention: { maxSize_bytes: ROOM_BYTES }, ...options });
}

/** Entries as Buffer.from makes them: views of a shared slab, not an allocation each. */
export function entriesOf(count: number, bytes: number): Buffer[] {
  return Array.from({ length: count }, (_, index) => Buffer.allocUnsafe(bytes).fill(index));
}

/** Appends `count` entries of `bytes` each, a thousand at a time at most. */
export async function fill(shard: Shard, count: number, bytes: number): Promise<void> {
  const batch = entriesOf(Math.min(1000, count), bytes);
  const perSync = Math.max(1, Math.floor(DURABLE_EVERY_BYTES / (bytes * batch.length)));
  let left = count;
  for (let call = 1; left > 0; call++) {
    const take = left < batch.length ? batch.slice(0, left) : batch;
    const first = shard.append(take);
    left -= take.length;
    if (left === 0 || call % perSync === 0) await shard.durable(first + take.length - 1);
  }
}

/** A closed log of one shard in `<work>/<name>`, so that whoever opens it finds nothing in memory. */
export async function filledLog(work: string, name: string, count: number, bytes: number): Promise<string> {
  const directory = path.join(work, name);
  fs.rmSync(directory, { recursive: true, force: true });
  const log = await openLog(directory);
  const stream = await log.stream('bench');
  await fill(stream.shards[0]!, count, bytes);
  await log.close();
  return directory;
}
