// Rows "groups: list with lag, forget, rename" and "shards: an invalid number is a typed error".

import { describe, expect, it } from '@jest/globals';
import { GroupExists, InvalidName, InvalidOption, TooManyGroups, UnknownGroup } from '../../buffer/errors.ts';
import { appendDurably, LogOnMemory, openedOnMemory } from './log_on_memory.ts';
import { systemError } from './memory_file_system.ts';

describe('the groups of a stream', () => {
  it('are listed with their lag, also those that nobody opened', async () => {
    const on = new LogOnMemory();
    const log = await on.open();
    const stream = await log.stream('s', { shards: 2 });
    const [one, two] = [stream.shards[0]!, stream.shards[1]!];
    await appendDurably(one, 'a', 'b', 'c');
    await appendDurably(two, 'd');
    void (await stream.group('g')).commit(one, 1);
    await stream.group('h', { protect: false, start: 'latest' });
    await log.close();
    const again = await on.open();
    const listed = (await again.stream('s')).groups();
    expect(listed.map(({ name, protect, lag }) => [name, protect, lag.entries])).toEqual([
      ['g', true, 3],
      ['h', false, 0],
    ]);
    expect(listed[0]!.shards.map(({ shard, committed, lag }) => [shard, committed, lag.entries])).toEqual([
      ['s/0', 1, 2],
      ['s/1', 0, 1],
    ]);
    expect(JSON.parse(JSON.stringify(listed))).toEqual(listed);
    await again.close();
  });

  it('can be forgotten: the group protects nothing more, and no damaged slot brings it back', async () => {
    const { on, log, stream, shard } = await openedOnMemory({ segment: { maxBytes: 60 } });
    await appendDurably(shard, 'a');
    await appendDurably(shard, 'b');
    await appendDurably(shard, 'c');
    const slow = await stream.group('slow');
    void (await stream.group('fast')).commit(shard, 3);
    await log.retain();
    expect(shard.logStart).toBe(0);
    await stream.forgetGroup('slow');
    expect(stream.groupNames()).toEqual(['fast']);
    expect(() => slow.committed(shard)).toThrow(UnknownGroup);
    for (const slot of [0, 4096]) {
      const damaged = on.killed();
      damaged.disk.bytes('/log/s/0/offsets')[slot + 30]! ^= 1;
      const again = await openedOnMemory({}, damaged);
      expect(again.stream.groupNames()).toEqual(['fast']);
      await again.log.close();
    }
    await log.retain();
    expect(shard.logStart).toBeGreaterThan(0);
    await expect(stream.forgetGroup('slow')).rejects.toBeInstanceOf(UnknownGroup);
    await log.close();
  });

  it('can be renamed: what was committed, acknowledged and limited stays', async () => {
    const { on, log, stream, shard } = await openedOnMemory();
    await appendDurably(shard, 'a', 'b', 'c', 'd');
    const old = await stream.group('old', { maxLag: { bytes: 7 } });
    void old.commit(shard, 1);
    old.ack(shard, 2);
    await stream.renameGroup('old', 'new');
    expect(stream.groupNames()).toEqual(['new']);
    expect(stream.groupViews(shard)[0]).toMatchObject({ committed: 1, maxLag_bytes: 7 });
    expect(() => old.committed(shard)).toThrow(UnknownGroup);
    const fresh = await stream.group('new');
    fresh.ack(shard, 1);
    expect(fresh.committed(shard)).toBe(3);
    await fresh.flush();
    const again = await openedOnMemory({}, on.killed());
    expect(again.stream.groups().map((group) => [group.name, group.shards[0]!.committed])).toEqual([
      ['new', 3],
    ]);
    await again.log.close();
    await log.close();
  });

  it('are not renamed to a name that is taken, invalid or too long, nor from one that is unknown', async () => {
    const { log, stream } = await openedOnMemory();
    await stream.group('a');
    await stream.group('b');
    await expect(stream.renameGroup('a', 'b')).rejects.toBeInstanceOf(GroupExists);
    await expect(stream.renameGroup('a', 'no good')).rejects.toBeInstanceOf(InvalidName);
    await expect(stream.renameGroup('x', 'y')).rejects.toBeInstanceOf(UnknownGroup);
    for (let index = 0; index < 30; index++) await stream.group(`${index}`.padEnd(120, '-'));
    const names = stream.groupNames();
    await expect(
      (async () => {
        for (let index = 0; index < 30; index++) await stream.group(`${100 + index}`.padEnd(100, '-'));
      })(),
    ).rejects.toBeInstanceOf(TooManyGroups);
    await expect(stream.renameGroup('a', 'a'.repeat(120))).rejects.toBeInstanceOf(TooManyGroups);
    expect(stream.groupNames()).toEqual(expect.arrayContaining(names));
    await log.close();
  });

  it('that were renamed on some shards only, because the disk failed, are renamed by calling again', async () => {
    const on = new LogOnMemory();
    const log = await on.open();
    const stream = await log.stream('s', { shards: 2 });
    const group = await stream.group('old');
    for (const shard of stream.shards) {
      await appendDurably(shard, 'a');
      void group.commit(shard, 1);
    }
    await group.flush();
    on.fileSystem.hook = (operation, path) => {
      if (operation === 'sync' && path.includes('/1/offsets')) throw systemError('EIO');
    };
    await expect(stream.renameGroup('old', 'new')).rejects.toThrow('EIO');
    const killed = on.killed();
    const again = await killed.open();
    const same = await again.stream('s');
    if (same.groupNames().includes('old')) await same.renameGroup('old', 'new');
    expect(same.groups().map(({ name, shards }) => [name, shards.map((one) => one.committed)])).toEqual([
      ['new', [1, 1]],
    ]);
    await again.close();
    await log.close().catch(() => {});
  });
});

describe('the number of shards', () => {
  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 4097])(
    '%s is refused with a typed error',
    async (shards) => {
      const on = new LogOnMemory();
      const log = await on.open();
      await expect(log.stream('s', { shards })).rejects.toBeInstanceOf(InvalidOption);
      expect(log.streamNames()).toEqual([]);
      await log.close();
    },
  );
});
