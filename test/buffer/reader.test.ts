// Reading: hot and cold, from anywhere, waiting, and over damage; what is handed out stays until it is released.

import { describe, expect, it } from '@jest/globals';
import { LeaseMisuse, LogClosed, OffsetOutOfRange } from '../../buffer/errors.ts';
import type { Group } from '../../buffer/group.ts';
import type { Log } from '../../buffer/log.ts';
import type { Shard } from '../../buffer/shard.ts';
import { appendDurably, entry, LogOnMemory, readAll, textsOf } from './log_on_memory.ts';
import { settle } from './manual_clock.ts';
import { systemError } from './memory_file_system.ts';
import { frameOf, placesOf } from './written_segment.ts';

interface Opened {
  readonly on: LogOnMemory;
  readonly log: Log;
  readonly shard: Shard;
  readonly group: Group;
}

async function opened(options: Parameters<LogOnMemory['open']>[0] = {}): Promise<Opened> {
  const on = new LogOnMemory();
  const log = await on.open(options);
  const stream = await log.stream('s');
  return { on, log, shard: stream.shardOf(0), group: await stream.group('g') };
}

const numbered = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, index) => `e${from + index}`);
const SEGMENT = '/log/s/0/00000000000000000000.log';

describe('a reader', () => {
  it('that has caught up reads no disk', async () => {
    const { on, log, shard, group } = await opened();
    const reader = group.reader(shard);
    on.fileSystem.operations.length = 0;
    for (let round = 0; round < 20; round++) {
      await appendDurably(shard, `round ${round}`);
      expect((await readAll(reader)).map((one) => one.text)).toEqual([`round ${round}`]);
    }
    expect(on.fileSystem.count('read')).toBe(0);
    reader.close();
    await log.close();
  });

  it('that is far behind reads the disk, the same entries in the same order', async () => {
    const { on, log, shard, group } = await opened({ hotTail_bytes: 0 });
    const texts = numbered(3000);
    for (let at = 0; at < texts.length; at += 100) await appendDurably(shard, ...texts.slice(at, at + 100));
    const reader = group.reader(shard);
    const all = await readAll(reader);
    expect(all.map((one) => one.text)).toEqual(texts);
    expect(all.map((one) => one.offset)).toEqual(texts.map((_, index) => index));
    expect(on.fileSystem.count('read', '.log')).toBe(1);
    await log.close();
  });

  it('goes over the borders of segments, and from cold to hot', async () => {
    const { on, log, shard, group } = await opened({ segment: { maxBytes: 500 } });
    const slow = group.reader(shard);
    for (let commit = 0; commit < 60; commit++) await appendDurably(shard, ...numbered(5, 5 * commit));
    expect(shard.segments.length).toBeGreaterThan(5);
    const cold = group.reader(shard);
    expect((await readAll(cold)).map((one) => one.text)).toEqual(numbered(300));
    expect((await readAll(slow)).map((one) => one.text)).toEqual(numbered(300));
    await appendDurably(shard, 'new');
    expect((await readAll(cold)).map((one) => one.text)).toEqual(['new']);
    await log.close();
    await settle();
    expect(on.fileSystem.openFiles.size).toBe(0);
  });

  it('begins in the middle of a frame', async () => {
    const { log, shard, group } = await opened();
    await appendDurably(shard, ...numbered(50));
    await appendDurably(shard, ...numbered(50, 50));
    const reader = group.reader(shard);
    for (const offset of [0, 1, 49, 50, 51, 99, 17, 100]) {
      reader.seek(offset);
      expect((await readAll(reader)).map((one) => one.text)).toEqual(numbered(100).slice(offset));
    }
    await log.close();
  });

  it('seeks nowhere outside the log', async () => {
    const { log, shard, group } = await opened();
    await appendDurably(shard, 'a', 'b');
    const reader = group.reader(shard);
    for (const offset of [-1, 3, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => reader.seek(offset)).toThrow(OffsetOutOfRange);
    }
    expect(await readAll(reader)).toHaveLength(2);
    await log.close();
  });

  it('keeps to its limits, but hands out the first entry however large it is', async () => {
    const { log, shard, group } = await opened();
    shard.append([entry('small'), Buffer.alloc(5000, 1), entry('x'), entry('y')]);
    await shard.durable(3);
    const reader = group.reader(shard);
    const sizes: number[][] = [];
    for (let batch = await reader.read({ maxBytes: 100, wait_ms: 0 }); batch; ) {
      sizes.push(batch.entries.map((one) => one.length));
      expect(batch).toMatchObject({ first: batch.offsets[0], next: batch.offsets.at(-1)! + 1 });
      expect(batch.bytes).toBe(sizes.at(-1)!.reduce((sum, length) => sum + length, 0));
      batch.release();
      batch = await reader.read({ maxBytes: 100, wait_ms: 0 });
    }
    expect(sizes).toEqual([[5], [5000], [1, 1]]);
    reader.seek(0);
    for (const maxEntries of [1, 0, -1, Number.NaN]) {
      const batch = await reader.read({ maxEntries, wait_ms: 0 });
      expect(batch?.entries).toHaveLength(1);
      batch?.release();
    }
    await log.close();
  });

  it('tells when the first entry was appended', async () => {
    const { on, log, shard, group } = await opened();
    on.clock.wall_ms = 5000;
    shard.append([entry('a')]);
    on.clock.wall_ms = 5123;
    await appendDurably(shard, 'b');
    const reader = group.reader(shard);
    const first = await reader.read({ maxEntries: 1 });
    const second = await reader.read({ maxEntries: 1 });
    expect([first?.timestamp, second?.timestamp]).toEqual([5000, 5123]);
    first?.release();
    second?.release();
    await log.close();
  });

  it('never sees what is not durable yet', async () => {
    const { on, log, shard, group } = await opened();
    let letGo: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    on.fileSystem.hook = (operation, path) =>
      operation === 'sync' && path.endsWith('.log') ? held : undefined;
    const reader = group.reader(shard);
    const durable = shard.durable(shard.append([entry('a')]));
    await settle();
    expect(await reader.read({ wait_ms: 0 })).toBeUndefined();
    letGo();
    await durable;
    expect((await readAll(reader)).map((one) => one.text)).toEqual(['a']);
    await log.close();
  });
});

