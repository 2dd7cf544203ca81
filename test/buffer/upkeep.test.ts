// What retention does to one shard: the log start moves over what is removed, and nowhere else.

import { describe, expect, it } from '@jest/globals';
import { appendDurably, entry, expectAccountsToAddUp, openedOnMemory, readAll } from './log_on_memory.ts';
import { systemError } from './memory_file_system.ts';

describe('a segment in which no commit ever succeeded', () => {
  // Simulator, seed 1774387: `retained` was -1 until a commit succeeded.
  it('goes without the log start passing the watermark', async () => {
    const { on, log, stream, shard } = await openedOnMemory();
    on.fileSystem.hook = (operation, path) => {
      if (operation === 'write' && path.endsWith('.log')) throw systemError('EIO');
    };
    for (let failing = 0; failing < 3; failing++) {
      await expect(shard.durable(shard.append([entry('refused')]))).rejects.toThrow();
      on.clock.advance(10_000);
    }
    await log.retain();
    expect(shard.logStart).toBeLessThanOrEqual(shard.highWatermark);
    expect(shard.account()).toMatchObject({ appended: 0, retained: 0 });
    expectAccountsToAddUp(log);
    on.fileSystem.hook = () => {};
    await appendDurably(shard, 'taken');
    expect((await readAll((await stream.group('g')).reader(shard))).map(({ text }) => text)).toEqual([
      'taken',
    ]);
    expectAccountsToAddUp(log);
    await log.close();
  });
});
