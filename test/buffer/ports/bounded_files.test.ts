// Row "a bounded pool of file descriptors, opened when first read": 1,000 shards on 64 descriptors, and what may never be
// closed and opened again.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Log } from '../../../buffer/log.ts';
import { BoundedFiles } from '../../../buffer/ports/bounded_files.ts';
import { DIRECT_BLOCK_BYTES, type File } from '../../../buffer/ports/file_system.ts';
import { nodeFileSystem } from '../../../buffer/ports/node_file_system.ts';
import { entry, LogOnMemory, openedOnMemory, readAll, textsOf } from '../log_on_memory.ts';
import { settle } from '../manual_clock.ts';
import { MemoryFileSystem, systemError } from '../memory_file_system.ts';
import { ObservedFileSystem } from '../observed_file_system.ts';

const MAX = 8;

async function filesOn(count: number) {
  const observed = new ObservedFileSystem(new MemoryFileSystem());
  const bounded = new BoundedFiles(observed, MAX);
  const files: File[] = [];
  for (let index = 0; index < count; index++) files.push(await bounded.open(`/f${index}`, 'create'));
  return { observed, bounded, files };
}

const bytes = (text: string): Uint8Array => Buffer.from(text);

async function textOf(file: File): Promise<string> {
  const into = Buffer.alloc(100);
  return into.toString('utf8', 0, await file.read(into, 0));
}

