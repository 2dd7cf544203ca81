// Group commit through a log whose disk is watched: one sync serves all, failures are answered, nothing is synced twice.

import { describe, expect, it } from '@jest/globals';
import { CommitFailed, CommitTimeout, LogClosed, LogFull } from '../../buffer/errors.ts';
import type { Log } from '../../buffer/log.ts';
import type { Shard } from '../../buffer/shard.ts';
import { appendDurably, entry, LogOnMemory, readAll } from './log_on_memory.ts';
import { settle } from './manual_clock.ts';
import { systemError } from './memory_file_system.ts';

interface Opened {
  readonly on: LogOnMemory;
  readonly log: Log;
  readonly shard: Shard;
}

async function opened(on = new LogOnMemory()): Promise<Opened> {
  const log = await on.open();
  const shard = (await log.stream('s')).shardOf(0);
  return { on, log, shard };
}

const isSegment = (path: string): boolean => path.endsWith('.log');

/** Refuses the next `times` operations of that kind on segments, and says on which handles. */
function failSegments(on: LogOnMemory, failing: 'sync' | 'write', code: string, times = 1): number[] {
  const handles: number[] = [];
  on.fileSystem.hook = (operation, path, handle) => {
    if (operation !== failing || !isSegment(path) || handles.length >= times) return;
    handles.push(handle);
    throw systemError(code);
  };
  return handles;
}

/** Holds every sync of a segment back until the returned function is called. */
function holdSyncs(on: LogOnMemory): () => void {
  let letGo: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  on.fileSystem.hook = (operation, path) => (operation === 'sync' && isSegment(path) ? held : undefined);
  return letGo;
}

describe('a commit', () => {
  it('serves all that was appended in one turn with one sync and one promise', async () => {
    const { on, log, shard } = await opened();
    await appendDurably(shard, 'first');
    const before = on.fileSystem.count('sync', '.log');
    const offsets = Array.from({ length: 500 }, (_, index) => shard.append([entry(`e${index}`)]));
    const promises = new Set(offsets.map((offset) => shard.durable(offset)));
    expect(promises.size).toBe(1);
    await Promise.all(promises);
    expect(on.fileSystem.count('sync', '.log') - before).toBe(1);
    expect(shard.highWatermark).toBe(501);
    await log.close();
  });

  it('takes what comes while another is under way into the next, all of it', async () => {
    const { on, log, shard } = await opened();
    const letGo = holdSyncs(on);
    const first = shard.append([entry('first')]);
    const firstDurable = shard.durable(first);
    await settle();
    const later = Array.from({ length: 100 }, () => shard.append([entry('later')]));
    const laterDurable = shard.durable(later.at(-1)!);
    expect(laterDurable).not.toBe(firstDurable);
    await settle();
    expect(shard.highWatermark).toBe(0);
    letGo();
    await firstDurable;
    await laterDurable;
    expect(on.fileSystem.count('sync', '.log')).toBe(2);
    expect(shard.stats().commits).toMatchObject({ commits: 2, entries: 101, failures: 0 });
    await log.close();
  });

  it('syncs the directory of a new segment before anybody is answered', async () => {
    const { on, log, shard } = await opened();
    on.fileSystem.operations.length = 0;
    await appendDurably(shard, 'a');
    const done = on.fileSystem.operations
      .filter((one) => one.path.startsWith('/log/s/0'))
      .map((one) => one.operation);
    expect(done).toEqual(['open', 'syncDirectory', 'write', 'sync']);
    await log.close();
  });

  it('goes on where the disk writes fewer bytes than it was given', async () => {
    const { on, log, shard } = await opened();
    const original = on.fileSystem.open.bind(on.fileSystem);
    on.fileSystem.open = async (path, mode) => {
      const file = await original(path, mode);
      const write = file.write.bind(file);
      file.write = (bytes, position) => write(bytes.subarray(0, Math.max(1, bytes.length >>> 1)), position);
      return file;
    };
    await appendDurably(shard, 'a text of which only half is taken at a time');
    const again = await opened(on.killed());
    const reader = (await (await again.log.stream('s')).group('g')).reader(again.shard);
    expect((await readAll(reader)).map((one) => one.text)).toEqual([
      'a text of which only half is taken at a time',
    ]);
    await again.log.close();
    await log.close();
  });

  it('answers at once for what is durable already', async () => {
    const { log, shard } = await opened();
    await appendDurably(shard, 'a', 'b');
    await expect(shard.durable(0)).resolves.toBeUndefined();
    await log.close();
  });

  it('refuses to promise an offset that nobody appended', async () => {
    const { log, shard } = await opened();
    await expect(shard.durable(0)).rejects.toBeInstanceOf(CommitFailed);
    shard.append([entry('a')]);
    await expect(shard.durable(1)).rejects.toBeInstanceOf(CommitFailed);
    await log.close();
  });

  it('takes a batch of no entries for nothing', async () => {
    const { log, shard } = await opened();
    expect(shard.append([])).toBe(0);
    expect(shard.logEnd).toBe(0);
    await appendDurably(shard, 'a');
    expect(shard.logEnd).toBe(1);
    await log.close();
  });
});

