// What it costs to hand an entry that was just written to a reader that has caught up: from the block in memory to a view
// or a copy in the reader's hands, the lease given back included. Invariant: no disk is read while the time is taken.

import fs from 'node:fs';
import path from 'node:path';
import type { Shard, ShardReader } from '../../buffer/index.ts';
import type { Figure, Setting } from './figure.ts';
import { entriesOf, openLog } from './fill.ts';

interface Case {
  readonly name: string;
  readonly bytes: number;
  readonly entries: number;
  readonly safe: boolean;
  readonly atMost: number;
  readonly others?: string;
}

const CASES: readonly Case[] = [
  {
    name: '128 B, zero-copy',
    bytes: 128,
    entries: 16_000,
    safe: false,
    atMost: 100,
    others: 'TurboStream 280',
  },
  {
    name: '128 B, safe (copied)',
    bytes: 128,
    entries: 16_000,
    safe: true,
    atMost: 250,
    others: 'TurboStream 335',
  },
  { name: '64 KB, zero-copy', bytes: 64_000, entries: 1_600, safe: false, atMost: 120 },
];
/** All entries stay in memory, enough of them that beginning anew with the first does not count. */
const HOT_BYTES = 256 * 2 ** 20;
/** Entries that each value is taken over. */
const HANDOVERS = 400_000;

export async function measureHandover(setting: Setting): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const one of CASES) {
    const directory = path.join(setting.work, 'handover');
    const log = await openLog(directory, { hotTail_bytes: HOT_BYTES });
    const stream = await log.stream('bench');
    const shard = stream.shards[0]!;
    const group = await stream.group('bench');
    // Stays at the beginning, so that the blocks stay in memory.
    const anchor = group.reader(shard);
    for (let left = one.entries; left > 0; left -= 500) {
      const batch = entriesOf(Math.min(left, 500), one.bytes);
      await shard.durable(shard.append(batch) + batch.length - 1);
    }
    await handover_ns(shard, one, group.reader(shard));
    const values: number[] = [];
    for (let round = 1; round <= setting.rounds; round++) {
      setting.progress(`hand-over of ${one.name}, round ${round}`);
      values.push(await handover_ns(shard, one, group.reader(shard)));
    }
    anchor.close();
    await log.close();
    fs.rmSync(directory, { recursive: true });
    const { name, atMost, others } = one;
    figures.push({
      name: `hand-over of ${name}, an entry`,
      unit: 'ns',
      digits: 0,
      values,
      target: { atMost },
      ...(others === undefined ? {} : { others }),
    });
  }
  return figures;
}

async function handover_ns(shard: Shard, { entries, safe }: Case, reader: ShardReader): Promise<number> {
  const passes = Math.ceil(HANDOVERS / entries);
  let handed = 0;
  const started_ms = performance.now();
  for (let pass = 0; pass < passes; pass++) {
    reader.seek(0);
    for (
      let batch = await reader.read({ wait_ms: 0, safe });
      batch;
      batch = await reader.read({ wait_ms: 0, safe })
    ) {
      handed += batch.entries.length;
      batch.release();
    }
  }
  const ns = ((performance.now() - started_ms) * 1e6) / handed;
  reader.close();
  if (handed !== passes * entries)
    throw new Error(`${handed} entries of ${shard.id} were handed over, not ${passes * entries}`);
  return ns;
}
