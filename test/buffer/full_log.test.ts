// A log or a disk that fills: refusal with a time, commits and reading that go on, retention that makes room, healing.

import { describe, expect, it } from '@jest/globals';
import { LogFull } from '../../buffer/errors.ts';
import type { Shard } from '../../buffer/shard.ts';
import {
  appendDurably,
  expectAccountsToAddUp,
  LogOnMemory,
  openedOnMemory,
  readAll,
} from './log_on_memory.ts';
import { settle } from './manual_clock.ts';
import { type MemoryFileSystem, systemError } from './memory_file_system.ts';

const KiB = 1024;

/** Appends entries of 1 KiB until one is refused; returns how many were taken. */
async function fill(shard: Shard): Promise<{ taken: number; refusal: LogFull }> {
  for (let taken = 0; taken < 10_000; taken++) {
    try {
      const offset = shard.append([Buffer.alloc(KiB, taken)]);
      await shard.durable(offset);
    } catch (error) {
      if (!(error instanceof LogFull)) throw error;
      return { taken, refusal: error };
    }
  }
  throw new Error('it never was full');
}

describe('a full log', () => {
  const limits = { segment: { maxBytes: 8 * KiB }, retention: { maxSize_bytes: 64 * KiB } };

  it('refuses with a time to come back, delivers, commits, and takes again without anybody doing anything', async () => {
    const { on, log, stream, shard } = await openedOnMemory(limits);
    const group = await stream.group('g');
    const { taken, refusal } = await fill(shard);
    expect(refusal.retryAfter_s).toBeGreaterThan(0);
    expect(taken).toBeGreaterThan(50);
    expect(log.stats().used_bytes).toBeLessThanOrEqual(64 * KiB);
    const reader = group.reader(shard);
    const all = await readAll(reader);
    expect(all.length).toBe(taken);
    void group.commit(shard, taken);
    await group.flush();
    await log.retain();
    const again = await fill(shard);
    expect(again.taken).toBeGreaterThan(40);
    expectAccountsToAddUp(log);
    await log.close();
    expect(on.fileSystem.openFiles.size).toBe(0);
  });

  it('heals though all that was consumed stands in the active segment', async () => {
    const { log, stream, shard } = await openedOnMemory({
      segment: { maxBytes: 64 * KiB },
      retention: limits.retention,
    });
    const group = await stream.group('g');
    for (let round = 0; round < 5; round++) {
      const { taken } = await fill(shard);
      expect(taken).toBeGreaterThan(40);
      void group.commit(shard, shard.highWatermark);
      await log.retain();
    }
    expectAccountsToAddUp(log);
    await log.close();
  });

  it('refuses nobody for the sake of what is consumed, however long its interval is', async () => {
    const { log, stream, shard } = await openedOnMemory(limits);
    const group = await stream.group('g');
    for (let entry = 0; entry < 500; entry++) {
      await shard.durable(shard.append([Buffer.alloc(KiB, entry)]));
      void group.commit(shard, shard.highWatermark);
      await group.flush();
    }
    expect(shard.account()).toMatchObject({ quarantined: 0 });
    expectAccountsToAddUp(log);
    await log.close();
  });

  it('drops nothing of a stream that no group has read yet', async () => {
    const { log, shard } = await openedOnMemory(limits);
    const { taken } = await fill(shard);
    await log.retain();
    expect(shard.account()).toMatchObject({ retained: taken });
    await log.close();
  });

  it('drops the oldest where the user said so, counts it, and readers go on behind it', async () => {
    const options = { ...limits, retention: { ...limits.retention, whenFull: 'drop_oldest' as const } };
    const { on, log, stream, shard } = await openedOnMemory(options);
    const group = await stream.group('g');
    const reader = group.reader(shard);
    for (let index = 0; index < 300; index++) {
      await appendDurably(shard, `${index}`.padEnd(KiB, '.'));
      await settle();
    }
    await log.retain();
    const account = shard.account();
    expect(log.stats().used_bytes).toBeLessThanOrEqual(64 * KiB);
    expect(account.appended).toBe(300);
    expect(account.dropped.max_size).toBe(300 - account.retained);
    expect(account.dropped.max_size).toBeGreaterThan(200);
    const all = await readAll(reader);
    expect(all.map((one) => one.offset)).toEqual(
      Array.from({ length: account.retained }, (_, index) => 300 - account.retained + index),
    );
    await log.close();
    const again = await openedOnMemory(options, on);
    expect(again.shard.account()).toEqual(account);
    await again.log.close();
  });

  it('under drop_oldest goes on though one segment holds all that there is', async () => {
    const { log, shard } = await openedOnMemory({
      segment: { maxBytes: 64 * KiB },
      inFlightMax_bytes: 16 * KiB,
      retention: { ...limits.retention, whenFull: 'drop_oldest' },
    });
    for (let index = 0; index < 200; index++) {
      await appendDurably(shard, 'x'.repeat(KiB));
      await settle();
    }
    expect(log.stats().used_bytes).toBeLessThanOrEqual((64 + 16 + 8) * KiB);
    expectAccountsToAddUp(log);
    await log.close();
  });

  it('keeps room for a stream with a reserve', async () => {
    const { log, shard } = await openedOnMemory(limits);
    const dead = (await log.stream('dead', { reserve_bytes: 4 * KiB })).shardOf(0);
    await fill(shard);
    await appendDurably(dead, 'a dead letter');
    const { taken } = await fill(dead);
    expect(taken).toBeGreaterThan(1);
    expect(taken).toBeLessThan(6);
    await log.close();
  });

  it('counts once what it removes though the account cannot be written at first', async () => {
    const { on, log, stream, shard } = await openedOnMemory(limits);
    const group = await stream.group('g');
    const { taken } = await fill(shard);
    void group.commit(shard, taken);
    await group.flush();
    on.fileSystem.hook = (operation, path) => {
      if (operation === 'write' && path.includes('/ledger')) throw systemError('EIO');
    };
    const files = on.disk.paths().filter((path) => path.endsWith('.log')).length;
    for (let attempt = 0; attempt < 3; attempt++) await log.retain();
    // No file goes before the account of it is durable.
    expect(on.disk.paths().filter((path) => path.endsWith('.log')).length).toBe(files);
    expect(on.reports.some((one) => /retention .*was interrupted/.test(one.message))).toBe(true);
    on.fileSystem.hook = () => {};
    await log.retain();
    await log.retain();
    expect(on.disk.paths().filter((path) => path.endsWith('.log')).length).toBeLessThan(files);
    const account = shard.account();
    expect(account.deletedConsumed + account.retained).toBe(taken);
    expectAccountsToAddUp(log);
    await log.close();
    const again = await openedOnMemory(limits, on);
    expect(again.shard.account()).toEqual(account);
    await again.log.close();
  });
});

