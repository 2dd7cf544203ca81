// The log as a whole: streams, shards and their number, a disk that fills and heals, retention, and what a restart finds.

import { describe, expect, it } from '@jest/globals';
import { EntryTooLarge, InvalidName, LogClosed, LogFull, OwnerPresent } from '../../buffer/errors.ts';
import type { Log } from '../../buffer/log.ts';
import type { Shard } from '../../buffer/shard.ts';
import { appendDurably, entry, LogOnMemory, readAll } from './log_on_memory.ts';
import { settle } from './manual_clock.ts';
import { type MemoryFileSystem, systemError } from './memory_file_system.ts';

const KiB = 1024;

async function opened(options: Parameters<LogOnMemory['open']>[0] = {}, on = new LogOnMemory()) {
  const log = await on.open(options);
  const stream = await log.stream('s');
  return { on, log, stream, shard: stream.shardOf(0) };
}

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

function adds(log: Log): void {
  for (const shards of Object.values(log.stats().streams)) {
    for (const { account, logStart, highWatermark } of shards) {
      const dropped = Object.values(account.dropped).reduce((sum, count) => sum + count, 0);
      expect(account.appended).toBe(
        account.retained + account.deletedConsumed + dropped + account.quarantined,
      );
      expect(account.retained).toBeLessThanOrEqual(highWatermark - logStart);
    }
  }
}

describe('a log', () => {
  it('gives back after a restart what it took before, in order, in every stream and shard', async () => {
    const on = new LogOnMemory();
    const log = await on.open();
    for (const name of ['traces.otlp', 'logs.syslog']) {
      const stream = await log.stream(name, { shards: 3 });
      for (const [index, shard] of stream.shards.entries())
        await appendDurably(shard, `${name} ${index} a`, 'b');
    }
    await log.close();
    const again = await on.open();
    expect(again.streamNames()).toEqual(['logs.syslog', 'traces.otlp']);
    for (const name of again.streamNames()) {
      const stream = await again.stream(name, { shards: 3 });
      const group = await stream.group('g');
      for (const [index, shard] of stream.shards.entries()) {
        expect((await readAll(group.reader(shard))).map((one) => one.text)).toEqual([
          `${name} ${index} a`,
          'b',
        ]);
        expect(await appendDurably(shard, 'c')).toBe(2);
      }
    }
    adds(again);
    await again.close();
  });

  it('loses nothing that it promised when it is killed at any moment after', async () => {
    const { on, log, shard } = await opened({ segment: { maxBytes: 400 } });
    const promised: string[] = [];
    for (let commit = 0; commit < 30; commit++) {
      const texts = [`${commit} a`, `${commit} b`];
      await appendDurably(shard, ...texts);
      promised.push(...texts);
      const twin = await opened({}, on.killed());
      const group = await twin.stream.group('g');
      expect((await readAll(group.reader(twin.shard))).map((one) => one.text)).toEqual(promised);
      expect(twin.shard.account()).toMatchObject({ appended: promised.length, retained: promised.length });
      await twin.log.close();
    }
    await log.close();
  });

  it('opens and closes any number of times without changing what it holds or growing', async () => {
    const { on, log, shard } = await opened({ segment: { maxBytes: 400 } });
    for (let commit = 0; commit < 20; commit++) await appendDurably(shard, `${commit}`);
    await log.close();
    const segments = (): string[] => on.disk.paths().filter((path) => path.endsWith('.log'));
    const before = segments().map((path) => on.disk.bytes(path).toString('hex'));
    for (let opening = 0; opening < 5; opening++) {
      const again = await opened({}, on);
      expect(again.shard.account()).toMatchObject({ appended: 20, retained: 20 });
      await again.log.close();
    }
    expect(segments().map((path) => on.disk.bytes(path).toString('hex'))).toEqual(before);
    expect(on.fileSystem.openFiles.size).toBe(0);
    expect(on.clock.pending).toBe(0);
  });

  it('is one owner at a time, and the second open harms nothing', async () => {
    const { on, log, shard } = await opened();
    await appendDurably(shard, 'a');
    await expect(on.open()).rejects.toBeInstanceOf(OwnerPresent);
    await appendDurably(shard, 'b');
    await log.close();
    const again = await opened({}, on);
    expect(again.shard.account().retained).toBe(2);
    await again.log.close();
  });

  it('leaves nothing open where opening fails anywhere, and opens when the disk is well again', async () => {
    const source = await opened({ segment: { maxBytes: 200 } });
    for (let commit = 0; commit < 8; commit++) await appendDurably(source.shard, `${commit}`);
    void (await source.stream.group('g')).commit(source.shard, 3);
    await source.log.close();
    for (let failAt = 0; ; failAt++) {
      const on = source.on.killed();
      let operations = 0;
      on.fileSystem.hook = (operation) => {
        if (operation !== 'close' && operations++ === failAt) throw systemError('EIO');
      };
      const log = await on.open().catch(() => undefined);
      const reached = operations > failAt;
      on.fileSystem.hook = () => {};
      await log?.close();
      expect(on.fileSystem.openFiles.size).toBe(0);
      expect(on.clock.pending).toBe(0);
      const again = await opened({}, on);
      expect(again.shard.account()).toMatchObject({ appended: 8, retained: 8 });
      expect((await again.stream.group('g')).committed(again.shard)).toBe(3);
      await again.log.close();
      if (!reached) break;
    }
  });

  it('refuses what it cannot name, and what comes after the end', async () => {
    const { log } = await opened();
    for (const name of ['../x', 'A', 'lock', 'owner']) {
      await expect(log.stream(name)).rejects.toBeInstanceOf(InvalidName);
    }
    await log.close();
    await expect(log.stream('t')).rejects.toBeInstanceOf(LogClosed);
  });

  it('refuses an entry larger than the limit, also in parts, and takes one that is as large', async () => {
    const { log, shard } = await opened({ entryMax_bytes: 100 });
    expect(() => shard.append([entry('a'), Buffer.alloc(101)])).toThrow(EntryTooLarge);
    expect(() => shard.appendParts([Buffer.alloc(60), Buffer.alloc(41)])).toThrow(EntryTooLarge);
    expect(shard.logEnd).toBe(0);
    const offset = shard.appendParts([Buffer.alloc(60), Buffer.alloc(40)]);
    await shard.durable(offset);
    await log.close();
  });

  it('refuses beyond the memory for entries in flight and takes again once they are durable', async () => {
    const { on, log, shard } = await opened({ inFlightMax_bytes: 10 * KiB });
    let letGo: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    on.fileSystem.hook = (operation, path) =>
      operation === 'sync' && path.endsWith('.log') ? held : undefined;
    const refused = await (async () => {
      for (let index = 0; index < 100; index++) {
        try {
          shard.append([Buffer.alloc(KiB)]);
        } catch (error) {
          return error;
        }
        await settle();
      }
      return undefined;
    })();
    expect(refused).toBeInstanceOf(LogFull);
    expect(log.stats().inFlight_bytes).toBeLessThanOrEqual(10 * KiB);
    letGo();
    await shard.durable(shard.logEnd - 1);
    await settle();
    expect(log.stats().inFlight_bytes).toBe(0);
    await appendDurably(shard, 'again');
    await log.close();
  });
});

