// Rows of retention as a log applies them: "max_shard_size", "min_segments", "keep_consumed", "force_delete_after",
// "priority per stream", "max_lag per group", and "time-to-full".

import { describe, expect, it } from '@jest/globals';
import { LogFull } from '../../buffer/errors.ts';
import type { Shard } from '../../buffer/shard.ts';
import { appendDurably, entry, expectAccountsToAddUp, LogOnMemory, openedOnMemory } from './log_on_memory.ts';
import { settle } from './manual_clock.ts';
import { systemError } from './memory_file_system.ts';

const KiB = 1024;
const small = { maxBytes: 8 * KiB };

/** Appends so many entries of 1 KiB, as far as they are taken; returns how many were. */
async function append(shard: Shard, entries: number): Promise<number> {
  for (let taken = 0; taken < entries; taken++) {
    try {
      await shard.durable(shard.append([Buffer.alloc(KiB, taken)]));
    } catch (error) {
      if (error instanceof LogFull) return taken;
      throw error;
    }
    await settle();
  }
  return entries;
}

describe('max_shard_size', () => {
  const limits = { maxSize_bytes: 1024 * KiB, maxShardSize_bytes: 64 * KiB };

  it('refuses what one shard has no room for, takes what another has, and heals by itself', async () => {
    const { log, stream, shard } = await openedOnMemory({ segment: small, retention: limits });
    const other = (await log.stream('other')).shardOf(0);
    const group = await stream.group('g');
    expect(await append(shard, 100)).toBeLessThan(64);
    expect(() => shard.append([Buffer.alloc(10 * KiB)])).toThrow(/s\/0 is full: \d+ of 65536 bytes/);
    expect(shard.stats().bytes).toBeLessThanOrEqual(64 * KiB);
    expect(await append(other, 20)).toBe(20);
    await group.reset('latest');
    await log.retain();
    expect(await append(shard, 20)).toBe(20);
    expectAccountsToAddUp(log);
    await log.close();
  });

  it('is counted afresh when the log is opened again', async () => {
    const options = { segment: small, retention: limits };
    const { on, log, shard } = await openedOnMemory(options);
    await append(shard, 100);
    await log.close();
    const again = await openedOnMemory(options, on);
    expect(await append(again.shard, 100)).toBe(0);
    await again.log.close();
  });

  it('drops the oldest of that shard alone where the user said so, and counts it', async () => {
    const { log, shard } = await openedOnMemory({
      segment: small,
      inFlightMax_bytes: 8 * KiB,
      retention: { ...limits, whenFull: 'drop_oldest' },
    });
    const other = (await log.stream('other')).shardOf(0);
    await append(other, 20);
    expect(await append(shard, 200)).toBe(200);
    await log.retain();
    const account = shard.account();
    expect(shard.stats().bytes).toBeLessThanOrEqual(64 * KiB);
    expect(account.dropped.max_shard_size).toBe(200 - account.retained);
    expect(other.account().retained).toBe(20);
    await log.close();
  });
});

describe('min_segments', () => {
  it('stay though all of them are consumed', async () => {
    const { log, stream, shard } = await openedOnMemory({
      segment: small,
      retention: { maxSize_bytes: 1024 * KiB, minSegments: 4 },
    });
    const group = await stream.group('g');
    await append(shard, 60);
    void group.commit(shard, 60);
    await log.retain();
    expect(shard.segments).toHaveLength(4);
    await log.close();
  });
});

describe('keep_consumed', () => {
  it('lets a group go back as far as it reaches, and gives way when room is needed', async () => {
    const { on, log, stream, shard } = await openedOnMemory({
      segment: small,
      retention: { maxSize_bytes: 64 * KiB, keepConsumed: { age_ms: 60_000 } },
    });
    const group = await stream.group('g');
    await append(shard, 50);
    await group.reset('latest');
    await log.retain();
    expect(shard.logStart).toBe(0);
    await group.seek(shard, 3);
    await group.seek(shard, 'latest');
    // Nobody is refused for the sake of what is kept for replay alone.
    let taken = 0;
    for (let round = 0; round < 10; round++) {
      taken += await append(shard, 10);
      await group.reset('latest');
      await log.retain();
    }
    expect(taken).toBe(100);
    expect(shard.logStart).toBeGreaterThan(50);
    expect(shard.account().dropped.max_size).toBe(0);
    on.clock.advance(70_000);
    await log.retain();
    expect(shard.segments.length).toBeLessThanOrEqual(1);
    expectAccountsToAddUp(log);
    await log.close();
  });
});

describe('force_delete_after', () => {
  it('removes what a group protects once the log was open for so long, whatever the wall clock does', async () => {
    const { on, log, stream, shard } = await openedOnMemory({
      segment: { maxBytes: 300, maxAge_ms: 500 },
      retention: { forceDeleteAfter_ms: 60_000, interval_ms: 1e9 },
    });
    const group = await stream.group('dead');
    for (let index = 0; index < 10; index++) await appendDurably(shard, `entry ${index}`);
    void group.commit(shard, 2);
    on.clock.wall_ms += 10 * 365 * 86_400_000;
    await log.retain();
    expect(shard.account().retained).toBe(10);
    on.clock.advance(60_001);
    await log.retain();
    await log.retain();
    expect(shard.account()).toMatchObject({
      retained: 0,
      deletedConsumed: 2,
      dropped: { force_delete_after: 8 },
    });
    await log.close();
    expect((await openedOnMemory({}, on)).shard.account().dropped.force_delete_after).toBe(8);
  });
});

