// Row "deletion of a stream": refused while somebody wants it, counted, whole or gone whenever the process or the power ends.

import { describe, expect, it } from '@jest/globals';
import { Log } from '../../buffer/log.ts';
import { verifyLog } from '../../buffer/verify.ts';
import { World } from '../sim/machine.ts';
import { eachSubset } from '../sim/subsets.ts';
import { appendDurably, entry, expectAccountsToAddUp, LogOnMemory, readAll } from './log_on_memory.ts';
import { settle } from './manual_clock.ts';
import { systemError } from './memory_file_system.ts';

const segment = { maxBytes: 150 };

/** A log with `logs` (two shards, half of the first one consumed) and `traces`, which stays. */
async function twoStreams(on = new LogOnMemory()) {
  const log = await on.open({ segment });
  const logs = await log.stream('logs', { shards: 2 });
  const group = await logs.group('g');
  for (let index = 0; index < 6; index++) await appendDurably(logs.shards[0]!, `a ${index}`);
  for (let index = 0; index < 3; index++) await appendDurably(logs.shards[1]!, `b ${index}`);
  await appendDurably((await log.stream('traces')).shardOf(0), 'kept');
  void group.commit(logs.shards[0]!, 3);
  await group.flush();
  return { on, log, logs, group };
}

/** On a disk that can lose what was not synced. */
function openOn(world: World): Promise<Log> {
  return Log.open({
    directory: '/log',
    fileSystem: world.process,
    clock: world.clock.of(world.process.life),
    random: { next: () => 0.5 },
    segment,
    retention: { minFreeSpace_bytes: 0, interval_ms: 1e9 },
    offsetsInterval_ms: 1e9,
  });
}

async function driven<T>(world: World, promise: Promise<T>): Promise<T> {
  const end = await world.drive('a step', promise, 60_000);
  if (end.state !== 'done') throw new Error(`a step ${end.state}: ${'error' in end ? end.error : ''}`);
  return end.value;
}

function expectIdentity(log: Log, appended: number): void {
  const account = log.account();
  const dropped = Object.values(account.dropped).reduce((sum, count) => sum + count, 0);
  expect(account.appended).toBe(appended);
  expect(account.retained + account.deletedConsumed + dropped + account.quarantined).toBe(appended);
  expectAccountsToAddUp(log);
}

