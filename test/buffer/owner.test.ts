// Whose directory it is: one owner at a time, foreign and newer ones refused before anything in them is touched.

import { describe, expect, it } from '@jest/globals';
import { ForeignDirectory, NewerFormat, OwnerPresent } from '../../buffer/errors.ts';
import { NO_ENTRIES } from '../../buffer/ledger.ts';
import { makeDirectories, Owner } from '../../buffer/owner.ts';
import { decodeOwner } from '../../buffer/owner_record.ts';
import { systemRandom } from '../../buffer/ports/random.ts';
import { viewSlots } from '../../buffer/two_slot.ts';
import { ManualClock } from './manual_clock.ts';
import { MemoryFileSystem } from './memory_file_system.ts';
import { ObservedFileSystem } from './observed_file_system.ts';

const take = (disk: ObservedFileSystem, clock = new ManualClock(), pid = 4711): Promise<Owner> =>
  Owner.take(disk, clock, systemRandom, '/data/log', pid);

const fresh = (): { memory: MemoryFileSystem; disk: ObservedFileSystem } => {
  const memory = new MemoryFileSystem();
  return { memory, disk: new ObservedFileSystem(memory) };
};

/** Everything on the disk, to show that nothing was touched. */
const everything = (memory: MemoryFileSystem): Record<string, string> =>
  Object.fromEntries(memory.paths().map((path) => [path, memory.bytes(path).toString('hex')]));

describe('Owner', () => {
  it('creates the directory with its parents, each durable before the next', async () => {
    const { disk } = fresh();
    await makeDirectories(disk, '/a/b/c');
    const done = disk.operations.map((one) => `${one.operation} ${one.path}`);
    expect(done).toEqual([
      'makeDirectory /a',
      'syncDirectory /',
      'makeDirectory /a/b',
      'syncDirectory /a',
      'makeDirectory /a/b/c',
      'syncDirectory /a/b',
    ]);
  });

  it('has a higher epoch each time, also after a kill', async () => {
    const { memory, disk } = fresh();
    const first = await take(disk);
    expect(first.epoch).toBe(1);
    const killed = new ObservedFileSystem(memory.copy());
    expect((await take(killed)).epoch).toBe(2);
    await first.release();
    const second = await take(disk);
    expect(second.epoch).toBe(2);
    await second.release();
    expect(disk.openFiles.size).toBe(0);
  });

  it('names the process that is there, and since when', async () => {
    const { disk } = fresh();
    const clock = new ManualClock();
    const owner = await take(disk, clock, 4711);
    const refusal = await take(disk, clock, 4712).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(OwnerPresent);
    expect(String(refusal)).toContain(`process 4711 since ${new Date(clock.now()).toISOString()}`);
    await owner.release();
    expect(disk.openFiles.size).toBe(0);
  });

  it('refuses a directory that is not a log and touches nothing in it', async () => {
    for (const names of [['notes.txt', 'README'], ['Documents'], ['src', 'docs'], ['package.json']]) {
      const { memory, disk } = fresh();
      await makeDirectories(disk, '/data/log');
      for (const name of names) memory.replace(`/data/log/${name}`, Buffer.from(name));
      const before = everything(memory);
      const refusal = await take(disk).catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(ForeignDirectory);
      expect(names.some((name) => String(refusal).includes(`"${name}"`))).toBe(true);
      expect(everything(memory)).toEqual(before);
      expect(disk.openFiles.size).toBe(0);
    }
  });

  it('takes an empty mount point, in which the file system keeps its lost+found', async () => {
    const { memory, disk } = fresh();
    await makeDirectories(disk, '/data/log');
    await memory.makeDirectory('/data/log/lost+found');
    const owner = await take(disk);
    await owner.release();
  });

  it('takes a directory in which it died before it wrote who it is', async () => {
    const { memory, disk } = fresh();
    await makeDirectories(disk, '/data/log');
    memory.replace('/data/log/lock', Buffer.alloc(0));
    memory.replace('/data/log/owner.new', Buffer.from('half'));
    const owner = await take(disk);
    expect(owner.epoch).toBe(1);
    await owner.release();
  });

  it('refuses a newer format, touches nothing, and lets go of the lock', async () => {
    const { memory, disk } = fresh();
    const owner = await take(disk);
    await owner.release();
    const newer = new MemoryFileSystem();
    const slots = memory.bytes('/data/log/owner');
    for (const at of [0, 4096]) slots.writeUInt16LE(2, at + 4);
    await makeDirectories(newer, '/data/log');
    newer.replace('/data/log/owner', slots);
    newer.replace('/data/log/lock', Buffer.alloc(0));
    const before = everything(newer);
    const watched = new ObservedFileSystem(newer);
    await expect(take(watched)).rejects.toBeInstanceOf(NewerFormat);
    expect(everything(newer)).toEqual(before);
    expect(watched.openFiles.size).toBe(0);
    expect(await newer.lock('/data/log/lock')).toBeDefined();
  });

  it('begins above any earlier epoch where the owner file is damaged', async () => {
    const { memory, disk } = fresh();
    for (let opening = 0; opening < 3; opening++) await (await take(disk)).release();
    memory.bytes('/data/log/owner').fill(0xaa);
    const owner = await take(disk);
    expect(owner.epoch).toBeGreaterThan(3);
    await owner.release();
  });

  it('counts the time that the log was open, whatever the wall clock does', async () => {
    const { disk } = fresh();
    const clock = new ManualClock();
    const owner = await take(disk, clock);
    clock.advance(5000);
    clock.wall_ms += 10 * 365 * 86_400_000;
    expect(owner.running_ms()).toBe(5000);
    await owner.release();
    clock.advance(1_000_000);
    const later = await take(disk, clock);
    expect(later.running_ms()).toBe(5000);
    clock.wall_ms = 0;
    clock.advance(10);
    expect(later.running_ms()).toBe(5010);
    await later.release();
  });

  it('writes one state at a time, with its running time as it is then', async () => {
    const { memory, disk } = fresh();
    const clock = new ManualClock();
    const owner = await take(disk, clock);
    await owner.beginDeletion('logs', NO_ENTRIES, 7);
    clock.advance(90_000);
    await Promise.all([owner.endDeletion(), owner.save()]);
    await owner.beginDeletion('traces', NO_ENTRIES, 7);
    await owner.endDeletion();
    // Neither slot may bring back what is deleted, nor an earlier time.
    for (const { payload } of viewSlots(memory.bytes('/data/log/owner'))) {
      expect(decodeOwner(payload)).toMatchObject({ running_ms: 90_000, firstOffset: 7 });
      expect(decodeOwner(payload).deleting).toBeUndefined();
    }
    const done = disk.operations.filter((one) => one.path.endsWith('/owner')).map((one) => one.operation);
    expect(done.join(' ')).not.toContain('write write');
    await owner.release();
  });
});