describe('files within a bound', () => {
  it('are closed when they rest, the least recently used first, and opened again when they are used', async () => {
    const { observed, files } = await filesOn(MAX);
    for (const [index, file] of files.entries()) {
      await file.write(bytes(`text ${index}`), 0);
      await file.sync();
    }
    expect(observed.openFiles.size).toBe(MAX);
    const { observed: other, files: many } = await filesOn(3 * MAX);
    expect(other.openFiles.size).toBe(MAX);
    for (const [index, file] of many.entries()) {
      await file.write(bytes(`text ${index}`), 0);
      await file.sync();
    }
    for (const [index, file] of many.entries()) expect(await textOf(file)).toBe(`text ${index}`);
    expect(other.openFiles.size).toBe(MAX);
    for (const file of many) await file.close();
    expect(other.openFiles.size).toBe(0);
  });

  it('that are written directly leave nothing unsynced, so they rest at once and come back as what they were', async () => {
    const disk = new MemoryFileSystem();
    disk.direct = true;
    const observed = new ObservedFileSystem(disk);
    const bounded = new BoundedFiles(observed, MAX);
    const files: File[] = [];
    const block = bounded.directMemory().subarray(0, DIRECT_BLOCK_BYTES);
    for (let index = 0; index < 3 * MAX; index++) {
      files.push(await bounded.open(`/f${index}`, 'createDirect'));
      await files[index]!.write(block.fill(index), 0);
    }
    expect(observed.openFiles.size).toBe(MAX);
    for (const [index, file] of files.entries()) {
      await file.write(block.fill(index), DIRECT_BLOCK_BYTES);
      await expect(file.write(bytes('no whole block'), 0)).rejects.toMatchObject({ code: 'EINVAL' });
      expect(disk.bytes(`/f${index}`)).toEqual(Buffer.alloc(2 * DIRECT_BLOCK_BYTES, index));
    }
    for (const file of files) await file.close();
    expect(observed.openFiles.size).toBe(0);
    for (let index = 0; index < 3 * MAX; index++) {
      files[index] = await bounded.open(`/f${index}`, 'readDirect');
    }
    for (const [index, file] of files.entries()) {
      await expect(file.read(Buffer.alloc(100), 0)).rejects.toMatchObject({ code: 'EINVAL' });
      expect(await file.read(block, DIRECT_BLOCK_BYTES)).toBe(block.length);
      expect(block.every((byte) => byte === index)).toBe(true);
    }
    for (const file of files) await file.close();
  });

  it('keep their descriptor from a write until its sync, and who finds nothing to close waits', async () => {
    const { observed, bounded, files } = await filesOn(MAX + 1);
    for (const file of files.slice(0, MAX)) await file.write(bytes('x'), 0);
    const closed = observed.count('close', '/f3');
    let opened = false;
    const waiting = textOf(files[MAX]!).then(() => {
      opened = true;
    });
    await settle();
    expect(opened).toBe(false);
    expect(observed.count('close', '/f3')).toBe(closed);
    await files[3]!.sync();
    await waiting;
    expect(observed.count('close', '/f3')).toBe(closed + 1);
    expect(bounded.openFiles).toBe(MAX);
    for (const file of files) await file.close();
  });

  it('are never opened again after a failed sync', async () => {
    const { observed, files } = await filesOn(2 * MAX);
    observed.hook = (operation, name) => {
      if (operation === 'sync' && name === '/f0') throw systemError('EIO');
    };
    await files[0]!.write(bytes('x'), 0);
    await expect(files[0]!.sync()).rejects.toMatchObject({ code: 'EIO' });
    const opens = observed.count('open', '/f0');
    const closes = observed.count('close', '/f0');
    for (const file of [...files, ...files]) await textOf(file);
    expect(observed.count('open', '/f0')).toBe(opens);
    expect(observed.count('close', '/f0')).toBe(closes);
    for (const file of files) await file.close();
    expect(observed.openFiles.size).toBe(0);
  });

  it('rest again once what was written and not synced is cut off', async () => {
    const { observed, files } = await filesOn(2 * MAX);
    for (const file of files) {
      await file.write(bytes('kept'), 0);
      await file.sync();
      await file.write(bytes('refused'), 4);
      await file.truncate(4);
    }
    expect(observed.openFiles.size).toBe(MAX);
    expect(await textOf(files[0]!)).toBe('kept');
    for (const file of files) await file.close();
  });

  it('are not mistaken for what took their name', async () => {
    const { bounded, files } = await filesOn(2 * MAX);
    for (const file of files) await file.write(bytes('old'), 0).then(() => file.sync());
    // The first ones are closed by now.
    await bounded.rename('/f9', '/f0');
    expect(await textOf(files[9]!)).toBe('old');
    await expect(files[0]!.size()).rejects.toMatchObject({ code: 'ENOENT' });
    await bounded.remove('/f1');
    const again = await bounded.open('/f1', 'create');
    await expect(files[1]!.size()).rejects.toMatchObject({ code: 'ENOENT' });
    await again.close();
    for (const file of files) await file.close();
  });

  it('make room where the system has fewer descriptors than the bound allows', async () => {
    const observed = new ObservedFileSystem(new MemoryFileSystem());
    observed.hook = (operation) => {
      const takes = operation === 'open' || operation === 'list' || operation === 'syncDirectory';
      if (takes && observed.openFiles.size >= 3) throw systemError('EMFILE');
    };
    const bounded = new BoundedFiles(observed, 100);
    const files: File[] = [];
    for (let index = 0; index < 6; index++) {
      files.push(await bounded.open(`/f${index}`, 'create'));
      await files[index]!.write(bytes(`text ${index}`), 0);
      await files[index]!.sync();
    }
    for (const [index, file] of files.entries()) expect(await textOf(file)).toBe(`text ${index}`);
    expect(await bounded.list('/')).toHaveLength(6);
    await bounded.syncDirectory('/');
    // Nothing rests that could make room.
    for (const file of files.slice(0, 3)) await file.write(bytes('x'), 0);
    await expect(textOf(files[4]!)).rejects.toMatchObject({ code: 'EMFILE' });
    for (const file of files.slice(0, 3)) await file.sync();
    expect(await textOf(files[4]!)).toBe('text 4');
    for (const file of files) await file.close();
    expect(bounded.openFiles).toBe(0);
  });

  it('say so when they are used after they were closed', async () => {
    const { files } = await filesOn(1);
    await files[0]!.close();
    await expect(files[0]!.size()).rejects.toMatchObject({ code: 'EBADF' });
    await expect(files[0]!.close()).rejects.toMatchObject({ code: 'EBADF' });
  });

  it('finish what is under way before they close', async () => {
    const { observed, files } = await filesOn(1);
    let go = (): void => {};
    observed.hook = (operation) =>
      operation === 'write' ? new Promise<void>((resolve) => (go = resolve)) : undefined;
    const written = files[0]!.write(bytes('x'), 0);
    const closed = files[0]!.close();
    await settle();
    expect(observed.count('close')).toBe(0);
    go();
    expect(await written).toBe(1);
    await closed;
    expect(observed.openFiles.size).toBe(0);
  });

  it('hold what was written last, within the bound, and close nothing unsynced, whatever is done to them', async () => {
    const action = fc.record({
      file: fc.nat(19),
      kind: fc.constantFrom('write' as const, 'sync' as const, 'read' as const, 'size' as const),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(action, { maxLength: MAX - 1 }), { maxLength: 20 }),
        async (rounds) => {
          const { observed, files } = await filesOn(20);
          const unsynced = new Set<string>();
          observed.hook = (operation, name) => {
            expect(observed.openFiles.size).toBeLessThanOrEqual(MAX);
            if (operation === 'write') unsynced.add(name);
            if (operation === 'sync') unsynced.delete(name);
            if (operation === 'close') expect(unsynced.has(name)).toBe(false);
          };
          const content = new Map<File, string>();
          for (const [round, actions] of rounds.entries()) {
            const touched = new Set<File>();
            await Promise.all(
              actions.map(async ({ file: index, kind }) => {
                const file = files[index]!;
                if (kind === 'read') await textOf(file);
                else if (kind === 'size') await file.size();
                else if (kind === 'sync') await file.sync();
                else {
                  touched.add(file);
                  content.set(file, `round ${String(round).padStart(3)}`);
                  await file.write(bytes(content.get(file)!), 0);
                }
              }),
            );
            for (const file of touched) await file.sync();
          }
          for (const file of files) expect(await textOf(file)).toBe(content.get(file) ?? '');
          for (const file of files) await file.close();
          expect(observed.openFiles.size).toBe(0);
        },
      ),
    );
  });
});