describe('a full disk', () => {
  it('rejects appends with a time, commits offsets, goes on draining, and heals', async () => {
    const { on, log, stream, shard } = await openedOnMemory({ segment: { maxBytes: 8 * KiB } });
    const group = await stream.group('g');
    const reader = group.reader(shard);
    await appendDurably(shard, 'before');
    on.disk.capacity_bytes = on.disk.used_bytes + 40 * KiB;
    const { taken, refusal } = await fill(shard);
    expect(refusal.retryAfter_s).toBeGreaterThan(0);
    expect(log.failures().get('s/0')).toBeDefined();
    const all = await readAll(reader);
    expect(all.length).toBe(taken + 1);
    void group.commit(shard, all.at(-1)!.offset + 1);
    await group.flush();
    const twin = await openedOnMemory({}, on.killed());
    expect((await twin.stream.group('g')).committed(twin.shard)).toBe(all.length);
    await twin.log.close();
    // What was consumed is removed, and that alone makes room.
    await log.retain();
    on.clock.advance(10_000);
    await settle();
    await appendDurably(shard, 'after');
    expect(log.failures().size).toBe(0);
    expectAccountsToAddUp(log);
    await log.close();
  });

  it('leaves the free space that must stay to others', async () => {
    const on = new LogOnMemory();
    const { log, shard } = await openedOnMemory({ retention: { minFreeSpace_bytes: 50 * KiB } }, on);
    on.fileSystem.free_bytes = 60 * KiB;
    await log.retain();
    const { taken, refusal } = await fill(shard);
    expect(taken).toBeLessThan(10);
    expect(refusal.message).toMatch(/must stay free/);
    on.fileSystem.free_bytes = 500 * KiB;
    await log.retain();
    await appendDurably(shard, 'again');
    await log.close();
  });
});

