// A broken invariant poisons its shard alone, for good, and says so; nothing of it is acknowledged or handed out.

import { afterEach, describe, expect, it } from '@jest/globals';
import { BlockPool } from '../../buffer/block_pool.ts';
import { Chain } from '../../buffer/chain.ts';
import { InvariantBroken, invariant, isBroken } from '../../buffer/invariant.ts';
import { SegmentWriter } from '../../buffer/segment_writer.ts';
import { appendDurably, entry, LogOnMemory, readAll } from './log_on_memory.ts';

const undo: (() => void)[] = [];
function mend(): void {
  for (const restore of undo.splice(0)) restore();
}
afterEach(mend);

/** Plants a mistake of ours, for as long as the test runs. */
function plant<T extends object, K extends keyof T>(target: T, name: K, mistake: T[K]): void {
  const original = target[name];
  target[name] = mistake;
  undo.push(() => {
    target[name] = original;
  });
}

async function twoShards(on = new LogOnMemory()) {
  const log = await on.open();
  const stream = await log.stream('s', { shards: 2 });
  return { on, log, stream, broken: stream.shards[0]!, healthy: stream.shards[1]! };
}

describe('a broken invariant', () => {
  it('is told from what the world does', () => {
    expect(() => invariant(false, 's/0', 'two and two')).toThrow(
      /^s\/0: two and two; this must never happen/,
    );
    expect(isBroken(new InvariantBroken('x'))).toBe(true);
    expect(isBroken(new TypeError('x is not a function'))).toBe(true);
    expect(isBroken(new RangeError('Array buffer allocation failed'))).toBe(false);
    expect(isBroken(Object.assign(new Error('EIO'), { code: 'EIO' }))).toBe(false);
  });

  it('in a commit poisons its shard alone: who waits is told, nothing is taken, health says so, the others go on', async () => {
    const { on, log, stream, broken, healthy } = await twoShards();
    const group = await stream.group('g');
    await appendDurably(broken, 'before');
    const { commit } = SegmentWriter.prototype;
    plant(SegmentWriter.prototype, 'commit', async function (this: SegmentWriter, blocks, bytes, ...rest) {
      // Counts more than it wrote.
      return commit.call(this, blocks, bytes + 1, ...rest);
    });
    const offset = broken.append([entry('lost')]);
    await expect(broken.durable(offset)).rejects.toMatchObject({ code: 'HF_BUFFER_INVARIANT_BROKEN' });
    mend();
    expect(() => broken.append([entry('more')])).toThrow(InvariantBroken);
    expect(() => broken.admit(1)).toThrow(InvariantBroken);
    await expect(broken.durable(offset)).rejects.toBeInstanceOf(InvariantBroken);
    await expect(group.reader(broken).read({ wait_ms: 0 })).rejects.toBeInstanceOf(InvariantBroken);
    expect([...log.failures().keys()]).toEqual(['s/0']);
    expect(on.reports).toContainEqual(
      expect.objectContaining({ level: 'error', message: 'the shard takes nothing any more' }),
    );
    await appendDurably(healthy, 'goes on');
    expect(await readAll(group.reader(healthy))).toEqual([{ offset: 0, text: 'goes on' }]);
    await log.close();
    const again = await twoShards(on);
    await appendDurably(again.broken, 'well again');
    const texts = (await readAll((await again.stream.group('h')).reader(again.broken))).map(
      ({ text }) => text,
    );
    // What was written and not acknowledged may be there, as after a deadline.
    expect(texts.filter((text) => text !== 'lost')).toEqual(['before', 'well again']);
    await again.log.close();
  });

  it('ends a read that waits', async () => {
    const { log, stream, broken } = await twoShards();
    const reading = (await stream.group('g')).reader(broken).read();
    broken.poison(new TypeError('cannot read properties of undefined'));
    await expect(reading).rejects.toThrow(
      /s\/0: cannot read properties of undefined; this must never happen/,
    );
    await log.close();
  });
});

describe('a batch that stops half-way for want of memory', () => {
  it('is not there at all, and takes with it only what waits in the same block', async () => {
    const { on, log, stream, broken: shard } = await twoShards();
    await appendDurably(shard, 'before');
    const neighbour = shard.append([entry('neighbour')]);
    const told = expect(shard.durable(neighbour)).rejects.toMatchObject({ code: 'HF_BUFFER_COMMIT_FAILED' });
    const { acquire } = BlockPool.prototype;
    let blocks = 0;
    plant(BlockPool.prototype, 'acquire', function (this: BlockPool, bytes) {
      blocks += 1;
      if (blocks > 1) throw new RangeError('Array buffer allocation failed');
      return acquire.call(this, bytes);
    });
    const large = Array.from({ length: 100 }, () => Buffer.alloc(50_000, 1));
    expect(() => shard.append(large)).toThrow(RangeError);
    await told;
    mend();
    expect(log.stats().inFlight_bytes).toBe(0);
    on.clock.advance(10_000);
    await appendDurably(shard, 'after');
    const texts = (await readAll((await stream.group('g')).reader(shard))).map(({ text }) => text);
    expect(texts).toEqual(['before', 'after']);
    expect(shard.account()).toMatchObject({ appended: 2, retained: 2 });
    await log.close();
  });

  it('is in the account on disk before anything passes it, also where another commit was under way and succeeded', async () => {
    const { on, log, broken: shard } = await twoShards();
    let letGo: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let syncs = 0;
    on.fileSystem.hook = (operation, path) => {
      if (operation !== 'sync' || !path.endsWith('.log')) return undefined;
      syncs += 1;
      return held;
    };
    const first = shard.append([entry('under way')]);
    const durable = shard.durable(first);
    while (syncs === 0) await new Promise((resolve) => setImmediate(resolve));
    const { acquire } = BlockPool.prototype;
    let blocks = 0;
    plant(BlockPool.prototype, 'acquire', function (this: BlockPool, bytes) {
      blocks += 1;
      if (blocks > 1) throw new RangeError('Array buffer allocation failed');
      return acquire.call(this, bytes);
    });
    expect(() => shard.append(Array.from({ length: 100 }, () => Buffer.alloc(50_000, 1)))).toThrow(
      RangeError,
    );
    mend();
    letGo();
    await durable;
    on.fileSystem.hook = () => undefined;
    await appendDurably(shard, 'after');
    // Its frame says that everything below was durable, or is known to have failed.
    await appendDurably(shard, 'and then');
    const twin = await twoShards(on.killed());
    expect(twin.broken.account()).toMatchObject({ appended: 3, retained: 3, quarantined: 0 });
    await twin.log.close();
    await log.close();
  });

  it('is a mistake of ours where the chain itself throws', async () => {
    const { log, broken } = await twoShards();
    plant(Chain.prototype, 'appendBatch', () => {
      throw new TypeError('x is undefined');
    });
    expect(() => broken.append([entry('a')])).toThrow(TypeError);
    expect(() => broken.append([entry('a')])).toThrow(InvariantBroken);
    await log.close();
  });
});