describe('shards', () => {
  it('keep a key in one place, and spread keys', async () => {
    const { log } = await opened();
    const stream = await log.stream('many', { shards: 4 });
    expect(stream.shardOf('host-a')).toBe(stream.shardOf(Buffer.from('host-a')));
    expect(stream.shardOf(7)).toBe(stream.shards[3]);
    expect(stream.shardOf(2 ** 32 - 1)).toBe(stream.shards[3]);
    const used = new Set(Array.from({ length: 100 }, (_, key) => stream.shardOf(`host-${key}`).index));
    expect(used.size).toBe(4);
    await log.close();
  });

  it('become more or fewer with a backlog: old ones drain, new entries use the new number', async () => {
    const on = new LogOnMemory();
    for (const shards of [2, 5, 1, 3]) {
      const log = await on.open();
      const stream = await log.stream('s', { shards });
      expect(stream.shards.length).toBeGreaterThanOrEqual(shards);
      for (let key = 0; key < 20; key++) {
        const shard = stream.shardOf(key);
        expect(shard.index).toBe(key % shards);
        await appendDurably(shard, `${shards}/${key}`);
      }
      await log.close();
    }
    const log = await on.open();
    const stream = await log.stream('s', { shards: 1 });
    const group = await stream.group('g');
    const all: string[] = [];
    for (const shard of stream.shards)
      all.push(...(await readAll(group.reader(shard))).map((one) => one.text));
    expect(all.length).toBe(80);
    expect(new Set(all).size).toBe(80);
    await log.close();
  });

  it('are found again with their groups though nobody opens their stream, and hold what is protected', async () => {
    const on = new LogOnMemory();
    const options = { segment: { maxBytes: 300 }, retention: { maxAge_ms: 1000, interval_ms: 100 } };
    const { log, stream, shard } = await opened(options, on);
    await stream.group('g');
    for (let commit = 0; commit < 10; commit++) await appendDurably(shard, `${commit}`);
    await log.close();
    const again = await on.open(options);
    on.clock.advance(60_000);
    await again.retain();
    expect(again.stats().streams['s']![0]!.account).toMatchObject({ retained: 10 });
    expect(again.stats().used_bytes).toBe(again.stats().streams['s']![0]!.bytes);
    await again.close();
  });
});

