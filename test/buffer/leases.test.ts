// Row "leaked leases": a batch that nobody released is noticed, and its memory is not lent to somebody else.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { appendDurably, LogOnMemory } from './log_on_memory.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

describe('leases', () => {
  it('that were forgotten are counted and reported; a view that is left still shows its entry', async () => {
    const on = new LogOnMemory();
    const log = await on.open();
    const stream = await log.stream('s');
    const shard = stream.shardOf(0);
    const reader = (await stream.group('g')).reader(shard);
    await appendDurably(shard, 'kept');
    const forgetful = async (): Promise<Uint8Array> => (await reader.read())!.entries[0]!;
    const view = await forgetful();
    expect(log.stats().leases).toEqual({ open: 1, leaked: 0 });
    reader.close();
    // Finalizers run when the engine finds time: turns of the event loop are all that can be waited for.
    for (let turn = 0; turn < 1000 && log.stats().leases.leaked === 0; turn++) {
      collectGarbage();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(log.stats().leases).toEqual({ open: 0, leaked: 1 });
    expect(on.reports.filter((one) => one.message.includes('forgotten'))).toHaveLength(1);
    expect(log.stats().pool.in_use_bytes).toBe(0);
    for (let count = 0; count < 8; count++) shard.parts.pool.acquire(1).memory.fill(0xee);
    expect(Buffer.from(view).toString()).toBe('kept');
    await log.close();
  });
});
