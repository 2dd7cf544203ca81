// The log as a whole: streams, shards and their number, restarts and kills, limits on what one append may take.

import { describe, expect, it } from '@jest/globals';
import { EntryTooLarge, InvalidName, LogClosed, LogFull, OwnerPresent } from '../../buffer/errors.ts';
import {
  appendDurably,
  entry,
  expectAccountsToAddUp,
  LogOnMemory,
  openedOnMemory,
  readAll,
} from './log_on_memory.ts';
import { settle } from './manual_clock.ts';
import { systemError } from './memory_file_system.ts';

const KiB = 1024;

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
    expectAccountsToAddUp(again);
    await again.close();
  });

  it('loses nothing that it promised when it is killed at any moment after', async () => {
    const { on, log, shard } = await openedOnMemory({ segment: { maxBytes: 400 } });
    const promised: string[] = [];
    for (let commit = 0; commit < 30; commit++) {
      const texts = [`${commit} a`, `${commit} b`];
      await appendDurably(shard, ...texts);
      promised.push(...texts);
      const twin = await openedOnMemory({}, on.killed());
      const group = await twin.stream.group('g');
      expect((await readAll(group.reader(twin.shard))).map((one) => one.text)).toEqual(promised);
      expect(twin.shard.account()).toMatchObject({ appended: promised.length, retained: promised.length });
      await twin.log.close();
    }
    await log.close();
  });

  it('opens and closes any number of times without changing what it holds or growing', async () => {
    const { on, log, shard } = await openedOnMemory({ segment: { maxBytes: 400 } });
    for (let commit = 0; commit < 20; commit++) await appendDurably(shard, `${commit}`);
    await log.close();
    const segments = (): string[] => on.disk.paths().filter((path) => path.endsWith('.log'));
    const before = segments().map((path) => on.disk.bytes(path).toString('hex'));
    for (let opening = 0; opening < 5; opening++) {
      const again = await openedOnMemory({}, on);
      expect(again.shard.account()).toMatchObject({ appended: 20, retained: 20 });
      await again.log.close();
    }
    expect(segments().map((path) => on.disk.bytes(path).toString('hex'))).toEqual(before);
    expect(on.fileSystem.openFiles.size).toBe(0);
    expect(on.clock.pending).toBe(0);
  });

  it('is one owner at a time, and the second open harms nothing', async () => {
    const { on, log, shard } = await openedOnMemory();
    await appendDurably(shard, 'a');
    await expect(on.open()).rejects.toBeInstanceOf(OwnerPresent);
    await appendDurably(shard, 'b');
    await log.close();
    const again = await openedOnMemory({}, on);
    expect(again.shard.account().retained).toBe(2);
    await again.log.close();
  });

  it('leaves nothing open where opening fails anywhere, and opens when the disk is well again', async () => {
    const source = await openedOnMemory({ segment: { maxBytes: 200 } });
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
      const again = await openedOnMemory({}, on);
      expect(again.shard.account()).toMatchObject({ appended: 8, retained: 8 });
      expect((await again.stream.group('g')).committed(again.shard)).toBe(3);
      await again.log.close();
      if (!reached) break;
    }
  });

  it('refuses what it cannot name, and what comes after the end', async () => {
    const { log } = await openedOnMemory();
    for (const name of ['../x', 'A', 'lock', 'owner']) {
      await expect(log.stream(name)).rejects.toBeInstanceOf(InvalidName);
    }
    await log.close();
    await expect(log.stream('t')).rejects.toBeInstanceOf(LogClosed);
  });

  it('refuses an entry larger than the limit, also in parts, and takes one that is as large', async () => {
    const { log, shard } = await openedOnMemory({ entryMax_bytes: 100 });
    expect(() => shard.append([entry('a'), Buffer.alloc(101)])).toThrow(EntryTooLarge);
    expect(() => shard.appendParts([Buffer.alloc(60), Buffer.alloc(41)])).toThrow(EntryTooLarge);
    expect(shard.logEnd).toBe(0);
    const offset = shard.appendParts([Buffer.alloc(60), Buffer.alloc(40)]);
    await shard.durable(offset);
    await log.close();
  });

  it('refuses beyond the memory for entries in flight and takes again once they are durable', async () => {
    const { on, log, shard } = await openedOnMemory({ inFlightMax_bytes: 10 * KiB });
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
    const { log } = await openedOnMemory();
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
    const { log, stream, shard } = await openedOnMemory(options, on);
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