describe('a full log', () => {
  const limits = { segment: { maxBytes: 8 * KiB }, retention: { maxSize_bytes: 64 * KiB } };

  it('refuses with a time to come back, delivers, commits, and takes again without anybody doing anything', async () => {
    const { on, log, stream, shard } = await opened(limits);
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
    adds(log);
    await log.close();
    expect(on.fileSystem.openFiles.size).toBe(0);
  });

  it('heals though all that was consumed stands in the active segment', async () => {
    const { log, stream, shard } = await opened({
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
    adds(log);
    await log.close();
  });

  it('drops nothing of a stream that no group has read yet', async () => {
    const { log, shard } = await opened(limits);
    const { taken } = await fill(shard);
    await log.retain();
    expect(shard.account()).toMatchObject({ retained: taken });
    await log.close();
  });

  it('drops the oldest where the user said so, counts it, and readers go on behind it', async () => {
    const options = { ...limits, retention: { ...limits.retention, whenFull: 'drop_oldest' as const } };
    const { on, log, stream, shard } = await opened(options);
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
    const again = await opened(options, on);
    expect(again.shard.account()).toEqual(account);
    await again.log.close();
  });

  it('under drop_oldest goes on though one segment holds all that there is', async () => {
    const { log, shard } = await opened({
      segment: { maxBytes: 64 * KiB },
      inFlightMax_bytes: 16 * KiB,
      retention: { ...limits.retention, whenFull: 'drop_oldest' },
    });
    for (let index = 0; index < 200; index++) {
      await appendDurably(shard, 'x'.repeat(KiB));
      await settle();
    }
    expect(log.stats().used_bytes).toBeLessThanOrEqual((64 + 16 + 8) * KiB);
    adds(log);
    await log.close();
  });

  it('keeps room for a stream with a reserve', async () => {
    const { log, shard } = await opened(limits);
    const dead = (await log.stream('dead', { reserve_bytes: 4 * KiB })).shardOf(0);
    await fill(shard);
    await appendDurably(dead, 'a dead letter');
    const { taken } = await fill(dead);
    expect(taken).toBeGreaterThan(1);
    expect(taken).toBeLessThan(6);
    await log.close();
  });

  it('counts once what it removes though the account cannot be written at first', async () => {
    const { on, log, stream, shard } = await opened(limits);
    const group = await stream.group('g');
    const { taken } = await fill(shard);
    void group.commit(shard, taken);
    await group.flush();
    let failures = 3;
    on.fileSystem.hook = (operation, path) => {
      if (operation === 'write' && path.includes('/ledger') && failures-- > 0) throw systemError('EIO');
    };
    const files = on.disk.paths().filter((path) => path.endsWith('.log')).length;
    for (let attempt = 0; attempt < 3; attempt++) await log.retain();
    // No file goes before the account of it is durable.
    expect(on.disk.paths().filter((path) => path.endsWith('.log')).length).toBe(files);
    expect(on.reports.some((one) => /retention was interrupted/.test(one.message))).toBe(true);
    await log.retain();
    await log.retain();
    expect(on.disk.paths().filter((path) => path.endsWith('.log')).length).toBeLessThan(files);
    const account = shard.account();
    expect(account.deletedConsumed + account.retained).toBe(taken);
    adds(log);
    await log.close();
    const again = await opened(limits, on);
    expect(again.shard.account()).toEqual(account);
    await again.log.close();
  });
});

describe('a full disk', () => {
  it('rejects appends with a time, commits offsets, goes on draining, and heals', async () => {
    const { on, log, stream, shard } = await opened({ segment: { maxBytes: 8 * KiB } });
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
    const twin = await opened({}, on.killed());
    expect((await twin.stream.group('g')).committed(twin.shard)).toBe(all.length);
    await twin.log.close();
    // What was consumed is removed, and that alone makes room.
    await log.retain();
    on.clock.advance(10_000);
    await settle();
    await appendDurably(shard, 'after');
    expect(log.failures().size).toBe(0);
    adds(log);
    await log.close();
  });

  it('leaves the free space that must stay to others', async () => {
    const on = new LogOnMemory();
    const { log, shard } = await opened({ retention: { minFreeSpace_bytes: 50 * KiB } }, on);
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
    const { on, log, stream, shard } = await opened({ segment: { maxBytes: 300 } });
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
    const { on, log, stream, shard } = await opened({
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
    const { log, stream, shard } = await opened({ segment: { maxBytes: 300 } });
    await stream.group('dead', { maxLag: { bytes: 1000 } });
    for (let commit = 0; commit < 60; commit++) await appendDurably(shard, `entry ${commit}`);
    await log.retain();
    const account = shard.account();
    expect(account.dropped.max_lag).toBeGreaterThan(10);
    expect(shard.stats().bytes).toBeLessThan(1500);
    adds(log);
    await log.close();
  });

  it('finishes after a kill what it had begun: a removed segment that is still there goes', async () => {
    const { on, log, stream, shard } = await opened({ segment: { maxBytes: 300 } });
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
      const twin = await opened({}, new LogOnMemory(disk));
      expect(twin.shard.account()).toEqual(account);
      expect(twin.shard.segments).toHaveLength(1);
      await twin.log.close();
    }
    await log.close();
  });
});

describe('damage found when the log is opened', () => {
  it('is kept aside, told, counted once, and costs its frame alone', async () => {
    const source = await opened();
    for (let commit = 0; commit < 5; commit++)
      await appendDurably(source.shard, `${commit} a`, `${commit} b`);
    await source.log.close();
    const path = '/log/s/0/00000000000000000000.log';
    const damaged = source.on.killed();
    const frame = damaged.disk.bytes(path).length / 5;
    damaged.disk.bytes(path)[2 * frame + 45]! ^= 1;
    const aside = Buffer.from(damaged.disk.bytes(path).subarray(2 * frame, 3 * frame));
    for (let opening = 0; opening < 3; opening++) {
      const { log, stream, shard } = await opened({}, damaged);
      expect(shard.account()).toMatchObject({ appended: 10, retained: 8, quarantined: 2 });
      const all = await readAll((await stream.group('g')).reader(shard));
      expect(all.map((one) => one.offset)).toEqual([0, 1, 2, 3, 6, 7, 8, 9]);
      await log.close();
    }
    const kept = damaged.disk.paths().filter((name) => name.includes('/quarantine/'));
    expect(kept).toEqual(['/log/s/0/quarantine/00000000000000000004-00000000000000000006.bin']);
    expect(damaged.disk.bytes(kept[0]!).equals(aside)).toBe(true);
    expect(damaged.reports.filter((one) => /quarantined/.test(one.message))).toHaveLength(1);
  });

  it('of any small file starts all the same: every entry is read or counted', async () => {
    const source = await opened({ segment: { maxBytes: 250 } });
    for (let commit = 0; commit < 12; commit++) await appendDurably(source.shard, `entry ${commit}`);
    void (await source.stream.group('g')).commit(source.shard, 3);
    await source.log.close();
    const files = source.on.disk
      .paths()
      .filter((path) => /\/(ledger|offsets|\d+\.index|\d+\.log)$/.test(path));
    for (const path of files) {
      for (const harm of ['gone', 'empty', 'zeros', 'garbage', 'half'] as const) {
        const on = source.on.killed();
        const bytes = on.disk.bytes(path);
        if (harm === 'gone') await on.disk.remove(path);
        else if (harm === 'empty') on.disk.replace(path, Buffer.alloc(0));
        else if (harm === 'half') on.disk.replace(path, bytes.subarray(0, bytes.length >>> 1));
        else bytes.fill(harm === 'zeros' ? 0 : 0x48);
        const { log, stream, shard } = await opened({}, on);
        const group = await stream.group('h');
        const all = await readAll(group.reader(shard));
        const { appended, retained, quarantined } = shard.account();
        expect(all.length).toBe(retained);
        expect(appended).toBe(retained + quarantined);
        expect(appended).toBe(12);
        if (!path.endsWith('.log')) expect(all.length).toBe(12);
        expect(await appendDurably(shard, 'next')).toBe(12);
        await log.close();
      }
    }
  });
});
