// Row "durability fsync | interval | os with its window stated", over a disk whose power is cut: what may be gone is the
// window, nothing that was synced, and no account and no group claims more. Each failure names its seed.

import { describe, expect, it } from '@jest/globals';
import { type Durability, Log, type ShardReader } from '../../buffer/index.ts';
import type { Shard } from '../../buffer/shard.ts';
import { World } from './machine.ts';
import { SeededRandom } from './random.ts';

const SEEDS = 80;
const LIMIT_ms = 60_000;
const SYNC_INTERVAL_ms = 50;
/** A sync that began within the interval may still be under way. */
const SYNC_ms = 10;

interface Written {
  readonly end: number;
  readonly at_ms: number;
}

/** What was answered before the power went. */
interface Answered {
  readonly written: Written[];
  synced: number;
  committed: number;
}

async function openOn(world: World, durability: Durability) {
  const log = await Log.open({
    directory: '/log',
    fileSystem: world.process,
    clock: world.clock.of(world.process.life),
    random: { next: () => 0.75 },
    durability,
    commit: { syncInterval_ms: SYNC_INTERVAL_ms },
    segment: { maxBytes: 2000 },
    retention: { minFreeSpace_bytes: 0, keepConsumed: {} },
    offsetsInterval_ms: 100,
  });
  const stream = await log.stream('s');
  return { log, shard: stream.shards[0]!, group: await stream.group('g') };
}

const textOf = (offset: number): string => `entry ${offset} ${'x'.repeat(offset % 90)}`;

/** Appends, syncs, reads and commits until the power goes. */
async function work(world: World, durability: Durability, seed: number, answered: Answered): Promise<void> {
  const { clock } = world;
  const random = new SeededRandom(seed);
  const { log, shard, group } = await openOn(world, durability);
  const reader = group.reader(shard);
  world.process.diesAt = world.process.operations + 20 + random.integer(120);
  world.process.diesAfterEffect = random.chance(0.5);
  for (;;) {
    const from = shard.logEnd;
    const entries = Array.from({ length: 1 + random.integer(5) }, (_, index) =>
      Buffer.from(textOf(from + index)),
    );
    await shard.durable(shard.append(entries) + entries.length - 1);
    answered.written.push({ end: from + entries.length, at_ms: clock.time_ms });
    if (random.chance(0.1)) {
      const end = shard.logEnd;
      await log.sync();
      answered.synced = end;
    }
    if (random.chance(0.3)) {
      const batch = await reader.read({ wait_ms: 0 });
      if (batch) {
        void group.commit(shard, batch.next).catch(() => {});
        batch.release();
      }
    }
    if (random.chance(0.15)) {
      await group.flush();
      answered.committed = group.committed(shard);
    }
    if (random.chance(0.2))
      await new Promise<void>((resolve) => clock.after(random.integer(80), world.process.life, resolve));
  }
}

async function readAll(shard: Shard, reader: ShardReader): Promise<number[]> {
  const offsets: number[] = [];
  for (let batch = await reader.read({ wait_ms: 0 }); batch; batch = await reader.read({ wait_ms: 0 })) {
    batch.entries.forEach((entry, index) => {
      const offset = batch.offsets[index]!;
      if (Buffer.from(entry).toString() !== textOf(offset))
        throw new Error(`${shard.id}: ${offset} holds another entry`);
      offsets.push(offset);
    });
    batch.release();
  }
  return offsets;
}

describe.each(['fsync', 'interval', 'os'] as const)('durability %s after a power cut', (durability) => {
  it('has all that was synced, whole and in order, and nothing on disk claims more', async () => {
    let tookSomething = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const world = new World(seed);
      const answered: Answered = { written: [], synced: 0, committed: 0 };
      const driven = await world.drive('the work', work(world, durability, seed, answered), LIMIT_ms);
      expect([seed, driven.state]).toEqual([seed, 'died']);
      const cut_ms = world.clock.time_ms;
      world.crash(true);
      const checking = openOn(world, 'fsync').then(async ({ log, shard, group }) => {
        const committed = group.committed(shard);
        const reader = group.reader(shard);
        reader.seek(0);
        const offsets = await readAll(shard, reader);
        const account = shard.account();
        await log.close();
        return { offsets, account, committed, end: shard.highWatermark };
      });
      const checked = await world.drive('the check', checking, LIMIT_ms);
      if (checked.state !== 'done') throw new Error(`seed ${seed}: ${JSON.stringify(checked)}`);
      const { offsets, account, committed, end } = checked.value;
      const promised = answered.written.filter(
        ({ at_ms }) =>
          durability === 'fsync' ||
          (durability === 'interval' && at_ms < cut_ms - SYNC_INTERVAL_ms - SYNC_ms),
      );
      const must = Math.max(answered.synced, answered.committed, promised.at(-1)?.end ?? 0);
      const missing = Array.from({ length: must }, (_, offset) => offset).filter(
        (offset) => !offsets.includes(offset),
      );
      expect({ seed, missing }).toEqual({ seed, missing: [] });
      expect({ seed, quarantined: account.quarantined }).toEqual({ seed, quarantined: 0 });
      expect(account.appended).toBe(account.retained);
      expect(account.retained).toBe(offsets.length);
      expect(committed).toBeGreaterThanOrEqual(answered.committed);
      expect(committed).toBeLessThanOrEqual(end);
      if (offsets.length < (answered.written.at(-1)?.end ?? 0)) tookSomething += 1;
    }
    // A disk that never takes anything would show nothing.
    if (durability === 'fsync') expect(tookSomething).toBe(0);
    else expect(tookSomething).toBeGreaterThan(SEEDS / 10);
  });
});