describe('priority per stream', () => {
  it('sheds the lowest first under drop_oldest, however young it is', async () => {
    const on = new LogOnMemory();
    const log = await on.open({
      segment: small,
      inFlightMax_bytes: 8 * KiB,
      retention: { maxSize_bytes: 64 * KiB, whenFull: 'drop_oldest' },
    });
    const traces = (await log.stream('traces', { priority: 1 })).shardOf(0);
    const debug = (await log.stream('debug', { priority: -1 })).shardOf(0);
    await append(traces, 20);
    on.clock.advance(1000);
    await append(debug, 40);
    await append(traces, 20);
    await log.retain();
    expect(traces.account()).toMatchObject({ retained: 40 });
    expect(debug.account().dropped.max_size).toBeGreaterThan(10);
    await log.close();
  });

  it('is a finite number', async () => {
    const log = await new LogOnMemory().open();
    await expect(log.stream('s', { priority: Number.NaN })).rejects.toMatchObject({
      code: 'HF_BUFFER_INVALID_OPTION',
    });
    await log.close();
  });
});

describe('time-to-full and the age of what is not consumed', () => {
  it('are told from the pace at which the room shrinks, and from the oldest entry that a group still wants', async () => {
    const { on, log, stream, shard } = await openedOnMemory({
      segment: small,
      retention: { maxSize_bytes: 1024 * KiB, interval_ms: 10_000 },
    });
    const group = await stream.group('g');
    expect(log.stats().timeToFull_ms).toBeUndefined();
    expect(log.stats().total.oldestUnconsumed_age_ms).toBe(0);
    for (let tick = 0; tick < 10; tick++) {
      await append(shard, 10);
      on.clock.advance(10_000);
      await settle();
    }
    const { timeToFull_ms, used_bytes, total } = log.stats();
    const pace = used_bytes / 100_000;
    expect(timeToFull_ms! / ((1024 * KiB - used_bytes) / pace)).toBeGreaterThan(0.8);
    expect(timeToFull_ms! / ((1024 * KiB - used_bytes) / pace)).toBeLessThan(1.3);
    expect(total.oldestUnconsumed_age_ms).toBe(100_000);
    expect(stream.stats().oldestUnconsumed_age_ms).toBe(100_000);
    void group.commit(shard, 100);
    await log.retain();
    on.clock.advance(10_000);
    await settle();
    // Over the whole window the log has grown by one segment that is not sealed.
    expect(log.stats().timeToFull_ms).toBeGreaterThan(10 * timeToFull_ms!);
    expect(shard.stats().oldestUnconsumed_age_ms).toBe(0);
    await log.close();
  });
});

describe('an append that was refused', () => {
  it('finds room after retention though what is used alone passes no limit', async () => {
    const { log, stream, shard } = await openedOnMemory({
      segment: { maxBytes: 8 * KiB },
      retention: { maxSize_bytes: 64 * KiB },
    });
    await stream.group('debug', { protect: false });
    await append(shard, 40);
    expect(() => shard.append([Buffer.alloc(30 * KiB)])).toThrow(LogFull);
    await log.retain();
    await log.retain();
    await shard.durable(shard.append([Buffer.alloc(30 * KiB)]));
    await appendDurably(shard, Buffer.from(entry('x')).toString());
    await log.close();
  });
});

describe('a shard whose files refuse', () => {
  it.each(['ledger', 'tidy'] as const)('keeps no other one from giving back its room (%s)', async (what) => {
    const on = new LogOnMemory();
    const log = await on.open({ segment: small });
    const stream = await log.stream('s', { shards: 3 });
    const group = await stream.group('g');
    for (const shard of stream.shards) {
      expect(await append(shard, 20)).toBe(20);
      void group.commit(shard, 20);
    }
    on.fileSystem.hook = (operation, path) => {
      if (!path.startsWith('/log/s/0/')) return;
      if (what === 'ledger' ? path.includes('ledger') && operation !== 'close' : operation === 'sync')
        throw systemError('EIO');
    };
    if (what === 'tidy') {
      on.clock.advance(2 * 3_600_000);
      await settle();
    }
    await log.retain();
    expect(stream.shards.slice(1).every((shard) => shard.segments.length <= 1)).toBe(true);
    expect(stream.shards[0]!.segments.length).toBeGreaterThan(1);
    expect(on.reports.some((one) => one.level === 'warn' && one.fields['shard'] === 's/0')).toBe(true);
    on.fileSystem.hook = () => {};
    await log.retain();
    expect(stream.shards[0]!.segments.length).toBeLessThanOrEqual(1);
    expectAccountsToAddUp(log);
    await log.close();
  });
});