describe('waiting', () => {
  it('ends with the first entry', async () => {
    const { log, shard, group } = await opened();
    const reader = group.reader(shard);
    const reading = reader.read();
    await appendDurably(shard, 'a');
    const batch = await reading;
    expect(textsOf(batch!)).toEqual([{ offset: 0, text: 'a' }]);
    batch!.release();
    await log.close();
  });

  it('ends with nothing at its time, and leaves no timer where it ended before', async () => {
    const { on, log, shard, group } = await opened();
    const reader = group.reader(shard);
    // Once there was a commit, the timer of the disk's deadline stands.
    await appendDurably(shard, 'before');
    (await reader.read())!.release();
    const before = on.clock.pending;
    const reading = reader.read({ wait_ms: 500 });
    await settle();
    expect(on.clock.pending).toBe(before + 1);
    on.clock.advance(499);
    let ended = false;
    void reading.then(() => {
      ended = true;
    });
    await settle();
    expect(ended).toBe(false);
    on.clock.advance(1);
    expect(await reading).toBeUndefined();
    const next = reader.read({ wait_ms: 60_000 });
    await appendDurably(shard, 'a');
    (await next)!.release();
    expect(on.clock.pending).toBe(before);
    await log.close();
  });

  it('ends with nothing when it is aborted, and leaves no listener behind', async () => {
    const { log, shard, group } = await opened();
    const reader = group.reader(shard);
    const abort = new AbortController();
    const reading = reader.read({ signal: abort.signal });
    await settle();
    abort.abort();
    expect(await reading).toBeUndefined();
    expect(await reader.read({ signal: abort.signal })).toBeUndefined();
    await appendDurably(shard, 'a');
    expect((await readAll(reader)).length).toBe(1);
    await log.close();
  });

  it('ends with LogClosed when the reader or its log is closed', async () => {
    const { log, shard, group } = await opened();
    const one = group.reader(shard);
    const two = group.reader(shard);
    const [readingOne, readingTwo] = [one.read(), two.read()];
    const closedOne = expect(readingOne).rejects.toBeInstanceOf(LogClosed);
    const closedTwo = expect(readingTwo).rejects.toBeInstanceOf(LogClosed);
    await settle();
    one.close();
    one.close();
    await closedOne;
    await expect(one.read()).rejects.toBeInstanceOf(LogClosed);
    expect(shard.stats().readers).toBe(1);
    await log.close();
    await closedTwo;
    await expect(two.read()).rejects.toBeInstanceOf(LogClosed);
  });

  it('ends with what a seek leads to', async () => {
    const { log, shard, group } = await opened();
    await appendDurably(shard, 'a', 'b');
    const reader = group.reader(shard);
    await readAll(reader);
    const reading = reader.read();
    await settle();
    reader.seek(1);
    const batch = await reading;
    expect(textsOf(batch!)).toEqual([{ offset: 1, text: 'b' }]);
    batch!.release();
    await log.close();
  });

  it('is for one at a time', async () => {
    const { log, shard, group } = await opened();
    const reader = group.reader(shard);
    const reading = reader.read();
    const closed = expect(reading).rejects.toBeInstanceOf(LogClosed);
    await expect(reader.read({ wait_ms: 0 })).rejects.toBeInstanceOf(LeaseMisuse);
    reader.close();
    await closed;
    await log.close();
  });
});