describe('deleting a stream', () => {
  it('is refused while a protecting group has not consumed it, and changes nothing then', async () => {
    const { log, logs, group } = await twoStreams();
    await logs.group('debug', { protect: false });
    const refusal = await log.deleteStream('logs').catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'HF_BUFFER_STREAM_UNCONSUMED', retryable: false });
    expect(String(refusal)).toMatch(/stream logs holds 6 entries not consumed by g/);
    expect(await readAll(group.reader())).toHaveLength(6);
    await appendDurably(logs.shards[1]!, 'more');
    await group.reset('latest');
    // On its way to the disk, and nobody has it.
    const offset = logs.shards[0]!.append([entry('in flight')]);
    await expect(log.deleteStream('logs')).rejects.toMatchObject({ code: 'HF_BUFFER_STREAM_UNCONSUMED' });
    await logs.shards[0]!.durable(offset);
    await group.reset('latest');
    await log.deleteStream('logs');
    expect(log.streamNames()).toEqual(['traces']);
    expect(log.account()).toMatchObject({ retained: 1, dropped: { stream_deleted: 0 } });
    expectIdentity(log, 12);
    await log.close();
  });

  it('is refused where nobody has read it yet, and where there is none of that name', async () => {
    const log = await new LogOnMemory().open();
    await log
      .deleteStream('never')
      .catch((error: unknown) => expect(error).toMatchObject({ code: 'HF_BUFFER_UNKNOWN_STREAM' }));
    await appendDurably((await log.stream('s')).shardOf(0), 'x');
    await expect(log.deleteStream('s')).rejects.toThrow(/1 entries of which no group has read any/);
    await log.stream('empty');
    await log.deleteStream('empty');
    expect(log.streamNames()).toEqual(['s']);
    await log.close();
  });

  it('by force is counted exactly, gives the disk back, and stays counted', async () => {
    const { on, log } = await twoStreams();
    const used = log.stats().used_bytes;
    await log.deleteStream('logs', { force: true });
    expect(log.account()).toMatchObject({
      retained: 1,
      deletedConsumed: 3,
      dropped: { stream_deleted: 6 },
    });
    expectIdentity(log, 10);
    expect(log.stats().used_bytes).toBeLessThan(used);
    expect(on.disk.paths().filter((path) => path.includes('/logs'))).toEqual([]);
    const account = log.account();
    await log.close();
    expect(on.fileSystem.openFiles.size).toBe(0);
    expect((await verifyLog({ directory: '/log', fileSystem: on.fileSystem })).damage).toEqual([]);
    const again = await on.open();
    expect(again.account()).toEqual(account);
    await again.close();
  });

  it('ends its readers, shards and groups, and nobody else', async () => {
    const { log, logs, group } = await twoStreams();
    const reader = group.reader(logs.shards[1]!);
    reader.seek(3);
    const waiting = reader.read();
    const others = await (await log.stream('traces')).group('g');
    await log.deleteStream('logs', { force: true });
    await expect(waiting).rejects.toMatchObject({ code: 'HF_BUFFER_CLOSED' });
    expect(() => logs.shards[0]!.append([entry('x')])).toThrow(/closed/);
    await expect(group.commit(logs.shards[0]!, 6)).rejects.toMatchObject({ code: 'HF_BUFFER_CLOSED' });
    await expect(logs.group('new')).rejects.toMatchObject({ code: 'HF_BUFFER_CLOSED' });
    expect(await readAll(others.reader())).toEqual([{ offset: 0, text: 'kept' }]);
    await log.close();
  });

  it('lets the name be used again, and never an offset', async () => {
    const { on, log } = await twoStreams();
    await log.deleteStream('logs', { force: true });
    const shard = (await log.stream('logs')).shardOf(0);
    expect([shard.logStart, shard.highWatermark]).toEqual([6, 6]);
    expect(await appendDurably(shard, 'anew')).toBe(6);
    await expect(shard.durable(2)).rejects.toMatchObject({ code: 'HF_BUFFER_OFFSET_OUT_OF_RANGE' });
    expectIdentity(log, 11);
    const twin = await on.killed().open();
    const found = (await twin.stream('logs')).shardOf(0);
    expect(await readAll((await (await twin.stream('logs')).group('g')).reader(found))).toEqual([
      { offset: 6, text: 'anew' },
    ]);
    // Also where the process died before the first ledger of the new stream was there.
    await twin.deleteStream('logs', { force: true });
    expect((await twin.stream('other')).shardOf(0).logStart).toBe(7);
    expectIdentity(twin, 11);
    await twin.close();
    await log.close();
  });

  it('waits for retention, and retention for it', async () => {
    const { on, log, logs, group } = await twoStreams();
    await group.reset('latest');
    const run = log.retain();
    const deleted = log.deleteStream('logs');
    await Promise.all([run, deleted, log.retain()]);
    expect(on.reports.filter((report) => report.level !== 'info')).toEqual([]);
    expect(logs.shards[0]!.account().retained).toBe(0);
    expectIdentity(log, 10);
    await log.close();
  });
});

