// Row "durability fsync | interval | os with its window stated": when an answer comes, what is synced by then, and that
// nothing on disk claims more.

import { describe, expect, it } from '@jest/globals';
import { FRAME_HEADER_BYTES, readFrameHeader } from '../../buffer/frame.ts';
import type { Durability, LogOptions } from '../../buffer/index.ts';
import { appendDurably, entry, type LogOnMemory, openedOnMemory, readAll } from './log_on_memory.ts';
import { settle } from './manual_clock.ts';
import { systemError } from './memory_file_system.ts';

const SEGMENT = '/log/s/0/00000000000000000000.log';

async function openedWith(durability: Durability, options: Partial<LogOptions> = {}) {
  const opened = await openedOnMemory({ durability, ...options });
  const { on } = opened;
  return { ...opened, syncs: () => on.fileSystem.count('sync', '.log') };
}

/** The watermark in the header of every frame of the segment. */
function watermarks(on: LogOnMemory, key: Parameters<typeof readFrameHeader>[2]): number[] {
  const bytes = on.disk.bytes(SEGMENT);
  const found: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const header = readFrameHeader(bytes, at, key)!;
    found.push(header.watermark);
    at += FRAME_HEADER_BYTES + header.bodyBytes;
  }
  return found;
}

describe('durability', () => {
  it.each([
    ['fsync', 3],
    ['interval', 0],
    ['os', 0],
  ] as const)('%s answers three commits after %d syncs', async (durability, expected) => {
    const { log, shard, stream, syncs } = await openedWith(durability);
    for (const text of ['a', 'b', 'c']) await appendDurably(shard, text);
    expect(syncs()).toBe(expected);
    const reader = (await stream.group('g', { start: 'earliest' })).reader(shard);
    expect((await readAll(reader)).map((one) => one.text)).toEqual(['a', 'b', 'c']);
    await log.close();
    expect(syncs()).toBeGreaterThan(0);
  });

  it('interval syncs what was written when its time has come, once, and leaves no timer', async () => {
    const { on, log, shard, syncs } = await openedWith('interval', { commit: { syncInterval_ms: 50 } });
    await appendDurably(shard, 'a');
    await appendDurably(shard, 'b');
    on.clock.advance(49);
    await settle();
    expect(syncs()).toBe(0);
    on.clock.advance(1);
    await settle();
    expect(syncs()).toBe(1);
    on.clock.advance(1000);
    await settle();
    expect(syncs()).toBe(1);
    await appendDurably(shard, 'c');
    await log.close();
    expect(syncs()).toBe(2);
    expect(on.clock.pending).toBe(0);
  });

  it.each(['interval', 'os'] as const)('%s syncs at once where sync() asks for it', async (durability) => {
    const { log, shard, syncs } = await openedWith(durability);
    await appendDurably(shard, 'a');
    shard.append([entry('b')]);
    await log.sync();
    expect([shard.highWatermark, syncs()]).toEqual([2, 1]);
    await log.sync();
    expect(syncs()).toBe(1);
    await log.close();
  });

  it('writes no watermark into a frame that is not synced', async () => {
    const { on, log, shard } = await openedWith('os');
    for (const text of ['a', 'b', 'c']) await appendDurably(shard, text);
    await shard.sync();
    await appendDurably(shard, 'd');
    await appendDurably(shard, 'e');
    expect(watermarks(on, shard.ledger.key)).toEqual([0, 0, 0, 3, 3]);
    await shard.writeLedger();
    expect(shard.ledger.watermark).toBe(3);
    await log.close();
  });

  it('syncs entries before the offset of a group that is past them', async () => {
    const { on, log, stream, shard } = await openedWith('os', { segment: { maxBytes: 100 } });
    const group = await stream.group('g');
    await appendDurably(shard, 'a', 'b');
    const from = on.fileSystem.operations.length;
    void group.commit(shard, 2);
    await group.flush();
    const syncs = on.fileSystem.operations
      .slice(from)
      .filter((one) => one.operation === 'sync')
      .map((one) => one.path.slice(one.path.lastIndexOf('/') + 1));
    expect(syncs).toEqual([expect.stringMatching(/\.log$/), expect.stringMatching(/^offsets/)]);
    await log.close();
  });

  it('syncs a segment before the next one begins: recovery takes what is below a base for durable', async () => {
    const { on, log, shard, syncs } = await openedWith('os', { segment: { maxBytes: 100 } });
    for (const text of ['a', 'b', 'c', 'd']) await appendDurably(shard, text.repeat(30));
    expect(shard.segments.length).toBeGreaterThan(1);
    expect(syncs()).toBe(shard.segments.length - 1);
    const again = await openedOnMemory({}, on.killed());
    expect(again.shard.account()).toMatchObject({ appended: 4, retained: 4 });
    await again.log.close();
    await log.close();
  });

  it.each(['interval', 'os'] as const)('%s loses nothing to a kill', async (durability) => {
    const { on, log, shard } = await openedWith(durability);
    await appendDurably(shard, 'a', 'b');
    const again = await openedOnMemory({}, on.killed());
    const reader = (await again.stream.group('g')).reader(again.shard);
    expect((await readAll(reader)).map((one) => one.text)).toEqual(['a', 'b']);
    await again.log.close();
    await log.close();
  });

  it('has no account that claims what a power cut took: it was in the window, and its offsets are free again', async () => {
    const { on, log, shard } = await openedWith('os');
    await appendDurably(shard, 'synced');
    await log.sync();
    const synced_bytes = on.disk.bytes(SEGMENT).length;
    await appendDurably(shard, 'in the window');
    const cut = on.killed();
    cut.disk.replace(SEGMENT, cut.disk.bytes(SEGMENT).subarray(0, synced_bytes));
    const again = await openedOnMemory({}, cut);
    expect(again.shard.account()).toMatchObject({ appended: 1, retained: 1, quarantined: 0, failed: 0 });
    expect(again.shard.highWatermark).toBe(1);
    await again.log.close();
    await log.close();
  });

  it('that cannot sync says so, gives the file up, never syncs it again, and goes on in another', async () => {
    const { on, log, stream, shard } = await openedWith('interval', { commit: { syncInterval_ms: 50 } });
    await appendDurably(shard, 'at risk');
    const handles: (number | undefined)[] = [];
    on.fileSystem.hook = (operation, path, handle) => {
      if (operation !== 'sync' || !path.endsWith('.log')) return;
      handles.push(handle);
      if (handles.length === 1) throw systemError('EIO');
    };
    on.clock.advance(50);
    await settle();
    expect(on.reports.map((one) => one.message).join()).toContain('a sync failed');
    expect(shard.failure).toBeDefined();
    await expect(shard.sync()).rejects.toThrow('EIO');
    expect(handles).toHaveLength(1);
    on.clock.advance(1000);
    await appendDurably(shard, 'after');
    await shard.sync();
    expect(new Set(handles).size).toBe(2);
    expect(shard.failure).toBeUndefined();
    const reader = (await stream.group('g')).reader(shard);
    expect((await readAll(reader)).map((one) => one.text)).toEqual(['at risk', 'after']);
    await log.close();
    // The segment that was given up is read again, and what it lacks would be counted: the next one vouches for its end.
    const cut = on.killed();
    cut.disk.replace(SEGMENT, Buffer.alloc(0));
    const again = await openedOnMemory({}, cut);
    expect(again.shard.account()).toMatchObject({ appended: 2, retained: 1, quarantined: 1 });
    await again.log.close();
  });

  it('that could not sync takes appends again, however often offsets ask for what was lost', async () => {
    const { on, log, stream, shard } = await openedWith('interval', { commit: { syncInterval_ms: 50 } });
    const group = await stream.group('g');
    for (let index = 0; index < 9; index++) await appendDurably(shard, `at risk ${index}`);
    failNextSync(on);
    on.clock.advance(50);
    await settle();
    for (let next = 1; next < 9; next++) {
      void group.commit(shard, next);
      on.clock.advance(1000);
      await settle();
    }
    expect(shard.append([entry('after')])).toBe(9);
    await shard.durable(9);
    expect(on.reports.filter((one) => one.message.includes('a sync failed'))).toHaveLength(1);
    await log.close();
  });

  it.each(['roll', 'seal'] as const)('that cannot sync before a %s says so too', async (occasion) => {
    const { on, log, stream, shard } = await openedWith('os', { segment: { maxBytes: 100 } });
    const group = await stream.group('g');
    await appendDurably(shard, 'at risk');
    failNextSync(on);
    if (occasion === 'roll') {
      await expect(appendDurably(shard, 'x'.repeat(90))).rejects.toMatchObject({
        code: 'HF_BUFFER_COMMIT_FAILED',
      });
    } else {
      void group.commit(shard, 1).catch(() => {});
      on.clock.advance(2 * 3_600_000);
      await log.retain();
    }
    on.clock.advance(10_000);
    await appendDurably(shard, 'after');
    const told = on.reports.filter((one) => one.message.includes('a sync failed'));
    expect(told.map((one) => one.fields['entries'])).toEqual([1]);
    await log.close();
  });
});

function failNextSync(on: LogOnMemory): void {
  let failed = false;
  on.fileSystem.hook = (operation, path) => {
    if (failed || operation !== 'sync' || !path.endsWith('.log')) return;
    failed = true;
    throw systemError('EIO');
  };
}