describe('a batch', () => {
  it('keeps its memory until it is released, whatever is read, appended or closed meanwhile', async () => {
    const { log, shard, group } = await opened();
    const reader = group.reader(shard);
    await appendDurably(shard, 'stays');
    const batch = await reader.read();
    for (let round = 0; round < 30; round++) {
      shard.append([Buffer.alloc(60_000, round)]);
      await shard.durable(shard.logEnd - 1);
      for (let other = await reader.read({ wait_ms: 0 }); other; other = await reader.read({ wait_ms: 0 }))
        other.release();
    }
    reader.close();
    await log.close();
    expect(textsOf(batch!)).toEqual([{ offset: 0, text: 'stays' }]);
    batch!.release();
    expect(shard.parts.pool.stats().in_use_bytes).toBe(0);
  });
});

describe('closing a reader while it reads', () => {
  it('leaves its file to the read that is under way, then lets go of file and memory', async () => {
    const { on, log, shard, group } = await opened({ hotTail_bytes: 0 });
    await appendDurably(shard, ...numbered(10));
    let letGo: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    on.fileSystem.hook = (operation) => (operation === 'read' ? held : undefined);
    const reader = group.reader(shard);
    const reading = reader.read();
    await settle();
    const closes = on.fileSystem.count('close', '.log');
    reader.close();
    await settle();
    expect(on.fileSystem.count('close', '.log')).toBe(closes);
    letGo();
    const batch = await reading;
    expect(batch?.entries.length).toBe(10);
    batch?.release();
    await settle();
    expect(on.fileSystem.count('close', '.log')).toBe(closes + 1);
    await log.close();
    expect(shard.parts.pool.stats().in_use_bytes).toBe(0);
    expect(shard.account().quarantined).toBe(0);
  });

  it('seeking meanwhile takes effect with the next read and counts nothing as lost', async () => {
    const { on, log, shard, group } = await opened({ hotTail_bytes: 0, segment: { maxBytes: 300 } });
    for (let commit = 0; commit < 20; commit++) await appendDurably(shard, ...numbered(5, 5 * commit));
    const reader = group.reader(shard);
    let held = 0;
    on.fileSystem.hook = async (operation, path) => {
      if (!path.endsWith('.log') || (operation !== 'read' && operation !== 'open') || held++ > 20) return;
      reader.seek((held * 7) % 100);
      await Promise.resolve();
    };
    for (let round = 0; round < 10; round++) {
      const batch = await reader.read({ wait_ms: 0, maxEntries: 7 });
      for (const { offset, text } of textsOf(batch!)) expect(text).toBe(`e${offset}`);
      batch!.release();
    }
    expect(shard.account()).toMatchObject({ quarantined: 0, retained: 100 });
    await log.close();
  });
});

describe('a file whose descriptor was closed to make room', () => {
  const MiB = 1024 * 1024;

  /** A reader within a segment of two entries, whose file has to be opened again to read on. */
  async function evicted(meanwhile: (opened: Opened) => Promise<void>) {
    const all = await opened({
      files: { maxOpen: 8 },
      hotTail_bytes: 0,
      segment: { maxBytes: 4 * MiB },
    });
    const { on, log, shard, group } = all;
    for (let index = 0; index < 6; index++) {
      await shard.durable(shard.append([Buffer.alloc(1.5 * MiB, index)]));
    }
    const reader = group.reader(shard);
    (await reader.read({ maxEntries: 1 }))!.release();
    const others = (await log.stream('others', { shards: 20 })).shards;
    await Promise.all(others.map((one) => appendDurably(one, 'x')));
    let done = false;
    on.fileSystem.hook = (operation, path) => {
      if (done || operation !== 'open' || path !== SEGMENT) return;
      done = true;
      return meanwhile(all);
    };
    return { ...all, reader };
  }

  it('and that retention then took is passed: what was in it is accounted for', async () => {
    const { log, shard, reader } = await evicted(async ({ group, shard, log }) => {
      void group.commit(shard, 4);
      await log.retain();
    });
    const batch = await reader.read({ wait_ms: 0 });
    expect(batch?.offsets).toEqual([4]);
    batch?.release();
    expect(shard.account()).toMatchObject({ deletedConsumed: 4, quarantined: 0 });
    await log.close();
  });

  it('and that is gone without a reason costs what it held', async () => {
    const { log, shard, reader } = await evicted(async ({ on }) => on.disk.remove(SEGMENT));
    const batch = await reader.read({ wait_ms: 0 });
    expect(batch?.offsets).toEqual([2]);
    batch?.release();
    expect(shard.account()).toMatchObject({ quarantined: 1, retained: 5 });
    await log.close();
  });
});