describe('retention', () => {
  it('runs by itself at its interval, removes consumed segments with their index, and never the active one', async () => {
    const { on, log, stream, shard } = await openedOnMemory({ segment: { maxBytes: 300 } });
    const group = await stream.group('g');
    for (let commit = 0; commit < 20; commit++) await appendDurably(shard, `entry ${commit}`);
    void group.commit(shard, 20);
    await group.flush();
    on.clock.advance(5000);
    await settle();
    expect(shard.segments).toHaveLength(1);
    const files = on.disk.paths().filter((path) => /\.(log|index)$/.test(path));
    expect(files).toEqual([shard.segmentPath(shard.segments[0]!)]);
    const account = shard.account();
    expect(account.deletedConsumed).toBe(shard.logStart);
    expect(account.appended).toBe(20);
    await log.close();
  });

  it('removes by age what is not protected, by the time that the log was open and not by the wall clock', async () => {
    const { on, log, stream, shard } = await openedOnMemory({
      segment: { maxBytes: 300, maxAge_ms: 500 },
      retention: { maxAge_ms: 60_000, interval_ms: 1_000_000_000 },
    });
    await stream.group('debug', { protect: false });
    for (let commit = 0; commit < 10; commit++) await appendDurably(shard, `entry ${commit}`);
    on.clock.wall_ms += 10 * 365 * 86_400_000;
    await log.retain();
    expect(shard.account().retained).toBe(10);
    on.clock.advance(60_001);
    await log.retain();
    await log.retain();
    expect(shard.account()).toMatchObject({ retained: 0, dropped: { max_age: 10 } });
    await log.close();
  });

  it('lets a group pin no more than its max_lag', async () => {
    const { log, stream, shard } = await openedOnMemory({ segment: { maxBytes: 300 } });
    await stream.group('dead', { maxLag: { bytes: 1000 } });
    for (let commit = 0; commit < 60; commit++) await appendDurably(shard, `entry ${commit}`);
    await log.retain();
    const account = shard.account();
    expect(account.dropped.max_lag).toBeGreaterThan(10);
    expect(shard.stats().bytes).toBeLessThan(1500);
    expectAccountsToAddUp(log);
    await log.close();
  });

  it('finishes after a kill what it had begun: a removed segment that is still there goes', async () => {
    const { on, log, stream, shard } = await openedOnMemory({ segment: { maxBytes: 300 } });
    const group = await stream.group('g');
    for (let commit = 0; commit < 20; commit++) await appendDurably(shard, `entry ${commit}`);
    void group.commit(shard, 20);
    await group.flush();
    let removed = 0;
    const twins: MemoryFileSystem[] = [];
    on.fileSystem.hook = (operation) => {
      if (operation === 'remove' && removed++ % 3 === 0) twins.push(on.disk.copy());
    };
    await log.retain();
    const account = shard.account();
    expect(twins.length).toBeGreaterThan(1);
    for (const disk of twins) {
      const twin = await openedOnMemory({}, new LogOnMemory(disk));
      expect(twin.shard.account()).toEqual(account);
      expect(twin.shard.segments).toHaveLength(1);
      await twin.log.close();
    }
    await log.close();
  });

  // Simulator, seed 1222193: the log start stood in the page cache alone, its files went, and a power cut brought the old one back.
  it('finishes nothing of it while the disk refuses to make the account durable', async () => {
    const { on, log, stream, shard } = await openedOnMemory({ segment: { maxBytes: 300 } });
    const group = await stream.group('g');
    for (let commit = 0; commit < 20; commit++) await appendDurably(shard, `entry ${commit}`);
    void group.commit(shard, 20);
    await group.flush();
    let twin: LogOnMemory | undefined;
    on.fileSystem.hook = (operation) => {
      if (operation === 'remove') twin ??= on.killed();
    };
    await log.retain();
    await log.close();
    const segments = () => twin!.disk.paths().filter((path) => path.endsWith('.log')).length;
    const before = segments();
    expect(before).toBeGreaterThan(1);
    twin!.fileSystem.hook = (operation, path) => {
      const changes = operation === 'write' || operation === 'sync' || operation === 'rename';
      if (changes && path.includes('/ledger')) throw systemError('EIO');
    };
    const refused = await twin!.open();
    expect(segments()).toBe(before);
    await refused.close().catch(() => {});
    twin!.fileSystem.hook = () => {};
    const healed = await openedOnMemory({}, twin!);
    expect(segments()).toBe(1);
    expect(healed.shard.account()).toMatchObject({ appended: 20, quarantined: 0 });
    await healed.log.close();
  });
});
