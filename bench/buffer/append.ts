// Writing: what a call costs until its offset is known, how many entries a second become durable, what an entry takes on
// disk. Invariant: syncs that the calls caused are awaited outside of the time that is taken.

import fs from 'node:fs';
import path from 'node:path';
import type { Shard } from '../../buffer/index.ts';
import type { Figure, Setting } from './figure.ts';
import { entriesOf, openLog } from './fill.ts';

const ENTRY_BYTES = 116;
const DURABLE_ms = 400;

/** Entries per call, the limit in µs, others. */
const CALLS: readonly (readonly [number, number, string])[] = [
  [1, 0.6, 'comet 1.7; plain Go log 0.16'],
  [10, 1.5, 'comet 2.7; plain Go log 0.66'],
  [100, 9, 'comet 9; plain Go log 7.6'],
  [1000, 85, 'comet 112; plain Go log 72'],
  [10_000, 850, 'comet 548; plain Go log 680'],
];
const WAITERS: readonly (readonly [number, number, string])[] = [
  [512, 150, 'plain Go log 218'],
  [64, 50, 'plain Go log 88'],
  [1, 2.5, 'plain Go log 4'],
];
/** Entries between two waits for the disk: less than may be in flight. */
const BURST_ENTRIES = 20_000;
const BURSTS = 12;

export async function measureAppend(setting: Setting): Promise<Figure[]> {
  const directory = path.join(setting.work, 'append');
  const log = await openLog(directory);
  const shard = (await log.stream('bench')).shards[0]!;
  const figures: Figure[] = [];
  for (const [count, limit_us, others] of CALLS) {
    const values: number[] = [];
    const batch = entriesOf(count, ENTRY_BYTES);
    await callCost_us(shard, batch);
    for (let round = 1; round <= setting.rounds; round++) {
      setting.progress(`append of ${count} entries, round ${round}`);
      values.push(await callCost_us(shard, batch));
    }
    figures.push({
      name: `append of ${count.toLocaleString('en-US')} × 116 B with checksum, until the offset is known`,
      unit: 'µs',
      digits: 2,
      values,
      target: { atMost: limit_us },
      others,
    });
  }
  for (const [waiters, atLeast, others] of WAITERS) {
    const values: number[] = [];
    for (let round = 1; round <= setting.rounds; round++) {
      setting.progress(`durable entries with ${waiters} waiters, round ${round}`);
      values.push((await durableRate(shard, waiters)) / 1000);
    }
    figures.push({
      name: `durable entries, ${waiters} waiter${waiters === 1 ? '' : 's'}`,
      unit: 'k/s',
      digits: 1,
      values,
      target: { atLeast },
      others,
    });
  }
  await log.close();
  fs.rmSync(directory, { recursive: true });
  figures.push(await measureOverhead(setting));
  return figures;
}

/** Median over bursts of the time of one call, µs. */
async function callCost_us(shard: Shard, batch: readonly Buffer[]): Promise<number> {
  const costs: number[] = [];
  const calls = Math.max(1, Math.floor(BURST_ENTRIES / batch.length));
  for (let burst = 0; burst < BURSTS; burst++) {
    const started_ms = performance.now();
    for (let call = 0; call < calls; call++) shard.append(batch);
    costs.push(((performance.now() - started_ms) * 1000) / calls);
    await shard.durable(shard.logEnd - 1);
  }
  costs.sort((a, b) => a - b);
  return costs[costs.length >> 1]!;
}

/** Entries a second that become durable while `waiters` append one each and wait for it. */
async function durableRate(shard: Shard, waiters: number): Promise<number> {
  const entry = entriesOf(1, ENTRY_BYTES);
  const started_ms = performance.now();
  let done = 0;
  const producer = async (): Promise<void> => {
    while (performance.now() - started_ms < DURABLE_ms) {
      await shard.durable(shard.append(entry));
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: waiters }, producer));
  return (done * 1000) / (performance.now() - started_ms);
}

/** What files hold beyond the entries themselves, with 100 entries a frame. */
async function measureOverhead(setting: Setting): Promise<Figure> {
  setting.progress('bytes on disk per entry');
  const directory = path.join(setting.work, 'overhead');
  const log = await openLog(directory);
  const shard = (await log.stream('bench')).shards[0]!;
  const batch = entriesOf(100, ENTRY_BYTES);
  for (let commit = 0; commit < 50; commit++) await shard.durable(shard.append(batch));
  const { bytes, highWatermark } = shard.stats();
  await log.close();
  fs.rmSync(directory, { recursive: true });
  return {
    name: 'disk overhead per entry, 100 entries a frame',
    unit: 'B',
    digits: 2,
    values: [bytes / highWatermark - ENTRY_BYTES],
    target: { atMost: 5 },
    others: 'comet 12',
  };
}
