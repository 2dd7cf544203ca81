// Row "reason and latency of each switch and of skipped ones; order kept", and "metrics: switches by reason, switch
// latency, skips, fill at switch, writes by result".

import { describe, expect, it } from '@jest/globals';
import { LogClosed, LogFull } from '../../buffer/errors.ts';
import { entry, openedOnMemory, readAll } from './log_on_memory.ts';
import { settle } from './manual_clock.ts';

const COST_BYTES = 10;

describe('switches of blocks', () => {
  it('are counted by their reason, with how long the first entry waited and how full the block was', async () => {
    const commit = { linger_ms: 100, switchBytes: 1000 };
    const { on, log, stream, shard } = await openedOnMemory({ commit });
    const reader = (await stream.group('g')).reader(shard);
    const time = shard.durable(shard.append([entry('by time')]));
    await settle();
    expect(shard.stats().switches.skipped).toEqual({ busy: 0, lingering: 1 });
    on.clock.advance(99);
    await settle();
    expect(shard.highWatermark).toBe(0);
    on.clock.advance(1);
    await time;
    await shard.durable(shard.append([Buffer.alloc(2000)]));
    const weighted = shard.durable(shard.append([Buffer.alloc(700 - COST_BYTES)]));
    await settle();
    on.clock.advance(20);
    await weighted;
    const asked = shard.append([entry('asked')]);
    await shard.sync();
    expect(shard.highWatermark).toBe(asked + 1);
    const { reasons, skipped, latency_ms, fill_bytes } = shard.stats().switches;
    expect(reasons).toEqual({ idle: 0, joined: 0, size: 1, time: 1, weighted: 1, asked: 1 });
    expect(skipped).toEqual({ busy: 0, lingering: 2 });
    expect(latency_ms).toEqual({ min: 0, mean: 30, max: 100 });
    expect(fill_bytes).toMatchObject({ min: 5 + COST_BYTES, max: 2000 + COST_BYTES });
    expect((await readAll(reader)).map((one) => one.offset)).toEqual([0, 1, 2, 3]);
    await log.close();
    expect(on.clock.pending).toBe(0);
  });

  it('that are due while a commit is under way are put off, and counted; order is kept', async () => {
    const { on, log, stream, shard } = await openedOnMemory();
    let letGo: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    on.fileSystem.hook = (operation, path) =>
      operation === 'sync' && path.endsWith('.log') ? held : undefined;
    shard.append([entry('e0')]);
    await settle();
    for (let index = 1; index < 100; index++) shard.append([entry(`e${index}`)]);
    letGo();
    await shard.durable(99);
    expect(shard.stats().switches).toMatchObject({
      reasons: { idle: 2 },
      skipped: { busy: 1, lingering: 0 },
    });
    const all = await readAll((await stream.group('g')).reader(shard));
    expect(all.map((one) => one.text)).toEqual(Array.from({ length: 100 }, (_, index) => `e${index}`));
    await log.close();
  });

  it('begin at once when the log is closed, although company was expected', async () => {
    const { on, log, shard } = await openedOnMemory({ commit: { linger_ms: 1000 } });
    const durable = shard.durable(shard.append([entry('a')]));
    await settle();
    const closing = log.close();
    await durable;
    await closing;
    expect(shard.stats().switches.reasons.asked).toBe(1);
    expect(on.clock.pending).toBe(0);
    expect(log.stats().inFlight_bytes).toBe(0);
  });

  it('wait for company while strangers come, and do not once nobody does', async () => {
    const { on, log, shard } = await openedOnMemory();
    const commitOf = async (strangers: number): Promise<void> => {
      let letGo: () => void = () => {};
      const held = new Promise<void>((resolve) => {
        letGo = resolve;
      });
      on.fileSystem.hook = (operation, path) =>
        operation === 'sync' && path.endsWith('.log') ? held : undefined;
      shard.append([entry('first')]);
      await settle();
      for (let stranger = 0; stranger < strangers; stranger++) shard.append([entry('stranger')]);
      on.clock.advance(1);
      on.fileSystem.hook = () => {};
      letGo();
      await settle();
      on.clock.advance(5);
      await settle();
      expect(shard.highWatermark).toBe(shard.logEnd);
    };
    for (let round = 0; round < 5; round++) await commitOf(1);
    expect(shard.stats().switches.skipped.lingering).toBeGreaterThan(0);
    // The commits of one who is alone take time too, and in that time nobody comes.
    for (let round = 0; round < 200; round++) await commitOf(0);
    const { lingering } = shard.stats().switches.skipped;
    const before = shard.stats().commits.commits;
    shard.append([entry('alone')]);
    await settle();
    expect(shard.stats().commits.commits).toBe(before + 1);
    expect(shard.stats().switches.skipped.lingering).toBe(lingering);
    await log.close();
  });

  it('stand beside writes by their result', async () => {
    const { on, log, shard } = await openedOnMemory({ inFlightMax_bytes: 200 });
    const first = shard.durable(shard.append([entry('taken')]));
    expect(() => shard.append([Buffer.alloc(500)])).toThrow(LogFull);
    expect(shard.stats().writes).toEqual({ accepted: 1, full: 1, closed: 0, failed: 0 });
    await first;
    on.fileSystem.hook = (operation, path) => {
      if (operation === 'sync' && path.endsWith('.log')) throw new Error('EIO');
    };
    await expect(shard.durable(shard.append([entry('failed')]))).rejects.toThrow('EIO');
    on.fileSystem.hook = () => {};
    await log.close();
    expect(() => shard.append([entry('late')])).toThrow(LogClosed);
    expect(shard.stats().writes).toEqual({ accepted: 2, full: 1, closed: 1, failed: 1 });
  });
});