describe('damage that a reader meets', () => {
  it('costs the one frame that holds the byte, whichever byte it is, and is counted exactly and for good', async () => {
    const source = await opened();
    for (let commit = 0; commit < 6; commit++) await appendDurably(source.shard, ...numbered(3, 3 * commit));
    await source.log.close();
    const whole = Buffer.from(source.on.disk.bytes(SEGMENT));
    const frames = placesOf(whole);
    for (let at = 0; at < whole.length; at += 1) {
      const on = source.on.killed();
      const log = await on.open();
      on.disk.bytes(SEGMENT)[at]! ^= 0x20;
      const stream = await log.stream('s');
      const shard = stream.shardOf(0);
      const hit = frameOf(frames, at);
      const all = await readAll((await stream.group('g')).reader(shard));
      const expected = numbered(18).filter((_, offset) => offset < hit.from || offset >= hit.to);
      expect(all.map((one) => one.text)).toEqual(expected);
      const account = { appended: 18, retained: 15, quarantined: 3, failed: 0 };
      expect(shard.account()).toMatchObject(account);
      await log.close();
      const again = await on.open();
      expect((await again.stream('s')).shardOf(0).account()).toMatchObject(account);
      await again.close();
    }
  });

  it('is counted once by any number of readers, whose lag falls to nothing', async () => {
    const { on, log, shard, group } = await opened();
    for (let commit = 0; commit < 4; commit++) await appendDurably(shard, ...numbered(3, 3 * commit));
    on.disk.bytes(SEGMENT)[placesOf(on.disk.bytes(SEGMENT))[3]!.position + 45]! ^= 1;
    for (let round = 0; round < 3; round++) expect(await readAll(group.reader(shard))).toHaveLength(9);
    expect(shard.account()).toMatchObject({ appended: 12, retained: 9, quarantined: 3 });
    void group.commit(shard, 9);
    expect(group.lag(shard)).toEqual({ entries: 0, bytes: 0, age_ms: 0 });
    await log.close();
  });

  it('as a segment that is gone or cut off costs what it held, and the rest is read', async () => {
    for (const harm of ['gone', 'empty', 'cut'] as const) {
      const { on, log, shard, group } = await opened({ segment: { maxBytes: 200 } });
      for (let commit = 0; commit < 12; commit++) await appendDurably(shard, ...numbered(3, 3 * commit));
      const hit = shard.segments[1]!;
      const path = shard.segmentPath(hit);
      if (harm === 'gone') await on.disk.remove(path);
      else on.disk.replace(path, on.disk.bytes(path).subarray(0, harm === 'cut' ? 10 : 0));
      const all = await readAll(group.reader(shard));
      expect(all.map((one) => one.offset)).toEqual(
        Array.from({ length: 36 }, (_, offset) => offset).filter(
          (offset) => offset < hit.base || offset >= hit.end,
        ),
      );
      expect(shard.account()).toMatchObject({ appended: 36, quarantined: hit.end - hit.base });
      await log.close();
    }
  });

  it('is told from a disk that cannot be read just now: that is thrown, and nothing is counted', async () => {
    const { on, log, shard, group } = await opened({ hotTail_bytes: 0 });
    await appendDurably(shard, 'a', 'b');
    const reader = group.reader(shard);
    let failures = 2;
    on.fileSystem.hook = (operation) => {
      if (operation === 'read' && failures-- > 0) throw systemError('EIO');
    };
    await expect(reader.read()).rejects.toThrow('EIO');
    await expect(reader.read()).rejects.toThrow('EIO');
    expect((await readAll(reader)).map((one) => one.text)).toEqual(['a', 'b']);
    expect(shard.account().quarantined).toBe(0);
    await log.close();
    expect(shard.parts.pool.stats().in_use_bytes).toBe(0);
  });
});
