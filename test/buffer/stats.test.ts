// Row "stats of every level".

import { describe, expect, it } from '@jest/globals';
import { totalsOf } from '../../buffer/stats.ts';
import { appendDurably, LogOnMemory } from './log_on_memory.ts';
import { systemError } from './memory_file_system.ts';

describe('stats', () => {
  it('of log, stream, shard and group are plain objects that agree with each other', async () => {
    const on = new LogOnMemory();
    const log = await on.open({ segment: { maxBytes: 100 } });
    const stream = await log.stream('s', { shards: 2 });
    for (const text of ['a', 'b', 'c', 'd']) await appendDurably(stream.shards[0]!, text);
    await appendDurably(stream.shards[1]!, 'e', 'f');
    await appendDurably((await log.stream('other')).shards[0]!, 'g');
    const group = await stream.group('g');
    const reader = group.reader(stream.shards[0]!);
    group.ack(stream.shards[0]!, 0);
    group.ack(stream.shards[0]!, 2, 4);
    on.clock.advance(2000);

    const ofStream = stream.stats();
    const shards = stream.shards.map((shard) => shard.stats());
    expect(ofStream).toMatchObject({
      name: 's',
      entries: 6,
      readers: 1,
      commits: 5,
      failedCommits: 0,
      shards,
    });
    expect(ofStream.segments).toBe(shards[0]!.segments + shards[1]!.segments);
    expect(ofStream.rotations).toBeGreaterThan(0);
    expect(ofStream.bytes).toBe(shards[0]!.bytes + shards[1]!.bytes);
    expect(ofStream.groups).toEqual(stream.groups());
    const { total, streams, used_bytes } = log.stats();
    expect(total).toMatchObject({ entries: 7, commits: 6, bytes: used_bytes });
    expect(streams).toEqual({ s: shards, other: [(await log.stream('other')).shards[0]!.stats()] });
    const ofGroup = group.stats();
    expect(ofGroup).toMatchObject({
      name: 'g',
      lag: { entries: 5, age_ms: 2000 },
      shards: [
        { shard: 's/0', committed: 1, acknowledgedAhead: 2 },
        { shard: 's/1', committed: 0, acknowledgedAhead: 0 },
      ],
    });
    for (const stats of [ofStream, ofGroup, log.stats()]) {
      expect(JSON.parse(JSON.stringify(stats))).toEqual(stats);
    }
    reader.close();
    await log.close();
  });

  it('add up the latency of writes: least, mean and greatest, over those shards that wrote', async () => {
    const on = new LogOnMemory();
    const log = await on.open();
    const { shards } = await log.stream('s', { shards: 3 });
    const none = totalsOf(shards.map((shard) => shard.stats()));
    expect(none.write_latency_ms).toEqual({ min: 0, mean: 0, max: 0 });
    let takes_ms = 0;
    on.fileSystem.hook = (operation, path) => {
      if (operation === 'sync' && path.endsWith('.log')) on.clock.advance(takes_ms);
    };
    for (takes_ms of [10, 20, 60]) await appendDurably(shards[takes_ms === 60 ? 1 : 0]!, 'x');
    expect(totalsOf(shards.map((shard) => shard.stats()))).toMatchObject({
      commits: 3,
      write_latency_ms: { min: 10, mean: 30, max: 60 },
    });
    on.fileSystem.hook = (operation, path) => {
      if (operation === 'sync' && path.endsWith('.log')) throw systemError('EIO');
    };
    await expect(appendDurably(shards[2]!, 'y')).rejects.toThrow();
    expect(totalsOf(shards.map((shard) => shard.stats())).failedCommits).toBe(1);
    await log.close().catch(() => {});
  });
});
