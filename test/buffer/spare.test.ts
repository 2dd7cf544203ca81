// Consumed segments that are written over: when one is kept, what it counts as, and that nothing of it is ever taken for data.

import { describe, expect, it } from '@jest/globals';
import type { CommitWay } from '../../buffer/commit_way.ts';
import type { LogOptions } from '../../buffer/index.ts';
import type { FileSystem } from '../../buffer/ports/file_system.ts';
import { ShardReader } from '../../buffer/reader.ts';
import type { SegmentFile } from '../../buffer/segment_file.ts';
import type { Shard } from '../../buffer/shard.ts';
import { Spare } from '../../buffer/spare.ts';
import {
  appendDurably,
  expectAccountsToAddUp,
  LogOnMemory,
  openedOnMemory,
  readAll,
} from './log_on_memory.ts';
import { MemoryFileSystem, systemError } from './memory_file_system.ts';

const FOLDER = '/log/s/0';
/** Of the first owner; that of the second has a higher number. */
const SPARE = `${FOLDER}/spare-1`;
const SEGMENT_BYTES = 20_000;
const COMMIT = 'x'.repeat(3000);

function directDisk(): MemoryFileSystem {
  const disk = new MemoryFileSystem();
  disk.direct = true;
  return disk;
}

/** A group that has consumed all of three segments, the last of which has just begun. */
async function rolling(options: Partial<LogOptions> = {}, on = new LogOnMemory(directDisk())) {
  const opened = await openedOnMemory({ segment: { maxBytes: SEGMENT_BYTES }, ...options }, on);
  const group = await opened.stream.group('g');
  const { log, shard } = opened;
  const fill = async (segments: number): Promise<void> => {
    for (const until = shard.segments.length + segments; shard.segments.length < until; ) {
      on.clock.advance(1);
      await appendDurably(shard, COMMIT);
    }
  };
  const consume = async (): Promise<void> => {
    void group.commit(shard, shard.highWatermark);
    await log.retain();
  };
  return { ...opened, group, fill, consume };
}

async function offsetsIn(shard: Shard): Promise<number[]> {
  const reader = new ShardReader(shard, shard.logStart);
  const all = await readAll(reader);
  reader.close();
  return all.map(({ offset }) => offset);
}

function from(first: number, end: number): number[] {
  return Array.from({ length: end - first }, (_, index) => first + index);
}

