// Rows "read from one shard or several with a count", "streams discovered and chosen by glob for reading", "static
// assignment ({ index, of })", and the callback and async-iterator forms of reading.

import { describe, expect, it } from '@jest/globals';
import { InvalidName, InvalidOption, LeaseMisuse, LeaseReleased, LogClosed } from '../../buffer/errors.ts';
import type { Group } from '../../buffer/group.ts';
import { appendDurably, LogOnMemory, openedOnMemory, textsOf } from './log_on_memory.ts';
import { settle } from './manual_clock.ts';

async function opened(streams: Record<string, number>) {
  const on = new LogOnMemory();
  const log = await on.open();
  for (const [name, shards] of Object.entries(streams)) {
    for (const shard of (await log.stream(name, { shards })).shards) {
      await appendDurably(shard, `${shard.id} a`, `${shard.id} b`);
    }
  }
  return { on, log };
}

const ids = (group: Group): string[] => group.shards.map((shard) => shard.id);

describe('streams chosen by glob', () => {
  it('are those on disk, also after a restart and without knowing their options', async () => {
    const { on, log } = await opened({ 'logs.a': 2, 'logs.b': 1, 'logs.b.deep': 1, traces: 1 });
    const names = async (from: typeof log, glob: string): Promise<string[]> =>
      (await from.streams(glob)).map((stream) => stream.name);
    expect(await names(log, 'logs.*')).toEqual(['logs.a', 'logs.b']);
    await log.close();
    const again = await on.open();
    expect(await names(again, 'logs.**')).toEqual(['logs.a', 'logs.b', 'logs.b.deep']);
    expect(await names(again, 'none.*')).toEqual([]);
    await expect(again.streams('no good')).rejects.toBeInstanceOf(InvalidName);
    expect((await again.streams('logs.a'))[0]!.shards).toHaveLength(2);
    await again.close();
    await expect(again.streams('**')).rejects.toBeInstanceOf(LogClosed);
  });

  it('take their options from whoever opens them by name later: more shards, with the groups that are open', async () => {
    const { on, log } = await opened({ s: 1 });
    await log.close();
    const again = await on.open();
    const [found] = await again.streams('s');
    const group = await found!.group('g');
    expect(found!.shardOf('key')).toBe(found!.shards[0]);
    const stream = await again.stream('s', { shards: 3, reserve_bytes: 7 });
    expect(stream).toBe(found);
    expect(new Set(Array.from({ length: 50 }, (_, key) => stream.shardOf(`${key}`).index))).toEqual(
      new Set([0, 1, 2]),
    );
    expect(stream.shards.map((shard) => [group.committed(shard), shard.reserve_bytes])).toEqual([
      [0, 7],
      [0, 7],
      [0, 7],
    ]);
    await again.close();
  });
});

