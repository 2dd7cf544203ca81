// Which segments readers take past the page cache, and that nobody who reads can tell.

import { describe, expect, it } from '@jest/globals';
import type { LogOptions } from '../../buffer/index.ts';
import type { OpenMode } from '../../buffer/ports/file_system.ts';
import type { Shard } from '../../buffer/shard.ts';
import { appendDurably, LogOnMemory, openedOnMemory, readAll } from './log_on_memory.ts';
import { MemoryFileSystem, systemError } from './memory_file_system.ts';

const SEALED = 4;
const PER_SEGMENT = 10;

/** Entries of odd lengths, about a block or two each, so that frames end anywhere. */
const text = (index: number): string => `${index} ${'abcdefghij'.repeat(300 + ((index * 37) % 500))}`;
const all = Array.from({ length: SEALED * PER_SEGMENT }, (_, offset) => ({ offset, text: text(offset) }));

/** A log with so many sealed segments, and an empty or short active one, that was closed and opened again. */
async function backlog(options: Partial<LogOptions> = {}) {
  const disk = new MemoryFileSystem();
  disk.direct = true;
  const modes: OpenMode[] = [];
  const on = new LogOnMemory(disk);
  const first = await openedOnMemory({ segment: { maxBytes: 50_000 } }, on);
  for (const name of ['a', 'b']) await first.stream.group(name);
  for (const each of all) await appendDurably(first.shard, each.text);
  await first.log.close();
  const open = disk.open.bind(disk);
  disk.open = (path, mode) => {
    if (path.endsWith('.log')) modes.push(mode);
    return open(path, mode);
  };
  const again = await openedOnMemory(options, on);
  modes.length = 0;
  const readerOf = async (group: string) => (await again.stream.group(group)).reader(again.shard);
  const sealed = again.shard.segments.filter((segment) => segment.sealed).length;
  return { ...again, on, modes, readerOf, sealed };
}

function expectNothingLost(shard: Shard, on: LogOnMemory): void {
  expect(on.reports.filter(({ level }) => level === 'error')).toEqual([]);
  expect(shard.account()).toMatchObject({ quarantined: 0 });
}

describe('a backlog', () => {
  it('is read past the page cache by who is alone with it; what is still written to is not', async () => {
    const { log, shard, on, modes, readerOf, sealed } = await backlog();
    expect(sealed).toBeGreaterThan(2);
    expect(await readAll(await readerOf('a'))).toEqual(all);
    expect(modes).toEqual([...Array.from({ length: sealed }, () => 'readDirect'), 'read']);
    expectNothingLost(shard, on);
    await log.close();
    expect(on.fileSystem.openFiles.size).toBe(0);
  });

  it('comes through the page cache where two are to read it, also for the one that comes last', async () => {
    const { log, shard, on, modes, readerOf, sealed } = await backlog();
    const readers = [await readerOf('a'), await readerOf('b')];
    expect(await readAll(readers[0]!)).toEqual(all);
    expect(await readAll(readers[1]!)).toEqual(all);
    expect(modes).toEqual(Array.from({ length: 2 * (sealed + 1) }, () => 'read'));
    expectNothingLost(shard, on);
    await log.close();
  });

  it('comes through the page cache where the log appends', async () => {
    const { log, modes, readerOf } = await backlog({ commit: { way: 'append' } });
    expect(await readAll(await readerOf('a'))).toEqual(all);
    expect(new Set(modes)).toEqual(new Set(['read']));
    await log.close();
  });

  it.each(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP'])(
    'is read to its end where opening is refused with %s, or every third read',
    async (code) => {
      for (const refuses of ['open', 'read'] as const) {
        const { log, shard, on, readerOf } = await backlog();
        const { open } = on.disk;
        let reads = 0;
        on.disk.open = async (path, mode) => {
          const file = await open(path, mode);
          if (mode !== 'readDirect') return file;
          if (refuses === 'open') throw systemError(code);
          const read = file.read.bind(file);
          return Object.assign(file, {
            async read(into: Uint8Array, position: number) {
              reads += 1;
              if (reads % 3 === 0) throw systemError(code);
              return read(into, position);
            },
          });
        };
        expect(await readAll(await readerOf('a'))).toEqual(all);
        expectNothingLost(shard, on);
        await log.close();
        expect(on.fileSystem.openFiles.size).toBe(0);
      }
    },
  );

  it('begins in the middle, moves about, and tells what the disk says without losing an entry', async () => {
    const { log, shard, on, readerOf } = await backlog();
    const reader = await readerOf('a');
    let failing = false;
    on.fileSystem.hook = (operation) => {
      if (failing && operation === 'read') throw systemError('EIO');
    };
    for (const from of [17, 3, 33, 0, 25]) {
      reader.seek(from);
      failing = true;
      await expect(reader.read({ wait_ms: 0 })).rejects.toThrow('EIO');
      failing = false;
      const batch = await reader.read({ wait_ms: 0, maxBytes: 1 });
      expect(batch?.offsets).toEqual([from]);
      batch?.release();
    }
    expect(await readAll(reader)).toEqual(all.slice(26));
    expectNothingLost(shard, on);
    await log.close();
  });

  it('is gone before a reader that stood in it, and nothing that was read ahead of that is shown', async () => {
    const { log, shard, on, stream, readerOf } = await backlog();
    const reader = await readerOf('a');
    const batch = await reader.read({ wait_ms: 0, maxBytes: 20_000 });
    batch?.release();
    await stream.group('a', { protect: false });
    await stream.group('b', { protect: false });
    const group = await stream.group('b');
    void group.commit(shard, shard.highWatermark);
    await log.retain();
    expect(shard.logStart).toBeGreaterThan(batch!.next);
    expect(await readAll(reader)).toEqual(all.slice(shard.logStart));
    expectNothingLost(shard, on);
    await log.close();
  });
});