describe('deleting a stream, cut off', () => {
  it('by a kill at any operation leaves it whole or gone, and counted once', async () => {
    const { on, log } = await twoStreams();
    const killed: LogOnMemory[] = [];
    on.fileSystem.hook = () => void killed.push(on.killed());
    await log.deleteStream('logs', { force: true });
    on.fileSystem.hook = () => {};
    await log.close();
    expect(killed.length).toBeGreaterThan(20);
    const states = new Set<string>();
    for (const [at, left] of killed.entries()) {
      const damage = (await verifyLog({ directory: '/log', fileSystem: left.fileSystem })).damage;
      expect([at, damage]).toEqual([at, []]);
      const again = await left.open();
      const retained = again.account().retained;
      states.add(`${again.streamNames().join(' ')}: ${retained}`);
      expectIdentity(again, 10);
      if (retained === 10) expect(again.account().dropped.stream_deleted).toBe(0);
      await again.close();
    }
    expect([...states]).toEqual(['logs traces: 10', 'traces: 1']);
  });

  it('by a power cut at any operation, whatever of it the disk kept, leaves it whole or gone', async () => {
    const states = new Set<string>();
    let deleted = false;
    for (let at = 1; !deleted; at++) {
      for (const afterEffect of [false, true]) {
        const world = new World(1);
        const log = await driven(world, openOn(world));
        const shard = (await driven(world, log.stream('logs'))).shardOf(0);
        for (let index = 0; index < 3; index++) {
          await driven(world, shard.durable(shard.append([entry(`entry ${index}`.padEnd(100, '.'))])));
        }
        world.process.diesAt = world.process.operations + at;
        world.process.diesAfterEffect = afterEffect;
        const end = await world.drive('deletion', log.deleteStream('logs', { force: true }), 60_000);
        deleted ||= end.state === 'done';
        await eachSubset(async (choose) => {
          const left = new World(1, false, world.disk.clone());
          left.disk.powerCut(choose);
          const again = await driven(left, openOn(left));
          const { retained, dropped } = again.account();
          states.add(`${again.streamNames().join(' ')}: ${retained} + ${dropped.stream_deleted}`);
          expectIdentity(again, 3);
          await driven(left, again.close());
        }, 12);
        world.process.diesAt = Number.MAX_SAFE_INTEGER;
        if (end.state === 'done') await driven(world, log.close());
      }
    }
    expect([...states].sort()).toEqual([': 0 + 3', 'logs: 3 + 0']);
  });

  it('by a disk that refuses can be called again, and the log goes on meanwhile', async () => {
    for (let at = 0; ; at++) {
      const { on, log } = await twoStreams();
      let operations = 0;
      let refused = false;
      on.fileSystem.hook = (operation) => {
        if (operation === 'close' || operations++ !== at) return;
        refused = true;
        throw systemError('EIO');
      };
      const first = await log.deleteStream('logs', { force: true }).then(
        () => 'deleted',
        () => 'cut off',
      );
      on.fileSystem.hook = () => {};
      if (first === 'cut off') {
        await appendDurably((await log.stream('traces')).shardOf(0), 'goes on');
        await (at % 2 === 0 ? log.deleteStream('logs') : log.stream('logs'));
      } else await log.stream('logs');
      expect(
        (await readAll((await (await log.stream('traces')).group('g')).reader())).length,
      ).toBeGreaterThan(0);
      expect(log.account().dropped.stream_deleted).toBe(6);
      expectIdentity(log, first === 'cut off' ? 11 : 10);
      await log.close();
      const again = await on.killed().open();
      expectIdentity(again, first === 'cut off' ? 11 : 10);
      await again.close();
      if (!refused) break;
    }
  });

  it('takes one away of which no shard could be opened, and its name can be used', async () => {
    const on = new LogOnMemory();
    const log = await on.open();
    on.fileSystem.hook = (operation, path) => {
      if (operation === 'syncDirectory' && path === '/log/logs') throw systemError('EIO');
    };
    await expect(log.stream('logs')).rejects.toThrow('EIO');
    on.fileSystem.hook = () => {};
    await log.deleteStream('logs');
    expect(log.streamNames()).toEqual([]);
    await appendDurably((await log.stream('logs')).shardOf(0), 'kept');
    expectIdentity(log, 1);
    await log.close();
  });

  it('does not forget the stream before while another is deleted', async () => {
    const { on, log } = await twoStreams();
    on.fileSystem.hook = (operation, path) => {
      if (operation === 'remove' && path.includes('/logs/')) throw systemError('EIO');
    };
    await expect(log.deleteStream('logs', { force: true })).rejects.toMatchObject({ code: 'EIO' });
    await expect(log.deleteStream('traces', { force: true })).rejects.toMatchObject({ code: 'EIO' });
    expect(log.streamNames()).toEqual(['traces']);
    await expect(log.stream('logs')).rejects.toMatchObject({ code: 'EIO' });
    await settle();
    // Neither does the next owner, who opens all the same.
    const left = on.killed();
    left.fileSystem.hook = on.fileSystem.hook;
    const twin = await left.open();
    expect(twin.streamNames()).toEqual(['traces']);
    left.fileSystem.hook = () => {};
    await twin.stream('logs');
    expectIdentity(twin, 10);
    await twin.close();
    on.fileSystem.hook = () => {};
    await log.deleteStream('traces', { force: true });
    expect(log.streamNames()).toEqual([]);
    expectIdentity(log, 10);
    await log.close();
  });
});
