// Row "acknowledging one entry, a range, or out of order (the low watermark is what commits)".

import { describe, expect, it } from '@jest/globals';
import { AckWindowExceeded, LogClosed, OffsetOutOfRange, UnknownGroup } from '../../buffer/errors.ts';
import { appendDurably, openedOnMemory, readAll } from './log_on_memory.ts';

const letters = [...'abcdefghij'];

async function withGroup() {
  const opened = await openedOnMemory();
  await appendDurably(opened.shard, ...letters);
  return { ...opened, group: await opened.stream.group('g') };
}

describe('acknowledging', () => {
  it('one entry, a range, or out of order: the low watermark is what commits', async () => {
    const { log, shard, group } = await withGroup();
    const acked = (offset: number, next?: number): number => {
      group.ack(shard, offset, next);
      return group.committed(shard);
    };
    expect(acked(0)).toBe(1);
    expect(acked(3)).toBe(1);
    expect(acked(5, 8)).toBe(1);
    expect(acked(1, 3)).toBe(4);
    expect(acked(0)).toBe(4);
    expect(acked(4)).toBe(8);
    await log.close();
  });

  it('survives a crash as far as the low watermark: what was acknowledged above comes again', async () => {
    const { on, log, shard, group } = await withGroup();
    for (const offset of [1, 0, 9, 3]) group.ack(shard, offset);
    await group.flush();
    const killed = on.killed();
    const again = await openedOnMemory({}, killed);
    const reader = (await again.stream.group('g')).reader(again.shard);
    expect((await readAll(reader)).map((one) => one.text)).toEqual(letters.slice(2));
    await again.log.close();
    await log.close();
  });

  it('passes over offsets whose commit failed, which nobody can acknowledge', async () => {
    const { on, log, shard, group } = await withGroup();
    on.disk.capacity_bytes = on.disk.used_bytes;
    await expect(appendDurably(shard, 'x', 'y')).rejects.toThrow();
    on.disk.capacity_bytes = Number.POSITIVE_INFINITY;
    on.clock.advance(1000);
    const last = await appendDurably(shard, 'z');
    expect(last).toBeGreaterThan(letters.length);
    group.ack(shard, last);
    group.ack(shard, 0, letters.length);
    expect(group.committed(shard)).toBe(last + 1);
    await log.close();
  });

  it('joins what commit does: both count, and neither goes back', async () => {
    const { log, shard, group } = await withGroup();
    group.ack(shard, 5);
    void group.commit(shard, 5);
    group.ack(shard, 4);
    expect(group.committed(shard)).toBe(5);
    group.ack(shard, 5);
    expect(group.committed(shard)).toBe(6);
    await log.close();
  });

  it('is shared by all who opened the same group, and kept when its protection changes', async () => {
    const { log, stream, shard, group } = await withGroup();
    group.ack(shard, 1);
    const same = await stream.group('g', { protect: false });
    same.ack(shard, 0);
    expect(group.committed(shard)).toBe(2);
    await log.close();
  });

  it('is bounded: beyond the window it is refused with a typed error, and works again once the oldest is done', async () => {
    const { log, stream, shard } = await openedOnMemory();
    await appendDurably(shard, ...Array.from({ length: 40 }, (_, index) => `${index}`));
    const group = await stream.group('small', { ackWindow_entries: 32 });
    group.ack(shard, 1, 32);
    expect(() => group.ack(shard, 32)).toThrow(AckWindowExceeded);
    group.ack(shard, 0);
    group.ack(shard, 32);
    expect(group.committed(shard)).toBe(33);
    await log.close();
  });

  it('refuses offsets that are none, other groups and a closed log', async () => {
    const { log, stream, shard, group } = await withGroup();
    for (const [offset, next] of [[-1], [10], [0, 11], [1.5], [3, 3], [4, 2], [Number.NaN]] as const) {
      expect(() => group.ack(shard, offset, next)).toThrow(OffsetOutOfRange);
    }
    expect(group.committed(shard)).toBe(0);
    await stream.forgetGroup('g');
    expect(() => group.ack(shard, 0)).toThrow(UnknownGroup);
    const other = await stream.group('other');
    await log.close();
    expect(() => other.ack(shard, 0)).toThrow(LogClosed);
  });
});
