// Reading: a backlog from its first entry to its last out of the files, every checksum verified, and acknowledging what was
// read. Invariant: a drain that does not see every entry throws.

import fs from 'node:fs';
import type { Reader } from '../../buffer/index.ts';
import type { Figure, Setting } from './figure.ts';
import { filledLog, openLog } from './fill.ts';

const ENTRY_BYTES = 116;
/** "Flat within 20 %": what the longest backlog must keep of the rate of the shortest. */
const FLAT_PERCENT = 80;

export async function measureDrain(setting: Setting): Promise<Figure[]> {
  const figures: Figure[] = [];
  const sizes = setting.large ? [10_000, 1_000_000, 10_000_000] : [10_000, 1_000_000];
  const rates: number[][] = [];
  for (const entries of sizes) {
    setting.progress(`filling a backlog of ${entries} entries`);
    const directory = await filledLog(setting.work, 'drain', entries, ENTRY_BYTES);
    // The code is to be warm, the entries are to come from the files.
    for (let read = 0; read < 1_000_000; read += entries) await drain(directory, 1, entries);
    const values: number[] = [];
    // A small backlog is over within milliseconds, so a round drains it several times.
    const repeats = entries < 100_000 ? 20 : 1;
    for (let round = 1; round <= setting.rounds; round++) {
      setting.progress(`drain of ${entries} entries, round ${round}`);
      let total_ms = 0;
      for (let repeat = 0; repeat < repeats; repeat++) total_ms += await drain(directory, 1, entries);
      values.push((entries * repeats) / total_ms / 1000);
    }
    fs.rmSync(directory, { recursive: true });
    rates.push(values);
    figures.push({
      name: `drain of ${entries.toLocaleString('en-US')} × 116 B from files, checksums verified`,
      unit: 'M/s',
      digits: 2,
      values,
      target: { atLeast: 2 },
      others: entries > 70_000 ? 'comet 0.0035; plain Go log 5.4' : 'comet 0.039; plain Go log 5.4',
    });
  }
  const [shortest, longest] = [rates[0]!, rates[rates.length - 1]!];
  figures.push({
    name: 'drain rate of the longest backlog, as a share of the shortest',
    unit: '%',
    digits: 0,
    values: longest.map((rate, round) => (100 * rate) / shortest[round]!),
    target: { atLeast: FLAT_PERCENT },
    others: 'comet 9',
  });
  return [...figures, ...(await measureKilobytes(setting)), await measureAcknowledge(setting)];
}

async function measureKilobytes(setting: Setting): Promise<Figure[]> {
  const entries = 100_000;
  const directory = await filledLog(setting.work, 'kilobytes', entries, 1024);
  const figures: Figure[] = [];
  for (const [readers, atMost, others] of [
    [1, 100, 'immuta, no checksum, 139; plain Go log, no checksum, 13'],
    [8, 500, 'plain Go log, no checksum, 57'],
  ] as const) {
    const values: number[] = [];
    await drain(directory, readers, entries);
    for (let round = 1; round <= setting.rounds; round++) {
      setting.progress(`100,000 × 1 KiB, ${readers} readers, round ${round}`);
      values.push(await drain(directory, readers, entries));
    }
    const name = `100,000 × 1 KiB with checksum, ${readers === 1 ? 'one reader' : 'eight readers at once'}`;
    figures.push({ name, unit: 'ms', digits: 0, values, target: { atMost }, others });
  }
  fs.rmSync(directory, { recursive: true });
  return figures;
}

/** Time until `readers` groups have read all entries of the log, ms; opening log and groups is not counted. */
export async function drain(directory: string, readers: number, entries: number): Promise<number> {
  const log = await openLog(directory);
  const stream = await log.stream('bench');
  const shard = stream.shards[0]!;
  const opened: Reader[] = [];
  for (let index = 0; index < readers; index++)
    opened.push((await stream.group(`reader-${index}`)).reader(shard));
  const started_ms = performance.now();
  await Promise.all(opened.map((reader) => readAll(reader, entries)));
  const took_ms = performance.now() - started_ms;
  await log.close();
  return took_ms;
}

async function readAll(reader: Reader, entries: number): Promise<void> {
  let read = 0;
  for (;;) {
    const batch = await reader.read({ wait_ms: 0 });
    if (!batch) break;
    read += batch.entries.length;
    batch.release();
  }
  reader.close();
  if (read !== entries) throw new Error(`${read} of ${entries} entries were read`);
}

/** Commits every entry of every batch on its own, as a consumer does that finishes them one by one. */
async function measureAcknowledge(setting: Setting): Promise<Figure> {
  const entries = 200_000;
  const values: number[] = [];
  const directory = await filledLog(setting.work, 'acknowledge', entries, ENTRY_BYTES);
  for (let round = 0; round <= setting.rounds; round++) {
    setting.progress(`acknowledging, round ${round}`);
    const log = await openLog(directory);
    const stream = await log.stream('bench');
    const shard = stream.shards[0]!;
    const group = await stream.group(`round-${round}`);
    const reader = group.reader(shard);
    let took_ms = 0;
    for (let batch = await reader.read({ wait_ms: 0 }); batch; batch = await reader.read({ wait_ms: 0 })) {
      const started_ms = performance.now();
      for (const offset of batch.offsets) void group.commit(shard, offset + 1);
      took_ms += performance.now() - started_ms;
      batch.release();
    }
    await group.flush();
    reader.close();
    await log.close();
    // The first round warms up.
    if (round > 0) values.push((took_ms * 1e6) / entries);
  }
  fs.rmSync(directory, { recursive: true });
  return {
    name: 'acknowledging one read entry',
    unit: 'ns',
    digits: 0,
    values,
    target: { atMost: 50 },
    others: 'comet, in memory, 30',
  };
}