describe('a group over several shards', () => {
  it('reads them in turn with a count, in order within each, and commits each on its own', async () => {
    const { on, log } = await opened({ 'logs.a': 2, 'logs.b': 1, traces: 1 });
    const group = await log.group('g', { streams: 'logs.*' });
    expect(ids(group)).toEqual(['logs.a/0', 'logs.a/1', 'logs.b/0']);
    const reader = group.reader();
    const read: string[] = [];
    for (let count = 0; count < 6; count++) {
      const batch = (await reader.read({ maxEntries: 1 }))!;
      read.push(...textsOf(batch).map((one) => one.text));
      void group.commit(batch.shard, batch.next);
      batch.release();
    }
    expect(read.slice(0, 3).map((text) => text.slice(-1))).toEqual(['a', 'a', 'a']);
    expect([...read].sort()).toEqual(ids(group).flatMap((id) => [`${id} a`, `${id} b`]));
    expect(await reader.read({ wait_ms: 0 })).toBeUndefined();
    await group.flush();
    const again = await on.killed().open();
    const same = await again.group('g', { streams: 'logs.*' });
    expect(await same.reader().read({ wait_ms: 0 })).toBeUndefined();
    await again.close();
    await log.close();
  });

  it('waits for all of them at once: ends with data of any, a time, an abort, close of reader and of log', async () => {
    const { on, log } = await opened({ a: 1, b: 2 });
    const group = await log.group('g', { streams: '**', start: 'latest' });
    const reader = group.reader();
    const waiting = reader.read();
    await expect(reader.read()).rejects.toBeInstanceOf(LeaseMisuse);
    await appendDurably(group.shards[2]!, 'late');
    const batch = (await waiting)!;
    expect([batch.shard.id, ...textsOf(batch).map((one) => one.text)]).toEqual(['b/1', 'late']);
    void group.commit(batch.shard, batch.next);
    batch.release();
    const timed = reader.read({ wait_ms: 500 });
    await settle();
    on.clock.advance(500);
    expect(await timed).toBeUndefined();
    const abort = new AbortController();
    const aborted = reader.read({ signal: abort.signal });
    abort.abort();
    expect(await aborted).toBeUndefined();
    const closed = reader.read();
    reader.close();
    await expect(closed).rejects.toBeInstanceOf(LogClosed);
    const ended = group.reader().read();
    await log.close();
    await expect(ended).rejects.toBeInstanceOf(LogClosed);
    expect(on.clock.pending).toBe(0);
  });

  it('is divided between readers: every shard has one of them, evenly, and stays with it when streams are added', async () => {
    const { log } = await opened({ one: 5, two: 4, three: 1 });
    const share = (index: number, of: number): Promise<Group> =>
      log.group('g', { streams: '**', assignment: { index, of } });
    const shares = [await share(0, 3), await share(1, 3), await share(2, 3)];
    const before = shares.map(ids);
    const all = (await log.group('g', { streams: '**' })).shards.map((shard) => shard.id);
    expect(before.flat().sort()).toEqual(all.sort());
    for (const stream of ['one', 'two']) {
      const counts = before.map((held) => held.filter((id) => id.startsWith(`${stream}/`)).length);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }
    await log.stream('another', { shards: 2 });
    for (const index of [0, 1, 2])
      expect(ids(await share(index, 3))).toEqual(expect.arrayContaining(before[index]!));
    const own = await (await log.stream('one')).group('g', { assignment: { index: 0, of: 1 } });
    expect(own.shards).toHaveLength(5);
    await log.close();
  });

  it('protects the shards of its other readers too, and refuses an assignment that cannot be', async () => {
    const { log } = await opened({ s: 4 });
    await log.group('g', { streams: 's', assignment: { index: 0, of: 2 } });
    for (const shard of (await log.stream('s')).shards) expect(shard.offsets.groups.has('g')).toBe(true);
    for (const [index, of] of [
      [2, 2],
      [-1, 2],
      [0, 0],
      [0.5, 2],
      [0, Number.NaN],
    ] as const) {
      await expect(log.group('g', { streams: 's', assignment: { index, of } })).rejects.toBeInstanceOf(
        InvalidOption,
      );
      await expect((await log.stream('s')).group('g', { assignment: { index, of } })).rejects.toBeInstanceOf(
        InvalidOption,
      );
    }
    const none = await log.group('g', { streams: 'nothing.*' });
    expect(await none.reader().read({ wait_ms: 0 })).toBeUndefined();
    await log.close();
  });
});

describe('async iteration and callback', () => {
  it('give batches in order and give each back when the next is asked for', async () => {
    const { on, log, stream, shard } = await openedOnMemory();
    await appendDurably(shard, 'a', 'b', 'c');
    const group = await stream.group('g');
    const limits = { maxEntries: 1, wait_ms: 0 };
    for (const reader of [group.reader(shard), group.reader()]) {
      const read: string[] = [];
      for await (const batch of reader.batches(limits)) read.push(...textsOf(batch).map((one) => one.text));
      expect(read).toEqual(['a', 'b', 'c']);
      reader.close();
    }
    const called: string[] = [];
    await group.reader(shard).each((batch) => called.push(textsOf(batch)[0]!.text), limits);
    expect(called).toEqual(['a', 'b', 'c']);
    let kept: { release(): void } | undefined;
    for await (const batch of group.reader(shard)) {
      kept = batch;
      break;
    }
    expect(() => kept!.release()).toThrow(LeaseReleased);
    await log.close();
    expect(on.clock.pending).toBe(0);
  });

  it('end where the reader is closed, the log is closed or the signal says so, and pass on what the callback throws', async () => {
    const { log, stream, shard } = await openedOnMemory();
    await appendDurably(shard, 'a');
    const group = await stream.group('g');
    const reader = group.reader(shard);
    const closing = reader.each(() => {});
    await settle();
    reader.close();
    await closing;
    const abort = new AbortController();
    const aborted = group.reader().each(() => {}, { signal: abort.signal });
    await settle();
    abort.abort();
    await aborted;
    await group.reader(shard).each(
      () => {
        throw new Error('never called');
      },
      { signal: AbortSignal.abort() },
    );
    const failing = group.reader(shard).each(() => Promise.reject(new Error('mine')));
    await expect(failing).rejects.toThrow('mine');
    const ended = group.reader().each(() => {});
    await settle();
    await log.close();
    await ended;
  });
});
