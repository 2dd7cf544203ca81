// Two owners of one directory, the first of which has lost its lock: what it promises, writes and says from then on.

import { beforeEach, describe, expect, it } from '@jest/globals';
import { OwnershipLost } from '../../buffer/errors.ts';
import type { Log } from '../../buffer/index.ts';
import type { Lock } from '../../buffer/ports/file_system.ts';
import type { Shard } from '../../buffer/shard.ts';
import { TENURE_ms } from '../../buffer/tenure.ts';
import { appendDurably, entry, LogOnMemory, readAll } from './log_on_memory.ts';

let on: LogOnMemory;
let first: Log;
let shard: Shard;

beforeEach(async () => {
  on = new LogOnMemory();
  // A file system that keeps no locks.
  on.disk.lock = async (): Promise<Lock> => ({ release: async () => {} });
  first = await on.open();
  shard = (await first.stream('s')).shardOf(0);
  await appendDurably(shard, 'of the first');
});

function looks(): number {
  return on.fileSystem.count('open', '/log/owner');
}

async function second(): Promise<Shard> {
  const log = await on.open();
  return (await log.stream('s')).shardOf(0);
}

describe('an owner that was stopped while another took its place', () => {
  it('promises nothing, takes nothing more, and says who has the directory', async () => {
    const waiting = shard.append([entry('not seen by the second')]);
    await second();
    on.clock.advance(TENURE_ms);
    await expect(shard.durable(waiting)).rejects.toThrow('was taken over by process');
    expect(() => shard.append([entry('late')])).toThrow(OwnershipLost);
    expect([...first.failures().values()]).toEqual([expect.any(OwnershipLost)]);
  });

  it('finds out where its machine was suspended, of which the monotonic clock knows nothing', async () => {
    await second();
    on.clock.wall_ms += TENURE_ms;
    await expect(appendDurably(shard, 'not seen by the second')).rejects.toThrow('was taken over by process');
    expect([...first.failures().values()]).toEqual([expect.any(OwnershipLost)]);
  });

  it('writes nothing that the second could read: no entry, no offset, no account, no epoch', async () => {
    const group = await (await first.stream('s')).group('g');
    const other = await second();
    const mine = await appendDurably(other, 'of the second');
    on.clock.advance(TENURE_ms);
    shard.append([entry('late')]);
    group.commit(shard, 1).catch(() => {});
    await expect(group.flush()).rejects.toThrow(OwnershipLost);
    await expect(first.close()).rejects.toThrow(OwnershipLost);
    const third = await on.open();
    const stream = await third.stream('s');
    const reader = (await stream.group('third')).reader(stream.shardOf(0));
    expect(await readAll(reader)).toEqual([
      { offset: 0, text: 'of the first' },
      { offset: mine, text: 'of the second' },
    ]);
    expect(third.stats().epoch).toBe(3);
  });
});

describe('a look', () => {
  it('finds the second owner however many looks before it found nothing new', async () => {
    for (let look = 0; look < 3; look++) {
      on.clock.advance(TENURE_ms);
      await appendDurably(shard, 'still mine');
    }
    await second();
    on.clock.advance(TENURE_ms);
    await expect(appendDurably(shard, 'late')).rejects.toThrow('was taken over by process');
  });

  it('finds the second owner where its owner file is another one in the place of the first', async () => {
    on.clock.advance(TENURE_ms);
    await appendDurably(shard, 'still mine');
    const { disk } = on;
    const mine = Buffer.from(disk.bytes('/log/owner'));
    await second();
    const theirs = Buffer.from(disk.bytes('/log/owner'));
    // Whoever kept the file open still finds in it what he wrote.
    disk.bytes('/log/owner').set(mine);
    const replaced = await disk.open('/log/owner.new', 'create');
    await replaced.write(theirs, 0);
    await replaced.close();
    await disk.rename('/log/owner.new', '/log/owner');
    on.clock.advance(TENURE_ms);
    await expect(appendDurably(shard, 'late')).rejects.toThrow('was taken over by process');
  });

  it('is repeated with the next commit where the owner file could not be read, however often it was alike', async () => {
    on.disk.bytes('/log/owner').fill(0);
    for (let commit = 0; commit < 3; commit++) {
      const before = looks();
      on.clock.advance(TENURE_ms);
      await appendDurably(shard, 'unknown whose');
      expect(looks()).toBeGreaterThan(before);
    }
  });
});

describe('an owner whose place nobody took', () => {
  it('goes on after any stop, also where the owner file cannot be read', async () => {
    on.clock.advance(60_000);
    await appendDurably(shard, 'awake');
    on.disk.bytes('/log/owner').fill(1);
    on.clock.advance(60_000);
    await appendDurably(shard, 'awake again');
    expect(first.failures().size).toBe(0);
  });

  it('goes on where the clock of the wall jumps, at the cost of a look each time', async () => {
    for (const jump_ms of [60_000, -3_600_000, 10 * 365 * 86_400_000]) {
      const before = looks();
      on.clock.wall_ms += jump_ms;
      await appendDurably(shard, 'at another time');
      await appendDurably(shard, 'soon after');
      expect(looks() - before).toBe(1);
    }
    expect(first.failures().size).toBe(0);
  });

  it('looks at the owner file ahead of time, so that commits which follow each other do not wait', async () => {
    const before = looks();
    const looked = Promise.withResolvers<void>();
    on.fileSystem.hook = (operation, path) =>
      operation === 'open' && path === '/log/owner' ? looked.promise : undefined;
    // None of them may wait for the one look, which takes as long as they do.
    for (let age_ms = 25; age_ms < TENURE_ms; age_ms += 25) {
      on.clock.advance(25);
      await appendDurably(shard, 'one of many');
      expect(looks() - before).toBe(age_ms < 150 ? 0 : 1);
    }
    looked.resolve();
  });
});
