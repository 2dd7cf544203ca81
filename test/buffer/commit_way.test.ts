// Which way a log takes to its disk, what it leaves there, and how it gives the direct way up.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Log, type WayOption } from '../../buffer/index.ts';
import { DIRECT_BLOCK_BYTES, type File } from '../../buffer/ports/file_system.ts';
import { ShardReader } from '../../buffer/reader.ts';
import type { Shard } from '../../buffer/shard.ts';
import { appendDurably, LogOnMemory, openedOnMemory, readAll } from './log_on_memory.ts';
import { MemoryFileSystem, systemError } from './memory_file_system.ts';

function directDisk(): MemoryFileSystem {
  const disk = new MemoryFileSystem();
  disk.direct = true;
  return disk;
}

async function textsIn(shard: Shard): Promise<string[]> {
  const reader = new ShardReader(shard, shard.logStart);
  const all = await readAll(reader);
  reader.close();
  return all.map(({ text }) => text);
}

const SEGMENT = '/log/s/0/00000000000000000000.log';

const PROBE = '/log/owner.new';
const AGAIN = '/log/s/0/spare-2';

/** A log that was opened before, on a disk that fails whoever tries it with a block until it is told not to. */
async function untried(failing: 'open' | 'write', code: string) {
  const on = new LogOnMemory(directDisk());
  const { log } = await openedOnMemory({}, on);
  await log.close();
  const before = on.fileSystem.operations.length;
  const isProbe = (name: string) => name === PROBE || /\/spare-\d+$/.test(name);
  let fails = true;
  on.fileSystem.hook = (operation, name) => {
    if (fails && operation === failing && isProbe(name)) throw systemError(code);
  };
  const tried = () => on.fileSystem.operations.slice(before).filter(({ path: name }) => isProbe(name));
  return {
    on,
    tries: () => tried().flatMap((each) => (each.operation === failing ? [each.path] : [])),
    fail: (value: boolean) => {
      fails = value;
    },
  };
}