describe('a spare segment', () => {
  it('leaves its name to no other while it is taken: commits would go to a file without a name (simulation, seed 1680094)', async () => {
    const disk: Pick<FileSystem, 'rename' | 'syncDirectory'> = {
      rename: () => Promise.resolve(),
      syncDirectory: () => Promise.resolve(),
    };
    const opened = Promise.withResolvers<SegmentFile>();
    const way: Pick<CommitWay, 'open'> = { open: () => opened.promise };
    const spare = new Spare(disk as FileSystem, way as CommitWay, FOLDER, 1);
    expect(spare.vacant).toBe(true);
    await spare.keep('consumed', 10);
    expect([spare.bytes, spare.vacant]).toEqual([10, false]);
    const taken = spare.take(`${FOLDER}/next`);
    expect([spare.bytes, spare.vacant]).toEqual([0, false]);
    const file = {} as SegmentFile;
    opened.resolve(file);
    expect(await taken).toEqual({ file, bytes: 10 });
    expect(spare.vacant).toBe(true);
  });

  it('is what a consumed one becomes, and what the next one is written over', async () => {
    const { consume, fill, log, on, shard } = await rolling();
    await fill(3);
    const grown = on.disk.bytes(shard.segmentPath(shard.segments[0]!)).length;
    await consume();
    expect(on.disk.bytes(SPARE).length).toBe(grown);
    expect(log.stats()).toMatchObject({ used_bytes: shard.stats().bytes + grown });
    expect(shard.stats().unused_bytes).toBe(grown);
    await fill(1);
    expect(on.disk.paths()).not.toContain(SPARE);
    const active = shard.segments.at(-1)!;
    expect(on.disk.bytes(shard.segmentPath(active)).length).toBe(grown);
    // Opened before it gets the new name, under which an owner that took over may have put a file of his (simulation, seed 1454).
    const { operations } = on.fileSystem;
    const opened = operations.findIndex(({ operation, path }) => operation === 'open' && path === SPARE);
    const renamed = operations.findIndex(
      ({ path }, index) => index > opened && path === shard.segmentPath(active),
    );
    expect(operations[renamed]).toMatchObject({ operation: 'rename' });
    expect(opened).toBeGreaterThan(0);
    expect(await offsetsIn(shard)).toEqual(from(shard.logStart, shard.highWatermark));
    expectAccountsToAddUp(log);
    await log.close();
    expect(on.disk.bytes(shard.segmentPath(active)).length).toBe(active.bytes);
  });

  it('shows nothing of its former life to a reader past the page cache that read it then, and reads it now', async () => {
    const on = new LogOnMemory(directDisk());
    /** Files that were read past the page cache, under the names that they have now. */
    const known = new Set<string>();
    let again = 0;
    const open = on.disk.open.bind(on.disk);
    on.disk.open = (path, mode) => {
      if (mode === 'readDirect' && known.has(path)) again += 1;
      if (mode === 'readDirect') known.add(path);
      return open(path, mode);
    };
    const rename = on.disk.rename.bind(on.disk);
    on.disk.rename = async (path, to) => {
      await rename(path, to);
      if (known.delete(path)) known.add(to);
    };
    const { consume, group, log, shard } = await rolling({ hotTail_bytes: 0 }, on);
    const reader = group.reader(shard);
    let appended = 0;
    for (let round = 0; round < 3; round += 1) {
      const texts: string[] = [];
      for (const until = shard.segments.length + 4; shard.segments.length < until; ) {
        on.clock.advance(1);
        texts.push(`${appended++} ${COMMIT}`);
        await appendDurably(shard, texts.at(-1)!);
      }
      expect((await readAll(reader)).map(({ text }) => text)).toEqual(texts);
      await consume();
    }
    expect(again).toBeGreaterThan(0);
    expect(shard.account()).toMatchObject({ quarantined: 0 });
    await log.close();
  });

  it('shows nothing of its former life to whoever opens the log after a kill', async () => {
    const { consume, fill, log, on, shard } = await rolling();
    await fill(3);
    await consume();
    await fill(1);
    const left = on.killed();
    const again = await rolling({}, left);
    expect(await offsetsIn(again.shard)).toEqual(from(shard.logStart, shard.highWatermark));
    expect(again.shard.account()).toEqual(shard.account());
    expect(left.reports.filter(({ level }) => level !== 'info')).toEqual([]);
    await log.close();
    await again.log.close();
  });

  it('leaves nothing behind the content of a segment that is given up: no limit counts it', async () => {
    const { consume, fill, log, on, shard } = await rolling();
    await fill(3);
    await consume();
    await fill(1);
    const active = shard.segments.at(-1)!;
    expect(on.disk.bytes(shard.segmentPath(active)).length).toBeGreaterThan(4 * active.bytes);
    let fails = true;
    on.fileSystem.hook = (operation, path) => {
      if (operation !== 'write' || !path.startsWith(FOLDER) || !fails) return;
      fails = false;
      throw systemError('EIO');
    };
    await expect(appendDurably(shard, COMMIT)).rejects.toMatchObject({ code: 'HF_BUFFER_COMMIT_FAILED' });
    expect(on.disk.bytes(shard.segmentPath(active)).length).toBe(active.bytes);
    on.clock.advance(60_000);
    await appendDurably(shard, COMMIT);
    expect(shard.segments.at(-1)).not.toBe(active);
    await log.close();
  });

  it('goes when the log is opened, and when nobody has appended for a while', async () => {
    const first = await rolling();
    await first.fill(3);
    await first.consume();
    const left = first.on.killed();
    left.disk.direct = true;
    const again = await rolling({}, left);
    expect(again.on.disk.paths()).not.toContain(SPARE);
    await first.log.close();
    await again.fill(3);
    await again.consume();
    expect(again.on.disk.paths()).toContain(SPARE.replace('1', '2'));
    again.on.clock.advance(6_000);
    await again.log.retain();
    expect(again.on.disk.paths()).not.toContain(SPARE.replace('1', '2'));
    expect(again.log.stats().used_bytes).toBe(again.shard.stats().bytes);
    await again.log.close();
  });

  it('gives its room back before anybody is refused', async () => {
    const maxSize_bytes = 8 * SEGMENT_BYTES;
    const { consume, fill, log, on, shard } = await rolling({ retention: { maxSize_bytes } });
    await fill(3);
    await consume();
    expect(on.disk.paths()).toContain(SPARE);
    // The next segment is written over it; behind its content is unused space, of which the limit knows.
    while (shard.stats().bytes + 2 * COMMIT.length < maxSize_bytes) {
      on.clock.advance(1);
      await appendDurably(shard, COMMIT);
    }
    await log.retain();
    expect(log.stats().used_bytes).toBeLessThanOrEqual(maxSize_bytes);
    await log.close();
  });

  it.each([
    ['commits are appended', { commit: { way: 'append' } }, async () => {}],
    [
      'somebody still reads it',
      {},
      async ({ shard }: { shard: Shard }) => void new ShardReader(shard, shard.logStart),
    ],
  ] as const)('is not kept where %s', async (_why, options, before) => {
    const { consume, fill, log, on, shard } = await rolling(options);
    await fill(3);
    await before({ shard });
    await consume();
    expect(on.disk.paths()).not.toContain(SPARE);
    expect(shard.stats().unused_bytes).toBe(0);
    await log.close();
  });

  it('is kept only once the account is durable, and done without where the disk says no', async () => {
    const { consume, fill, log, on, shard } = await rolling();
    await fill(3);
    // The file of the account is renamed into place the first time.
    await shard.writeLedger();
    on.fileSystem.operations.length = 0;
    on.fileSystem.hook = (operation) => {
      if (operation === 'rename') throw systemError('EIO');
    };
    await consume();
    const done = on.fileSystem.operations.map(
      ({ operation, path }) => `${operation} ${path.split('/').at(-1)}`,
    );
    const rename = done.findIndex((each) => each.startsWith('rename'));
    const account = done.findIndex((each) => each.startsWith('sync ledger'));
    expect(account).toBeGreaterThanOrEqual(0);
    expect(account).toBeLessThan(rename);
    expect(on.disk.paths()).not.toContain(SPARE);
    expect(shard.segments).toHaveLength(1);
    on.fileSystem.hook = () => {};
    await fill(1);
    expect(shard.stats().unused_bytes).toBe(0);
    await log.close();
  });

  it('goes with its stream', async () => {
    const { consume, fill, log, on } = await rolling();
    await fill(3);
    await consume();
    await log.deleteStream('s', { force: true });
    expect(log.stats().used_bytes).toBe(0);
    expect(on.disk.paths().filter((path) => path.startsWith('/log/s'))).toEqual([]);
    await log.close();
  });
});
