// Rows "zero-copy reads with reference-counted leases, and an error when a lease is used after release" and "safe reads
// chosen by size".

import { describe, expect, it } from '@jest/globals';
import { LeaseReleased } from '../../buffer/errors.ts';
import type { Shard } from '../../buffer/shard.ts';
import { appendDurably, entry, openedOnMemory, textsOf } from './log_on_memory.ts';

/** Writes over every block that the pool may lend: what is not held by a lease does not survive it. */
function overwrite(shard: Shard): void {
  const { pool } = shard.parts;
  const blocks = Array.from({ length: 40 }, () => pool.acquire(1));
  for (const block of blocks) {
    block.memory.fill(0xee);
    block.release();
  }
}

describe('a lease', () => {
  it('keeps the memory until its last reference is released', async () => {
    const { log, stream, shard } = await openedOnMemory();
    const reader = (await stream.group('g')).reader(shard);
    await appendDurably(shard, 'one', 'two');
    const batch = (await reader.read())!;
    batch.retain();
    batch.retain();
    batch.release();
    batch.release();
    reader.close();
    await log.close();
    overwrite(shard);
    expect(textsOf(batch).map((one) => one.text)).toEqual(['one', 'two']);
    expect(shard.parts.leases.stats()).toEqual({ open: 1, leaked: 0 });
    batch.release();
    expect(shard.parts.leases.stats()).toEqual({ open: 0, leaked: 0 });
    expect(shard.parts.pool.stats().in_use_bytes).toBe(0);
  });

  it('that was released throws instead of showing reused memory: on use, on retain, on another release', async () => {
    const { log, stream, shard } = await openedOnMemory();
    await appendDurably(shard, 'a');
    const batch = (await (await stream.group('g')).reader(shard).read())!;
    batch.release();
    for (const misuse of [() => batch.entries, () => batch.retain(), () => batch.release()]) {
      expect(misuse).toThrow(LeaseReleased);
    }
    expect([batch.first, batch.next, batch.bytes]).toEqual([0, 1, 1]);
    await log.close();
    expect(shard.parts.pool.stats().in_use_bytes).toBe(0);
  });
});

describe('a safe read', () => {
  const large = Buffer.alloc(100_000, 7);

  it.each([0, 8 * 1024 * 1024])(
    'copies small entries and leaves large ones under a lease (hot tail of %d bytes)',
    async (hotTail_bytes) => {
      const { log, stream, shard } = await openedOnMemory({ hotTail_bytes });
      const reader = (await stream.group('g')).reader(shard);
      shard.append([entry('small'), entry('too')]);
      shard.append([large]);
      await shard.durable(shard.append([entry('last')]));
      const batch = (await reader.read({ safe: 4096 }))!;
      expect(batch.offsets).toEqual([0, 1, 2, 3]);
      const [small, too, view, last] = batch.entries;
      expect(Buffer.compare(view!, large)).toBe(0);
      expect(log.stats().leases.open).toBe(1);
      batch.release();
      reader.close();
      await log.close();
      overwrite(shard);
      expect([small, too, last].map((one) => Buffer.from(one!).toString())).toEqual(['small', 'too', 'last']);
      expect(() => batch.entries).toThrow(LeaseReleased);
    },
  );

  it('of everything holds no memory of the log, so its entries outlive release', async () => {
    const { log, stream, shard } = await openedOnMemory();
    const reader = (await stream.group('g')).reader(shard);
    await shard.durable(shard.append([entry('a'), large]) + 1);
    const batch = (await reader.read({ safe: true }))!;
    expect(log.stats().leases.open).toBe(0);
    batch.release();
    expect(() => batch.release()).toThrow(LeaseReleased);
    reader.close();
    await log.close();
    overwrite(shard);
    expect(Buffer.from(batch.entries[0]!).toString()).toBe('a');
    expect(Buffer.compare(batch.entries[1]!, large)).toBe(0);
  });

  it('goes on where another kind of read stopped within a frame, and the other way round', async () => {
    const { log, stream, shard } = await openedOnMemory({ hotTail_bytes: 0 });
    const reader = (await stream.group('g')).reader(shard);
    const texts = Array.from({ length: 60 }, (_, index) => `e${index}`);
    await appendDurably(shard, ...texts);
    const seen: string[] = [];
    for (let turn = 0; seen.length < texts.length; turn++) {
      const batch = (await reader.read({ maxEntries: 7, safe: [false, 100, true][turn % 3]! }))!;
      seen.push(...textsOf(batch).map((one) => one.text));
      batch.release();
    }
    expect(seen).toEqual(texts);
    reader.close();
    await log.close();
    expect(shard.parts.pool.stats().in_use_bytes).toBe(0);
  });
});
