// Row "append from a stream of chunks": one entry, all or nothing, in bounded memory.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { appendDurably, entry, openedOnMemory, readAll, textsOf } from './log_on_memory.ts';
import { settle } from './manual_clock.ts';

const KiB = 1024;

async function* chunksOf(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield entry(text);
}

describe('appendStream', () => {
  it('makes one entry of the chunks, also where the source uses their memory again', async () => {
    const { log, stream, shard } = await openedOnMemory();
    await appendDurably(shard, 'before');
    async function* reusing(): AsyncGenerator<Uint8Array> {
      const memory = Buffer.alloc(4);
      for (const text of ['abcd', 'efgh', 'ijkl']) {
        memory.write(text);
        yield memory;
      }
    }
    const offset = await shard.appendStream(reusing());
    await shard.durable(offset);
    expect(await shard.appendStream([entry('a'), entry('b')])).toBe(2);
    expect(await shard.appendStream(chunksOf())).toBe(3);
    await shard.durable(3);
    expect(await readAll((await stream.group('g')).reader(shard))).toEqual([
      { offset: 0, text: 'before' },
      { offset: 1, text: 'abcdefghijkl' },
      { offset: 2, text: 'ab' },
      { offset: 3, text: '' },
    ]);
    expect(log.stats().inFlight_bytes).toBe(0);
    await log.close();
  });

  it('holds any chunks of any size', async () => {
    const { log, stream, shard } = await openedOnMemory();
    const reader = (await stream.group('g')).reader(shard);
    const sizes = fc.array(fc.oneof(fc.nat(10), fc.nat(300 * KiB)), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(sizes, async (lengths) => {
        const chunks = lengths.map((length, index) => Buffer.alloc(length, index));
        await shard.durable(await shard.appendStream(chunks));
        const batch = await reader.read({ wait_ms: 0 });
        expect(Buffer.concat(chunks).equals(batch!.entries[0]!)).toBe(true);
        expect(batch!.entries).toHaveLength(1);
        batch!.release();
      }),
      { numRuns: 30 },
    );
    await log.close();
  });

  it('appends nothing where the source fails, and gives the memory back', async () => {
    const { log, shard } = await openedOnMemory();
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(100 * KiB);
      throw new Error('the client went away');
    }
    await expect(shard.appendStream(failing())).rejects.toThrow('the client went away');
    expect(shard.logEnd).toBe(0);
    expect(log.stats()).toMatchObject({ inFlight_bytes: 0, pool: { in_use_bytes: 0 } });
    await log.close();
  });

  it('ends a source that gives too much for one entry', async () => {
    const { log, shard } = await openedOnMemory({ entryMax_bytes: 10 * KiB });
    let given = 0;
    let ended = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          given += KiB;
          yield Buffer.alloc(KiB);
        }
      } finally {
        ended = true;
      }
    }
    await expect(shard.appendStream(endless())).rejects.toMatchObject({ code: 'HF_BUFFER_ENTRY_TOO_LARGE' });
    expect([given, ended]).toEqual([11 * KiB, true]);
    expect(log.stats().inFlight_bytes).toBe(0);
    await log.close();
  });

  it('counts as in flight while it is gathered: many at a time are refused, one alone may be as large as an entry', async () => {
    const { log, shard } = await openedOnMemory({ inFlightMax_bytes: 513 * KiB });
    const open: (() => void)[] = [];
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(64 * KiB);
      await new Promise<void>((resolve) => open.push(resolve));
    }
    const gathering = Array.from({ length: 12 }, () => shard.appendStream(slow()));
    const settled = Promise.allSettled(gathering);
    await settle();
    expect(log.stats().inFlight_bytes).toBeLessThanOrEqual(513 * KiB);
    for (const end of open) end();
    const outcomes = await settled;
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused).toHaveLength(4);
    for (const { reason } of refused) expect(reason).toMatchObject({ code: 'HF_BUFFER_FULL' });
    await shard.durable(shard.logEnd - 1);
    const large = Array.from({ length: 40 }, () => Buffer.alloc(64 * KiB));
    await shard.durable(await shard.appendStream(large));
    expect(log.stats().inFlight_bytes).toBe(0);
    await log.close();
  });

  it('fails at once where the log is closed', async () => {
    const { log, shard } = await openedOnMemory();
    await log.close();
    await expect(shard.appendStream(chunksOf('x'))).rejects.toMatchObject({ code: 'HF_BUFFER_CLOSED' });
  });
});

describe('stream.append', () => {
  it('puts all entries of a key into its shard, and says where', async () => {
    const { log } = await openedOnMemory();
    const stream = await log.stream('keyed', { shards: 4 });
    const group = await stream.group('g');
    for (const key of ['host-1', 'host-2', 'host-1']) {
      const { shard, offset } = stream.append(key, [entry(`${key} a`), entry(`${key} b`)]);
      expect(shard).toBe(stream.shardOf(key));
      await shard.durable(offset + 1);
    }
    const batch = await group.reader(stream.shardOf('host-1')).read({ wait_ms: 0 });
    const own = textsOf(batch!).filter(({ text }) => text.startsWith('host-1'));
    expect(own.map(({ text }) => text)).toEqual(['host-1 a', 'host-1 b', 'host-1 a', 'host-1 b']);
    batch!.release();
    await log.close();
  });
});