describe('a failing commit', () => {
  it('rejects all its waiters and those behind it, and reuses none of their offsets', async () => {
    const { on, log, shard } = await opened();
    await appendDurably(shard, 'kept');
    failSegments(on, 'sync', 'EIO');
    const waiters = [1, 2, 3].map((n) => shard.durable(shard.append([entry(`${n}`)])));
    for (const waiter of waiters) await expect(waiter).rejects.toBeInstanceOf(CommitFailed);
    expect(() => shard.append([entry('halted')])).toThrow(LogFull);
    on.clock.advance(1000);
    expect(await appendDurably(shard, 'next')).toBe(4);
    const reader = (await (await log.stream('s')).group('g')).reader(shard);
    expect(await readAll(reader)).toEqual([
      { offset: 0, text: 'kept' },
      { offset: 4, text: 'next' },
    ]);
    expect(shard.account()).toMatchObject({ appended: 2, retained: 2, quarantined: 0, failed: 3 });
    await log.close();
  });

  it('never syncs nor writes that file again: what comes next goes into a new segment', async () => {
    const { on, log, shard } = await opened();
    await appendDurably(shard, 'kept');
    const [failed] = [failSegments(on, 'sync', 'EIO')];
    await expect(appendDurably(shard, 'refused')).rejects.toBeInstanceOf(CommitFailed);
    const from = on.fileSystem.operations.length;
    on.clock.advance(1000);
    await appendDurably(shard, 'next');
    await log.close();
    const after = on.fileSystem.operations.slice(from).filter((one) => one.handle === failed[0]);
    expect(after.map((one) => one.operation)).toEqual([]);
    expect(on.disk.paths().filter(isSegment)).toHaveLength(2);
    expect(on.fileSystem.openFiles.size).toBe(0);
  });

  it('rejects whoever asks only after it failed, and after the watermark has passed', async () => {
    const { on, log, shard } = await opened();
    failSegments(on, 'sync', 'EIO');
    const offset = shard.append([entry('never asked for')]);
    await settle();
    await expect(shard.durable(offset)).rejects.toBeInstanceOf(CommitFailed);
    on.clock.advance(1000);
    await appendDurably(shard, 'next');
    expect(shard.highWatermark).toBeGreaterThan(offset);
    await expect(shard.durable(offset)).rejects.toBeInstanceOf(CommitFailed);
    await log.close();
  });

  it('for want of room says LogFull with a time, stays in its segment, and heals', async () => {
    const { on, log, shard } = await opened();
    await appendDurably(shard, 'kept');
    on.disk.capacity_bytes = on.disk.used_bytes + 10;
    const refusal = await appendDurably(shard, 'does not fit').catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(LogFull);
    expect((refusal as LogFull).retryAfter_s).toBeGreaterThan(0);
    expect((refusal as LogFull).retryable).toBe(true);
    expect(shard.failure).toBeDefined();
    on.disk.capacity_bytes = Number.POSITIVE_INFINITY;
    on.clock.advance(1000);
    expect(await appendDurably(shard, 'fits again')).toBe(2);
    expect(shard.failure).toBeUndefined();
    expect(on.disk.paths().filter(isSegment)).toHaveLength(1);
    const reader = (await (await log.stream('s')).group('g')).reader(shard);
    expect((await readAll(reader)).map((one) => one.text)).toEqual(['kept', 'fits again']);
    await log.close();
  });

  it('waits longer after each failure in a row, up to five seconds, and forgets it after a success', async () => {
    const { on, log, shard } = await opened();
    const waits: number[] = [];
    failSegments(on, 'sync', 'EIO', 8);
    for (let attempt = 0; attempt < 8; attempt++) {
      await expect(appendDurably(shard, 'x')).rejects.toBeInstanceOf(CommitFailed);
      let waited_ms = 0;
      for (; waited_ms < 20_000; waited_ms += 50) {
        try {
          shard.admit(1);
          break;
        } catch {
          on.clock.advance(50);
        }
      }
      waits.push(waited_ms);
    }
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000, 5000]);
    await appendDurably(shard, 'x');
    failSegments(on, 'sync', 'EIO');
    await expect(appendDurably(shard, 'x')).rejects.toBeInstanceOf(CommitFailed);
    on.clock.advance(250);
    expect(() => shard.admit(1)).not.toThrow();
    await log.close();
  });

  it('leaves an account on disk before anything passes it, so a kill right after counts the same', async () => {
    const { on, log, shard } = await opened();
    const group = await (await log.stream('s')).group('g');
    await appendDurably(shard, 'a');
    failSegments(on, 'sync', 'EIO');
    await expect(appendDurably(shard, 'b', 'c')).rejects.toBeInstanceOf(CommitFailed);
    on.clock.advance(1000);
    await appendDurably(shard, 'd');
    void group.commit(shard, 4);
    await group.flush();
    const expected = shard.account();
    const again = await opened(on.killed());
    expect(again.shard.account()).toEqual(expected);
    await again.log.close();
    await log.close();
  });

  it('hands out no offset twice over a restart: an entry is never hidden by one that failed', async () => {
    const { on, log, shard } = await opened();
    await appendDurably(shard, 'a');
    on.disk.capacity_bytes = on.disk.used_bytes;
    await expect(appendDurably(shard, 'b', 'c')).rejects.toBeInstanceOf(LogFull);
    await log.close();
    on.disk.capacity_bytes = Number.POSITIVE_INFINITY;
    const again = await opened(on);
    expect(await appendDurably(again.shard, 'd')).toBe(3);
    const reader = (await (await again.log.stream('s')).group('g')).reader(again.shard);
    expect((await readAll(reader)).map((one) => one.text)).toEqual(['a', 'd']);
    await again.log.close();
  });

  it.each(['open', 'syncDirectory'] as const)(
    'at the beginning of a segment (%s) leaves nothing that is in the way',
    async (step) => {
      const { on, log, shard } = await opened();
      let failures = 3;
      on.fileSystem.hook = (operation, path) => {
        if (operation !== step || failures === 0) return;
        if (step === 'open' && !isSegment(path)) return;
        failures -= 1;
        throw systemError('EIO');
      };
      for (let attempt = 0; attempt < 3; attempt++) {
        await expect(appendDurably(shard, 'x')).rejects.toBeInstanceOf(CommitFailed);
        on.clock.advance(10_000);
      }
      expect(await appendDurably(shard, 'at last')).toBe(3);
      await log.close();
      expect(on.fileSystem.openFiles.size).toBe(0);
      const again = await opened(on);
      expect(again.shard.account()).toMatchObject({ appended: 1, retained: 1, failed: 3, quarantined: 0 });
      await again.log.close();
    },
  );
});