describe('the way to the disk', () => {
  it('is direct where the directory takes it, and leaves nothing of the probe behind', async () => {
    const on = new LogOnMemory(directDisk());
    const { log, shard } = await openedOnMemory({}, on);
    expect(log.stats().commitWay).toEqual({ way: 'direct', reason: undefined });
    await appendDurably(shard, 'one');
    expect(on.disk.bytes(SEGMENT).length).toBe(DIRECT_BLOCK_BYTES);
    expect(on.fileSystem.count('sync', SEGMENT)).toBe(0);
    expect(on.disk.paths()).not.toContain('/log/owner.new');
    await log.close();
  });

  it('is to append where the directory refuses, where that was asked for, and without a sync for each commit', async () => {
    const refused = await openedOnMemory();
    expect(refused.log.stats().commitWay).toMatchObject({
      way: 'append',
      reason: expect.stringMatching('EINVAL'),
    });
    expect(refused.on.reports).toEqual([]);
    const asked = await openedOnMemory({ commit: { way: 'append' } }, new LogOnMemory(directDisk()));
    expect(asked.log.stats().commitWay).toEqual({ way: 'append', reason: undefined });
    const loose = await openedOnMemory({ durability: 'interval' }, new LogOnMemory(directDisk()));
    expect(loose.log.stats().commitWay).toEqual({ way: 'append', reason: 'durability is interval' });
    for (const { log } of [refused, asked, loose]) await log.close();
  });

  it('is said aloud where direct was asked for and cannot be had', async () => {
    const { log, on } = await openedOnMemory({ commit: { way: 'direct' } });
    expect(on.reports).toMatchObject([
      { level: 'warn', fields: { reason: expect.stringMatching('EINVAL') } },
    ]);
    await log.close();
  });

  it('is not direct where what was written is not what is read', async () => {
    const disk = directDisk();
    const open = disk.open.bind(disk);
    disk.open = async (name, mode) => {
      const file = await open(name, mode);
      const stale: File['read'] = async (into) => into.fill(0).length;
      return mode === 'read' && name.endsWith('owner.new') ? Object.assign(file, { read: stale }) : file;
    };
    const { log } = await openedOnMemory({}, new LogOnMemory(disk));
    expect(log.stats().commitWay).toMatchObject({
      way: 'append',
      reason: expect.stringMatching('is not what is read'),
    });
    await log.close();
  });

  it.each(['ENOSPC', 'EDQUOT', 'EIO'])(
    'is tried again with each new segment where %s kept it from an answer, and said aloud when it works',
    async (code) => {
      const { on, tries, fail } = await untried('open', code);
      const { log, shard } = await openedOnMemory({ segment: { maxBytes: 6000 } }, on);
      const texts: string[] = [];
      const append = async (): Promise<void> => {
        texts.push(`${texts.length} ${'x'.repeat(2500)}`);
        await appendDurably(shard, texts.at(-1)!);
      };
      const roll = async (): Promise<void> => {
        for (const segments = shard.segments.length; shard.segments.length === segments; ) await append();
      };
      await roll();
      expect(log.stats().commitWay).toMatchObject({ way: 'append', reason: expect.stringMatching(code) });
      await roll();
      expect(tries()).toEqual([PROBE, AGAIN, AGAIN]);
      fail(false);
      await roll();
      expect(log.stats().commitWay).toEqual({ way: 'direct', reason: undefined });
      expect(on.reports.map(({ message }) => message)).toEqual([expect.stringMatching('work by now')]);
      // The segment that was begun before is whole, and this one in blocks.
      const active = shard.segmentPath(shard.segments.at(-1)!);
      expect(on.disk.bytes(active).length % DIRECT_BLOCK_BYTES).toBe(0);
      expect(on.disk.paths()).not.toContain(AGAIN);
      await roll();
      expect(tries()).toEqual([PROBE, AGAIN, AGAIN, AGAIN, AGAIN]);
      const killed = await openedOnMemory({}, on.killed());
      for (const each of [shard, killed.shard]) expect(await textsIn(each)).toEqual(texts);
      await log.close();
      await killed.log.close();
    },
  );

  it('is tried once for shards that begin segments at the same time, and no more once it is known', async () => {
    const { on, tries, fail } = await untried('write', 'ENOSPC');
    const log = await on.open();
    const stream = await log.stream('t', { shards: 4 });
    fail(false);
    await Promise.all(stream.shards.map((shard) => appendDurably(shard, 'one')));
    expect(tries()).toEqual([PROBE, '/log/t/0/spare-2']);
    expect(log.stats().commitWay).toEqual({ way: 'direct', reason: undefined });
    await log.close();
  });

  it('is not tried again where the answer was no', async () => {
    const on = new LogOnMemory();
    const { log, shard } = await openedOnMemory({ segment: { maxBytes: 2500 } }, on);
    const tries = on.fileSystem.count('open', 'owner.new');
    for (let commit = 0; commit < 4; commit += 1) await appendDurably(shard, 'x'.repeat(2500));
    expect(shard.segments.length).toBeGreaterThan(2);
    expect(on.fileSystem.count('open', 'owner.new')).toBe(tries);
    await log.close();
  });

  it('changes in the middle of a segment where a file refuses, and nobody who waited hears of it', async () => {
    const disk = directDisk();
    const { log, on, shard } = await openedOnMemory({}, new LogOnMemory(disk));
    await appendDurably(shard, 'direct');
    on.fileSystem.hook = (operation, name) => {
      if (operation === 'write' && name === SEGMENT && disk.direct) {
        disk.direct = false;
        throw systemError('EINVAL');
      }
    };
    await appendDurably(shard, 'refused');
    await appendDurably(shard, 'appended');
    expect(log.stats().commitWay).toMatchObject({ way: 'append', reason: expect.stringMatching('EINVAL') });
    expect(on.reports.map(({ level }) => level)).toEqual(['warn']);
    const killed = await openedOnMemory({}, on.killed());
    for (const each of [shard, killed.shard]) {
      expect(await textsIn(each)).toEqual(['direct', 'refused', 'appended']);
    }
    await log.close();
    await killed.log.close();
  });

  it('leaves nothing durable of a commit that was refused half-way and then found no room to be appended', async () => {
    const disk = directDisk();
    const { log, on, shard } = await openedOnMemory({}, new LogOnMemory(disk));
    await appendDurably(shard, 'kept');
    let writes = 0;
    on.fileSystem.hook = (operation, name) => {
      if (operation !== 'write' || name !== SEGMENT) return;
      writes += 1;
      if (writes === 2) {
        disk.direct = false;
        throw systemError('EINVAL');
      }
      if (writes > 2) throw systemError('ENOSPC');
    };
    await expect(appendDurably(shard, 'x'.repeat(40_000))).rejects.toMatchObject({ code: 'HF_BUFFER_FULL' });
    const done = on.fileSystem.operations
      .filter(({ path }) => path === SEGMENT)
      .map((each) => each.operation);
    expect(done.slice(-3)).toEqual(['write', 'truncate', 'sync']);
    on.fileSystem.hook = () => {};
    on.clock.advance(60_000);
    await appendDurably(shard, 'again');
    expect(await textsIn(shard)).toEqual(['kept', 'again']);
    await log.close();
  });

  it('costs an error of the disk the file, as a failed sync does', async () => {
    const { log, on, shard } = await openedOnMemory({}, new LogOnMemory(directDisk()));
    await appendDurably(shard, 'kept');
    let fails = true;
    on.fileSystem.hook = (operation, name) => {
      if (operation === 'write' && name === SEGMENT && fails) throw systemError('EIO');
    };
    await expect(appendDurably(shard, 'lost')).rejects.toMatchObject({ code: 'HF_BUFFER_COMMIT_FAILED' });
    fails = false;
    on.clock.advance(60_000);
    await appendDurably(shard, 'in the next one');
    expect(shard.segments.map(({ base, sealed }) => ({ base, sealed }))).toEqual([
      { base: 0, sealed: true },
      { base: 2, sealed: false },
    ]);
    expect(await textsIn(shard)).toEqual(['kept', 'in the next one']);
    await log.close();
  });

  it('ends files where their content ends: sealed ones with an index that fits, the last one at an orderly end', async () => {
    const on = new LogOnMemory(directDisk());
    const { log, shard } = await openedOnMemory({ segment: { maxBytes: 6000 } }, on);
    for (let commit = 0; commit < 5; commit++) await appendDurably(shard, 'x'.repeat(2500));
    expect(shard.segments.length).toBeGreaterThan(1);
    await log.close();
    for (const segment of shard.segments) {
      expect(on.disk.bytes(shard.segmentPath(segment)).length).toBe(segment.bytes);
    }
    on.fileSystem.operations.length = 0;
    const again = await openedOnMemory({}, on);
    expect(on.reports).toEqual([]);
    expect(on.fileSystem.count('read', SEGMENT)).toBe(0);
    await again.log.close();
  });

  it.each([
    ['direct', 'append'],
    ['append', 'direct'],
  ] as const)('of a life that was killed, %s, is gone on with by %s', async (first, second) => {
    const was = await openedOnMemory({ commit: { way: first } }, new LogOnMemory(directDisk()));
    for (const text of ['a', 'b'.repeat(5000), 'c']) await appendDurably(was.shard, text);
    const killed = was.on.killed();
    killed.disk.direct = true;
    const is = await openedOnMemory({ commit: { way: second } }, killed);
    await appendDurably(is.shard, 'd');
    expect(await textsIn(is.shard)).toEqual(['a', 'b'.repeat(5000), 'c', 'd']);
    await was.log.close();
    await is.log.close();
  });

  it('leaves a full disk as it found it, and goes on when there is room', async () => {
    const disk = directDisk();
    const { log, on, shard } = await openedOnMemory({}, new LogOnMemory(disk));
    await appendDurably(shard, 'before');
    disk.capacity_bytes = disk.used_bytes + DIRECT_BLOCK_BYTES;
    await expect(appendDurably(shard, 'x'.repeat(20_000))).rejects.toMatchObject({ retryable: true });
    disk.capacity_bytes = Number.POSITIVE_INFINITY;
    on.clock.advance(60_000);
    await appendDurably(shard, 'after');
    expect(shard.segments).toHaveLength(1);
    expect(await textsIn(shard)).toEqual(['before', 'after']);
    await log.close();
  });
});

// Whether the folder of temporary files takes direct writes depends on the machine: what is stored must not.
describe('on real files', () => {
  it.each(['auto', 'append'] as const)(
    'a cold reader beside the writer sees what is durable, way %s',
    async (way: WayOption) => {
      const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-'));
      const log = await Log.open({
        directory,
        hotTail_bytes: 1,
        commit: { way },
        retention: { minFreeSpace_bytes: 0 },
      });
      try {
        const stream = await log.stream('s');
        const shard = stream.shardOf(0);
        const reader = new ShardReader(shard, 0);
        let read = 0;
        for (let commit = 0; commit < 60; commit++) {
          await appendDurably(shard, `${commit} `.padEnd(1 + ((commit * 977) % 9000), '.'));
          if (commit % 3 === 0) continue;
          const batch = await reader.read({ wait_ms: 0 });
          for (const entry of batch?.entries ?? [])
            expect(Number.parseInt(String(Buffer.from(entry)), 10)).toBe(read++);
          batch?.release();
        }
        expect(shard.account().quarantined).toBe(0);
      } finally {
        await log.close();
        fs.rmSync(directory, { recursive: true });
      }
    },
  );
});
