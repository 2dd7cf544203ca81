// What opening finds of a shard that was harmed: kept aside, told, counted once, and everything else is there; and what it
// reads of one that was not.

import { describe, expect, it } from '@jest/globals';
import { appendDurably, LogOnMemory, openedOnMemory, readAll } from './log_on_memory.ts';
import { settle } from './manual_clock.ts';
import { MemoryFileSystem, systemError } from './memory_file_system.ts';

describe('damage found when the log is opened', () => {
  it('is kept aside, told, counted once, and costs its frame alone', async () => {
    const source = await openedOnMemory();
    for (let commit = 0; commit < 5; commit++)
      await appendDurably(source.shard, `${commit} a`, `${commit} b`);
    await source.log.close();
    const path = '/log/s/0/00000000000000000000.log';
    const damaged = source.on.killed();
    const frame = damaged.disk.bytes(path).length / 5;
    damaged.disk.bytes(path)[2 * frame + 45]! ^= 1;
    const aside = Buffer.from(damaged.disk.bytes(path).subarray(2 * frame, 3 * frame));
    for (let opening = 0; opening < 3; opening++) {
      const { log, stream, shard } = await openedOnMemory({}, damaged);
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

  // FORMAT.md, Versions: what a later version may leave behind the frames of a sealed segment.
  it('is none where the file of a sealed segment goes on with zeros and frames of lower offsets', async () => {
    const source = await openedOnMemory({ segment: { maxBytes: 250 } });
    for (let commit = 0; commit < 12; commit++) await appendDurably(source.shard, `entry ${commit}`);
    await source.log.close();
    const on = source.on.killed();
    const [first, second, ...later] = on.disk.paths().filter((path) => path.endsWith('.log'));
    expect(later.length).toBeGreaterThan(0);
    const stale = on.disk.bytes(first!);
    on.disk.replace(second!, Buffer.concat([on.disk.bytes(second!), Buffer.alloc(4096), stale]));
    for (let opening = 0; opening < 2; opening++) {
      const { log, stream, shard } = await openedOnMemory({}, on);
      expect(shard.account()).toMatchObject({ appended: 12, retained: 12, quarantined: 0 });
      const all = await readAll((await stream.group('h')).reader(shard));
      expect(all.map((one) => one.text)).toEqual(
        Array.from({ length: 12 }, (_, commit) => `entry ${commit}`),
      );
      await log.close();
    }
    expect(on.disk.paths().filter((path) => path.includes('/quarantine/'))).toEqual([]);
  });

  it('of any small file starts all the same: every entry is read or counted', async () => {
    const source = await openedOnMemory({ segment: { maxBytes: 250 } });
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
        const { log, stream, shard } = await openedOnMemory({}, on);
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

describe('memory and start-up independent of the backlog', () => {
  it('reads of the data no more than the last segment, and of each other its index', async () => {
    const read: { readonly data: number; readonly reads: number; readonly blocks: number }[] = [];
    for (const segments of [10, 100]) {
      const { on, log, shard } = await openedOnMemory({ segment: { maxBytes: 2000 } });
      while (shard.segments.length < segments) {
        await shard.durable(shard.append(Array.from({ length: 10 }, () => Buffer.alloc(100))));
      }
      await log.close();
      const before = on.fileSystem.operations.length;
      const again = await on.open({ segment: { maxBytes: 2000 } });
      const reads = on.fileSystem.operations.slice(before).filter((done) => done.operation === 'read');
      const data = reads.filter((done) => done.path.endsWith('.log'));
      expect(new Set(data.map((done) => done.path))).toEqual(new Set([lastSegment(on)]));
      const indexes = reads.filter((done) => done.path.endsWith('.index'));
      expect(new Set(indexes.map((done) => done.path)).size).toBe(segments - 1);
      expect(indexes.length).toBeLessThanOrEqual(2 * segments);
      const { pool, total } = again.stats();
      expect(total.segments).toBe(segments);
      const group = await (await again.stream('s')).group('g');
      const batch = await group.reader(group.shards[0]!).read({ maxBytes: 1000 });
      const { in_use_bytes } = again.stats().pool;
      expect(in_use_bytes).toBeLessThanOrEqual(256 * 1024);
      read.push({
        data: data.length,
        reads: reads.length - indexes.length,
        blocks: pool.in_use_bytes + pool.free_bytes + in_use_bytes,
      });
      batch!.release();
      await again.close();
    }
    expect(read[1]).toEqual(read[0]);
  });
});

function lastSegment(on: LogOnMemory): string {
  return on.disk.paths().findLast((path) => path.endsWith('.log'))!;
}

describe('an opening that fails', () => {
  it('leaves no file open, whichever of its operations failed', async () => {
    const source = await openedOnMemory();
    await source.stream.group('g');
    await appendDurably(source.shard, 'one', 'two');
    let fails = 0;
    for (let succeeded = false; !succeeded; fails += 1) {
      const on = source.on.killed();
      let operations = 0;
      on.fileSystem.hook = (operation, path) => {
        if (operation === 'close' || !path.startsWith('/log/s/0')) return;
        operations += 1;
        if (operations > fails) throw systemError('EIO');
      };
      const log = await on.open().catch(() => undefined);
      on.fileSystem.hook = () => {};
      succeeded = log !== undefined;
      await log?.close();
      expect({ fails, open: [...on.fileSystem.openFiles.values()] }).toEqual({ fails, open: [] });
    }
    await source.log.close();
    expect(fails).toBeGreaterThan(10);
  });

  // Simulator, seed 1623012: what the opening could not settle was being written by a timer while its file was closed.
  it('ends what its offsets had begun before it lets go of their file', async () => {
    const source = await openedOnMemory();
    await source.stream.group('g');
    await appendDurably(source.shard, 'one');
    const on = source.on.killed();
    let refused = false;
    let again = false;
    const written = Promise.withResolvers<void>();
    const letGo = Promise.withResolvers<void>();
    on.fileSystem.hook = async (operation, path) => {
      const ofOffsets = /\/offsets(\.new)?$/.test(path);
      if (ofOffsets && operation === 'write' && !again) {
        refused = true;
        throw systemError('EIO');
      }
      if (ofOffsets && operation === 'sync') {
        written.resolve();
        await letGo.promise;
      }
      if (refused && operation === 'open' && path.endsWith('.log')) {
        again = true;
        on.clock.advance(60_000);
        await written.promise;
        throw systemError('EIO');
      }
    };
    const opening = on.open().then(
      () => 'opened',
      () => 'failed',
    );
    await written.promise;
    await settle();
    letGo.resolve();
    expect(await opening).toBe('failed');
    await settle();
    expect([...on.fileSystem.openFiles.values()]).toEqual([]);
    await source.log.close();
  });
});

describe('an index whose segment is gone', () => {
  it.each([false, true])(
    'goes when the log is opened after a crash between the two; direct: %s',
    async (direct) => {
      const disk = new MemoryFileSystem();
      disk.direct = direct;
      const { log, on, shard, stream } = await openedOnMemory(
        { segment: { maxBytes: 9000 } },
        new LogOnMemory(disk),
      );
      const group = await stream.group('g');
      for (let commit = 0; commit < 12; commit += 1) await appendDurably(shard, 'x'.repeat(3000));
      void group.commit(shard, 7);
      const left: LogOnMemory[] = [];
      on.fileSystem.hook = (operation, path) => {
        if (operation === 'remove' && path.endsWith('.index')) left.push(on.killed());
      };
      await log.retain();
      expect(left.length).toBeGreaterThan(0);
      for (const killed of left) {
        expect(orphansOn(killed).length).toBeGreaterThan(0);
        const again = await openedOnMemory({}, killed);
        expect(orphansOn(killed)).toEqual([]);
        expect(again.shard.account()).toMatchObject({ appended: 12, quarantined: 0 });
        expect(killed.reports.filter(({ level }) => level !== 'info')).toEqual([]);
        await again.log.close();
      }
      await log.close();
    },
  );

  it('is tried again at the next start where the disk refuses', async () => {
    const { log, on, shard } = await openedOnMemory();
    await appendDurably(shard, 'kept');
    await log.close();
    on.disk.replace('/log/s/0/00000000000000000007.index', Buffer.from('an index'));
    on.fileSystem.hook = (operation, path) => {
      if (operation === 'remove' && path.endsWith('.index')) throw systemError('EIO');
    };
    const refused = await openedOnMemory({}, on);
    expect(on.reports).toMatchObject([{ level: 'warn' }]);
    await refused.log.close();
    on.fileSystem.hook = () => {};
    const again = await openedOnMemory({}, on);
    expect(orphansOn(on)).toEqual([]);
    expect(again.shard.account()).toMatchObject({ retained: 1 });
    await again.log.close();
  });
});

function orphansOn({ disk }: LogOnMemory): string[] {
  const paths = disk.paths();
  return paths.filter((path) => path.endsWith('.index') && !paths.includes(path.replace('.index', '.log')));
}
