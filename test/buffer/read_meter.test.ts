// Row "metrics: reads by result, sizes, waits, waiting readers", and "blocking reads end on data, timeout, abort or close;
// waiters are woken in one go".

import { describe, expect, it } from '@jest/globals';
import { LogClosed } from '../../buffer/errors.ts';
import { appendDurably, openedOnMemory } from './log_on_memory.ts';
import { settle } from './manual_clock.ts';
import { systemError } from './memory_file_system.ts';

describe('reads', () => {
  it('are counted by what ended them: data, time, abort, close, the disk', async () => {
    const { on, log, stream, shard } = await openedOnMemory({ hotTail_bytes: 0 });
    const reader = (await stream.group('g')).reader(shard);
    const withData = reader.read();
    await settle();
    expect(shard.stats().reads).toMatchObject({ waits: 1, waiting: 1, batches: 0 });
    await appendDurably(shard, 'ab', 'cde');
    (await withData)!.release();
    const inTime = reader.read({ wait_ms: 100 });
    await settle();
    on.clock.advance(100);
    expect(await inTime).toBeUndefined();
    const abort = new AbortController();
    const aborted = reader.read({ signal: abort.signal });
    await settle();
    abort.abort();
    expect(await aborted).toBeUndefined();
    await appendDurably(shard, 'f');
    on.fileSystem.hook = (operation) => {
      if (operation === 'read') throw systemError('EIO');
    };
    await expect(reader.read()).rejects.toThrow('EIO');
    on.fileSystem.hook = () => {};
    reader.seek(3);
    const closed = expect(reader.read()).rejects.toBeInstanceOf(LogClosed);
    await settle();
    reader.close();
    await closed;
    expect(shard.stats().reads).toEqual({
      batches: 1,
      entries: 2,
      bytes: 5,
      empty: 1,
      aborted: 1,
      closed: 1,
      failed: 1,
      waits: 4,
      waiting: 0,
    });
    await log.close();
  });

  it('of several shards count at each of them', async () => {
    const { on, log, stream } = await openedOnMemory();
    const wide = await log.stream('wide', { shards: 2 });
    const reader = (await wide.group('g')).reader();
    const reading = reader.read({ wait_ms: 10 });
    await settle();
    expect(wide.shards.map((shard) => shard.reads.waiting)).toEqual([1, 1]);
    on.clock.advance(10);
    await reading;
    for (const { reads } of wide.shards) expect(reads).toMatchObject({ waits: 1, waiting: 0, empty: 1 });
    const closed = expect(reader.read()).rejects.toBeInstanceOf(LogClosed);
    reader.close();
    await closed;
    expect(wide.shards.map((shard) => shard.reads.closed)).toEqual([1, 1]);
    expect(stream.shards[0]!.reads.waits).toBe(0);
    await log.close();
  });

  it('that wait for the same entries are woken in one go: no turn of the loop lies between the first and the last', async () => {
    const { log, stream, shard } = await openedOnMemory();
    const group = await stream.group('g');
    const turns: number[] = [];
    let turn = 0;
    const reading = Array.from({ length: 50 }, async () => {
      const reader = group.reader(shard);
      const batch = await reader.read();
      turns.push(turn);
      batch!.release();
      reader.close();
    });
    await settle();
    expect(shard.reads.waiting).toBe(50);
    let counting = true;
    const count = (): void => {
      turn += 1;
      if (counting) setImmediate(count);
    };
    setImmediate(count);
    await appendDurably(shard, 'for all of them');
    await Promise.all(reading);
    counting = false;
    expect(new Set(turns).size).toBe(1);
    expect(turns).toHaveLength(50);
    await log.close();
  });
});