describe('a disk that does not answer', () => {
  it('has its waiters rejected at the deadline and its appends refused, and takes them again once it answers', async () => {
    const { on, log, shard } = await opened();
    await appendDurably(shard, 'a');
    const letGo = holdSyncs(on);
    const waiting = shard.durable(shard.append([entry('stuck')]));
    await settle();
    const behind = shard.durable(shard.append([entry('behind')]));
    on.clock.advance(30_000);
    await expect(waiting).rejects.toBeInstanceOf(CommitTimeout);
    await expect(behind).rejects.toBeInstanceOf(CommitTimeout);
    await expect(shard.durable(1)).rejects.toBeInstanceOf(CommitTimeout);
    expect(() => shard.append([entry('refused')])).toThrow(LogFull);
    expect(shard.failure).toBeInstanceOf(CommitTimeout);
    letGo();
    await settle();
    expect(shard.failure).toBeUndefined();
    const offset = shard.append([entry('after')]);
    await expect(shard.durable(offset)).resolves.toBeUndefined();
    await log.close();
  });

  it('whose answer comes while entries wait in the active block makes those durable without a late rejection', async () => {
    const { on, log, shard } = await opened();
    const letGo = holdSyncs(on);
    shard.durable(shard.append([entry('stuck')])).catch(() => {});
    await settle();
    const behind = shard.append([entry('behind')]);
    shard.durable(behind).catch(() => {});
    on.clock.advance(30_000);
    letGo();
    // The first commit ends; the second has not begun when this is appended beside what waits.
    await Promise.resolve();
    for (let turn = 0; turn < 50 && shard.highWatermark === 0; turn++) await Promise.resolve();
    expect(shard.highWatermark).toBe(1);
    const fresh = shard.append([entry('fresh')]);
    await expect(shard.durable(fresh)).resolves.toBeUndefined();
    await log.close();
  });
});

