// Consumer groups: committed offsets that move forward only and stay, lag, start, and room for so many.

import { describe, expect, it } from '@jest/globals';
import { InvalidName, LogClosed, OffsetOutOfRange, TooManyGroups } from '../../buffer/errors.ts';
import { appendDurably, LogOnMemory, readAll } from './log_on_memory.ts';
import { settle } from './manual_clock.ts';
import { systemError } from './memory_file_system.ts';

async function opened(on = new LogOnMemory()) {
  const log = await on.open();
  const stream = await log.stream('s');
  return { on, log, stream, shard: stream.shardOf(0) };
}

describe('a group', () => {
  it('begins with the oldest entry, or with the next where it says latest', async () => {
    const { log, stream, shard } = await opened();
    await appendDurably(shard, 'old');
    const all = await stream.group('all');
    const fresh = await stream.group('fresh', { start: 'latest' });
    await appendDurably(shard, 'new');
    expect((await readAll(all.reader(shard))).map((one) => one.text)).toEqual(['old', 'new']);
    expect((await readAll(fresh.reader(shard))).map((one) => one.text)).toEqual(['new']);
    expect(stream.groupNames()).toEqual(['all', 'fresh']);
    await log.close();
  });

  it('commits forward only, and never beyond what is durable', async () => {
    const { log, stream, shard } = await opened();
    await appendDurably(shard, 'a', 'b', 'c');
    const group = await stream.group('g');
    void group.commit(shard, 2);
    await group.commit(shard, 1);
    expect(group.committed(shard)).toBe(2);
    for (const next of [4, -1, 1.5, Number.NaN]) {
      expect(() => group.commit(shard, next)).toThrow(OffsetOutOfRange);
    }
    expect(group.committed(shard)).toBe(2);
    await log.close();
  });

  it('goes on where it committed after a restart, apart from every other group', async () => {
    const { on, log, stream, shard } = await opened();
    await appendDurably(shard, 'a', 'b', 'c');
    void (await stream.group('one')).commit(shard, 1);
    void (await stream.group('two')).commit(shard, 2);
    await log.close();
    const again = await opened(on);
    const one = await again.stream.group('one', { start: 'latest' });
    const two = await again.stream.group('two');
    expect([one.committed(again.shard), two.committed(again.shard)]).toEqual([1, 2]);
    expect((await readAll(one.reader(again.shard))).map((read) => read.text)).toEqual(['b', 'c']);
    await again.log.close();
  });

  it('has its commit on disk one interval later, with whatever else was committed, in one write', async () => {
    const { on, log, stream, shard } = await opened();
    await appendDurably(shard, 'a', 'b', 'c');
    const group = await stream.group('g');
    const before = on.fileSystem.count('sync', '/offsets');
    const commits = [1, 2, 3].map((next) => group.commit(shard, next));
    await settle();
    expect(on.fileSystem.count('sync', '/offsets')).toBe(before);
    on.clock.advance(1000);
    await Promise.all(commits);
    expect(on.fileSystem.count('sync', '/offsets')).toBe(before + 1);
    const again = await opened(on.killed());
    expect((await again.stream.group('g')).committed(again.shard)).toBe(3);
    await again.log.close();
    await log.close();
  });

  it('has nothing more to write once both slots hold the last commit', async () => {
    const { on, log, stream, shard } = await opened();
    await appendDurably(shard, 'a');
    void (await stream.group('g')).commit(shard, 1);
    for (let interval = 0; interval < 5; interval++) {
      on.clock.advance(1000);
      await settle();
    }
    const writes = on.fileSystem.count('write', '/offsets');
    for (let interval = 0; interval < 5; interval++) {
      on.clock.advance(1000);
      await settle();
    }
    expect(on.fileSystem.count('write', '/offsets')).toBe(writes);
    await log.close();
  });

  it('keeps its commits where one slot of the file is damaged, because both hold them once it is idle', async () => {
    const { on, log, stream, shard } = await opened();
    await appendDurably(shard, 'a', 'b');
    void (await stream.group('g')).commit(shard, 2);
    await log.close();
    for (const slot of [0, 4096]) {
      const damaged = on.killed();
      damaged.disk.bytes('/log/s/0/offsets')[slot + 30]! ^= 1;
      const again = await opened(damaged);
      expect((await again.stream.group('g')).committed(again.shard)).toBe(2);
      await again.log.close();
    }
  });

  it('delivers all again, and says so, where both slots are damaged', async () => {
    const { on, log, stream, shard } = await opened();
    await appendDurably(shard, 'a', 'b');
    void (await stream.group('g')).commit(shard, 2);
    await log.close();
    const damaged = on.killed();
    for (const slot of [0, 4096]) damaged.disk.bytes('/log/s/0/offsets')[slot + 30]! ^= 1;
    const again = await opened(damaged);
    expect((await again.stream.group('g')).committed(again.shard)).toBe(0);
    expect(damaged.reports.map((one) => one.message).join()).toMatch(/committed offsets are damaged/);
    await again.log.close();
  });

  it('tries again where the disk refuses a commit, and tells whoever waited', async () => {
    const { on, log, stream, shard } = await opened();
    await appendDurably(shard, 'a', 'b');
    const group = await stream.group('g');
    let failures = 1;
    on.fileSystem.hook = (operation, path) => {
      if (operation === 'sync' && path.includes('/offsets') && failures-- > 0) throw systemError('EIO');
    };
    const commit = group.commit(shard, 1);
    on.clock.advance(1000);
    await expect(commit).rejects.toThrow('EIO');
    await settle();
    expect(on.reports.some((one) => /committed offsets could not be written/.test(one.message))).toBe(true);
    on.clock.advance(1000);
    await settle();
    const again = await opened(on.killed());
    expect((await again.stream.group('g')).committed(again.shard)).toBe(1);
    await again.log.close();
    await log.close();
  });

  it('says how far it is behind, in entries, bytes and time', async () => {
    const { on, log, stream, shard } = await opened();
    const group = await stream.group('g');
    expect(group.lag(shard)).toEqual({ entries: 0, bytes: 0, age_ms: 0 });
    await appendDurably(shard, 'a', 'b', 'c', 'd');
    on.clock.advance(5000);
    const all = group.lag(shard);
    expect(all).toMatchObject({ entries: 4, age_ms: 5000 });
    expect(all.bytes).toBe(shard.stats().bytes);
    void group.commit(shard, 2);
    expect(group.lag(shard)).toMatchObject({ entries: 2, bytes: Math.round(all.bytes / 2) });
    void group.commit(shard, 4);
    expect(group.lag(shard)).toEqual({ entries: 0, bytes: 0, age_ms: 0 });
    on.clock.wall_ms = 0;
    await appendDurably(shard, 'e');
    expect(group.lag(shard).age_ms).toBeGreaterThanOrEqual(0);
    await log.close();
  });

  it('counts into its lag nothing that failed or was lost', async () => {
    const { on, log, stream, shard } = await opened();
    const group = await stream.group('g');
    await appendDurably(shard, 'a');
    on.disk.capacity_bytes = on.disk.used_bytes;
    await expect(appendDurably(shard, 'b', 'c')).rejects.toThrow();
    on.disk.capacity_bytes = Number.POSITIVE_INFINITY;
    on.clock.advance(1000);
    await appendDurably(shard, 'd');
    expect(group.lag(shard).entries).toBe(2);
    await log.close();
  });

  it('has a name that is valid, and does not exist on shards of other streams', async () => {
    const { log, stream } = await opened();
    await expect(stream.group('no good')).rejects.toBeInstanceOf(InvalidName);
    const group = await stream.group('g');
    const other = (await log.stream('other')).shardOf(0);
    expect(() => group.committed(other)).toThrow(/group g does not exist on other\/0/);
    await log.close();
  });

  it('that does not fit is refused, and the commits of the others go on', async () => {
    const { on, log, stream, shard } = await opened();
    await appendDurably(shard, 'a');
    const first = await stream.group('first');
    let refusal: unknown;
    for (let index = 0; index < 100 && !refusal; index++) {
      await stream.group(`${index}`.padEnd(120, '-')).catch((error: unknown) => {
        refusal = error;
      });
    }
    expect(refusal).toBeInstanceOf(TooManyGroups);
    const names = stream.groupNames();
    void first.commit(shard, 1);
    await first.flush();
    const again = await opened(on.killed());
    expect((await again.stream.group('first')).committed(again.shard)).toBe(1);
    expect(again.stream.groupNames()).toEqual(names);
    await again.log.close();
    await log.close();
  });

  it('changes its protection when it is opened with another, and keeps what it committed', async () => {
    const { on, log, stream, shard } = await opened();
    await appendDurably(shard, 'a', 'b');
    void (await stream.group('g', { protect: false })).commit(shard, 1);
    expect(shard.offsets.groups.get('g')).toMatchObject({ protect: false, committed: 1 });
    await stream.group('g', { protect: true });
    const again = await opened(on.killed());
    expect(again.shard.offsets.groups.get('g')).toMatchObject({ protect: true, committed: 1 });
    await again.log.close();
    await log.close();
  });

  it('refuses commits once the log is closed, without an unhandled rejection and without touching the disk', async () => {
    const { on, log, stream, shard } = await opened();
    await appendDurably(shard, 'a');
    const group = await stream.group('g');
    await log.close();
    const before = on.fileSystem.operations.length;
    void group.commit(shard, 1);
    await expect(group.flush()).rejects.toBeInstanceOf(LogClosed);
    await expect(stream.group('new')).rejects.toBeInstanceOf(LogClosed);
    on.clock.advance(100_000);
    await settle();
    expect(on.fileSystem.operations.length).toBe(before);
    expect(on.clock.pending).toBe(0);
  });
});