describe('a log within a bound', () => {
  it('gives up a file whose sync failed, and goes on in another, though the bound is tight', async () => {
    const on = new LogOnMemory();
    const log = await on.open({ files: { maxOpen: MAX } });
    const shards = (await log.stream('s', { shards: 20 })).shards;
    let failing = true;
    on.fileSystem.hook = (operation, name) => {
      if (failing && operation === 'sync' && name.endsWith('.log')) throw systemError('EIO');
    };
    const attempts = await Promise.allSettled(
      shards.map((shard) => shard.durable(shard.append([entry('lost')]))),
    );
    expect(attempts.every((attempt) => attempt.status === 'rejected')).toBe(true);
    failing = false;
    on.clock.advance(10_000);
    await settle();
    await Promise.all(shards.map((shard) => shard.durable(shard.append([entry('kept')]))));
    expect(on.fileSystem.openFiles.size).toBeLessThanOrEqual(MAX);
    await log.close();
    const again = await on.killed().open();
    for (const shard of (await again.stream('s', { shards: 20 })).shards) {
      expect(shard.account()).toMatchObject({ retained: 1, failed: 1 });
    }
    await again.close();
  });

  it('goes on with a full disk that refuses every shard', async () => {
    const on = new LogOnMemory();
    const log = await on.open({ files: { maxOpen: MAX } });
    const stream = await log.stream('s', { shards: 20 });
    await Promise.all(stream.shards.map((shard) => shard.durable(shard.append([entry('kept')]))));
    const group = await stream.group('g');
    on.disk.capacity_bytes = on.disk.used_bytes;
    const attempts = await Promise.allSettled(
      stream.shards.map((shard) => shard.durable(shard.append([Buffer.alloc(9999)]))),
    );
    expect(attempts.every((attempt) => attempt.status === 'rejected')).toBe(true);
    for (const shard of stream.shards) {
      const reader = group.reader(shard);
      const batch = await reader.read({ wait_ms: 0 });
      expect(textsOf(batch!)).toEqual([{ offset: 0, text: 'kept' }]);
      void group.commit(shard, batch!.next);
      batch!.release();
      reader.close();
    }
    await group.flush();
    await log.close();
  });

  it.each([
    ['interval', 20],
    ['os', 20],
    ['os', MAX],
  ] as const)(
    'syncs where %s does not, before anybody of %d shards waits for ever',
    async (durability, shards) => {
      const on = new LogOnMemory();
      const options = { files: { maxOpen: MAX }, durability };
      const log = await on.open(options);
      const stream = await log.stream('s', { shards });
      const append = (entries: Uint8Array[]) =>
        Promise.allSettled(stream.shards.map((shard) => shard.durable(shard.append(entries))));
      for (let round = 0; round < 3; round++) {
        expect((await append([entry(`kept ${round}`)])).every(({ status }) => status === 'fulfilled')).toBe(
          true,
        );
      }
      // Refused shards have an account to write while what they wrote before is unsynced.
      on.disk.capacity_bytes = on.disk.used_bytes;
      expect((await append([Buffer.alloc(50)])).every(({ status }) => status === 'rejected')).toBe(true);
      on.disk.capacity_bytes = Number.POSITIVE_INFINITY;
      on.clock.advance(1000);
      await settle();
      expect((await append([entry('healed')])).every(({ status }) => status === 'fulfilled')).toBe(true);
      const group = await stream.group('g');
      const read = await Promise.all(stream.shards.map((shard) => readAll(group.reader(shard))));
      for (const texts of read) {
        expect(texts.map((one) => one.text)).toEqual(['kept 0', 'kept 1', 'kept 2', 'healed']);
      }
      expect(on.fileSystem.openFiles.size).toBeLessThanOrEqual(MAX);
      await log.close();
    },
  );

  it('is refused with less than it needs to roll a segment', async () => {
    await expect(openedOnMemory({ files: { maxOpen: 7 } })).rejects.toMatchObject({
      code: 'HF_BUFFER_INVALID_OPTION',
    });
  });

  const linux = process.platform === 'linux' ? it : it.skip;
  linux('has 1,000 shards open, appended to and read, on 64 descriptors of the system', async () => {
    // In memory where there is such a place: a thousand shards are ten thousand syncs.
    const parent = fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir();
    const directory = fs.mkdtempSync(path.join(parent, 'holdfast-'));
    const descriptors = (): number => fs.readdirSync('/proc/self/fd').length;
    const before = descriptors();
    const observed = new ObservedFileSystem(nodeFileSystem);
    let most = 0;
    let operations = 0;
    observed.hook = () => {
      if (operations++ % 100 === 0) most = Math.max(most, descriptors() - before);
    };
    try {
      const options = {
        directory,
        fileSystem: observed,
        files: { maxOpen: 64 },
        retention: { minFreeSpace_bytes: 0 },
      };
      const log = await Log.open(options);
      const stream = await log.stream('s', { shards: 1000 });
      const group = await stream.group('g');
      const readers = stream.shards.map((shard) => group.reader(shard));
      for (let round = 0; round < 2; round++) {
        await Promise.all(
          stream.shards.map((shard) => shard.durable(shard.append([entry(`${round} of ${shard.index}`)]))),
        );
      }
      for (const shard of stream.shards) shard.hotTail.trim(Number.POSITIVE_INFINITY);
      const read = await Promise.all(readers.map((reader) => readAll(reader)));
      for (const [index, entries] of read.entries()) {
        expect(entries.map((one) => one.text)).toEqual([`0 of ${index}`, `1 of ${index}`]);
      }
      for (const shard of stream.shards) void group.commit(shard, 2);
      await group.flush();
      await log.close();
      // The lock is a database of SQLite, and looking takes one too.
      expect(most).toBeLessThanOrEqual(64 + 3);
      expect(most).toBeGreaterThan(50);
      expect(observed.openFiles.size).toBe(0);
      const again = await Log.open(options);
      const reopened = await (await again.stream('s', { shards: 1000 })).group('g');
      expect(reopened.shards.every((shard) => reopened.committed(shard) === 2)).toBe(true);
      await again.close();
      expect(most).toBeLessThanOrEqual(64 + 3);
    } finally {
      fs.rmSync(directory, { recursive: true, force: true });
    }
  });
});