describe('a disk that does not answer while a segment is sealed', () => {
  it('is noticed by those who wait behind it, and what comes then is refused', async () => {
    const { on, log, shard } = await opened();
    await appendDurably(shard, 'a');
    let letGo: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    on.fileSystem.hook = (_operation, path) => (path.endsWith('.index') ? held : undefined);
    // Older than a segment may get.
    on.clock.advance(3_700_000);
    const retained = log.retain();
    await settle();
    const behind = shard.durable(shard.append([entry('behind')]));
    on.clock.advance(30_000);
    await expect(behind).rejects.toBeInstanceOf(CommitTimeout);
    expect(() => shard.append([entry('refused')])).toThrow(LogFull);
    letGo();
    await retained;
    expect(shard.failure).toBeUndefined();
    await appendDurably(shard, 'after');
    await log.close();
  });
});

describe('closing', () => {
  it('makes durable what was taken, refuses what comes, and leaves no file and no timer', async () => {
    const { on, log, shard } = await opened();
    const durable = shard.durable(shard.append([entry('taken')]));
    const closing = log.close();
    expect(log.close()).toBe(closing);
    await expect(durable).resolves.toBeUndefined();
    await closing;
    expect(() => shard.append([entry('late')])).toThrow(LogClosed);
    expect(() => shard.admit(1)).toThrow(LogClosed);
    expect(on.fileSystem.openFiles.size).toBe(0);
    expect(on.clock.pending).toBe(0);
    expect(log.stats().inFlight_bytes).toBe(0);
  });

  it('answers those who wait where the last commit fails', async () => {
    const { on, log, shard } = await opened();
    failSegments(on, 'sync', 'EIO');
    const durable = shard.durable(shard.append([entry('taken')]));
    await log.close();
    await expect(durable).rejects.toBeInstanceOf(CommitFailed);
    expect(on.fileSystem.openFiles.size).toBe(0);
    expect(on.clock.pending).toBe(0);
  });
});
