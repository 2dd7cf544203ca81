// What the simulator found, each as a scenario in words: how an entry was lost, invented or miscounted, step by step.

import { describe, expect, it } from '@jest/globals';
import type { Account } from '../../buffer/ledger.ts';
import type { Shard } from '../../buffer/shard.ts';
import type { Chooser } from './disk.ts';
import { World } from './machine.ts';
import { deriveOptions, type RunOptions } from './options.ts';
import { SeededRandom } from './random.ts';
import { DIRECTORY, GROUPS, openSubject, readAll, STREAM, type Subject } from './subject.ts';

const WAIT_ms = 60_000;
const SHARD = `${DIRECTORY}/${STREAM}/0`;
const options: RunOptions = {
  ...deriveOptions(new SeededRandom(1)),
  shards: 1,
  segment_bytes: 4096,
  segmentAge_ms: 3_600_000,
  maxSize_bytes: 1024 * 1024,
  whenFull: 'reject',
  maxAge_ms: undefined,
  protectUnconsumed: true,
  inFlightMax_bytes: 1024 * 1024,
  offsetsInterval_ms: 60_000,
  retentionInterval_ms: 60_000,
  commitDeadline_ms: 30_000,
  minFreeSpace_bytes: 0,
  secondGroupProtects: true,
  maxLag_bytes: undefined,
  maxLag_ms: undefined,
  minSegments: 0,
  keepConsumed_bytes: undefined,
  forceDeleteAfter_ms: undefined,
  compressed: false,
};
/** A power cut that takes all that was not synced. */
const takesAll: Chooser = { pick: (count) => (count > 1 ? 1 : 0) };

async function must<T>(world: World, promise: Promise<T>): Promise<T> {
  const driven = await world.drive('a step of the scenario', promise, WAIT_ms);
  if (driven.state === 'done') return driven.value;
  throw driven.state === 'failed' ? driven.error : new Error('the process died');
}

function open(world: World): Promise<Subject> {
  return must(world, openSubject(world, options));
}

function kill(world: World): void {
  world.crash(false);
}

function cutPower(world: World): void {
  world.process.die();
  world.disk.powerCut(takesAll);
  world.crash(false);
}

async function append(world: World, shard: Shard, text: string, count = 1): Promise<number> {
  const first = shard.append(
    Array.from({ length: count }, (_, index) => Buffer.from(`${text} ${index} `.padEnd(300, '.'))),
  );
  await must(world, shard.durable(first));
  return first;
}

async function offsets(world: World, shard: Shard): Promise<number[]> {
  const found: number[] = [];
  await must(
    world,
    readAll(shard, (offset) => found.push(offset)),
  );
  return found;
}

function consume(subject: Subject, next: number): void {
  for (const name of GROUPS) void subject.groups[name].commit(subject.shards[0]!, next).catch(() => {});
}

describe('a process that dies between a change and its sync, then a power cut', () => {
  it('takes back no committed offset and no account, whichever operation it was', async () => {
    for (let at = 1; at < 25; at++) {
      const world = new World(1);
      let subject = await open(world);
      await append(world, subject.shards[0]!, 'entry', 3);
      consume(subject, 2);
      await must(world, subject.groups[GROUPS[0]].flush());
      consume(subject, 3);
      world.process.diesAt = world.process.operations + at;
      world.process.diesAfterEffect = true;
      await world.drive('close', subject.log.close(), WAIT_ms);
      kill(world);
      world.process.diesAt = at;
      await world.drive('open', openSubject(world, options), WAIT_ms);
      cutPower(world);
      subject = await open(world);
      expect(subject.groups[GROUPS[0]].committed(subject.shards[0]!)).toBeGreaterThanOrEqual(2);
      expect(subject.shards[0]!.account().quarantined).toBe(0);
      expect(await offsets(world, subject.shards[0]!)).toEqual([0, 1, 2]);
    }
  });

  it('keeps what the next process acknowledged in files and directories that it found, whichever was unsynced', async () => {
    for (let at = 1; at < 80; at++) {
      const world = new World(1);
      world.process.diesAt = at;
      world.process.diesAfterEffect = true;
      const opened = await world.drive('open', openSubject(world, options), WAIT_ms);
      if (opened.state === 'done') {
        opened.value.shards[0]!.append([Buffer.from('nobody waits for this')]);
        await world.pass(1_000);
      }
      kill(world);
      let subject = await open(world);
      const offset = await append(world, subject.shards[0]!, 'acknowledged');
      cutPower(world);
      subject = await open(world);
      expect(await offsets(world, subject.shards[0]!)).toContain(offset);
    }
  });

  it('shows readers nothing after the kill that the power cut can take away', async () => {
    for (let at = 1; at < 8; at++) {
      const world = new World(1);
      let subject = await open(world);
      await append(world, subject.shards[0]!, 'first');
      subject.shards[0]!.append([Buffer.from('written and never synced')]);
      world.process.diesAt = world.process.operations + at;
      world.process.diesAfterEffect = true;
      await world.pass(1_000);
      kill(world);
      subject = await open(world);
      const shown = await offsets(world, subject.shards[0]!);
      cutPower(world);
      subject = await open(world);
      expect(await offsets(world, subject.shards[0]!)).toEqual(shown);
    }
  });
});

describe('a disk that fails for a moment', () => {
  it('costs nothing acknowledged where a segment could be created and not be begun (seed 445)', async () => {
    const world = new World(1);
    let subject = await open(world);
    const shard = subject.shards[0]!;
    await append(world, shard, 'fills the segment', 12);
    world.faults.directorySyncError = 1;
    // Even the removal of what was created may fail, or be undone by a power cut.
    world.process.remove = () => Promise.reject(new Error('EIO'));
    await expect(append(world, shard, 'needs another segment', 12)).rejects.toThrow('EIO');
    world.faults.heal();
    await world.pass(10_000);
    const kept = await append(world, shard, 'would fit the old one');
    await must(world, subject.log.close());
    world.restart();
    subject = await open(world);
    expect(await offsets(world, subject.shards[0]!)).toContain(kept);
    expect(subject.shards[0]!.account().quarantined).toBe(0);
  });

  it('does not keep the log from opening where one file refuses every sync (seeds 92, 104)', async () => {
    for (const name of [
      '/owner',
      '/traces.otlp/0/ledger',
      '/traces.otlp/0/offsets',
      '/traces.otlp/0/00000000000000000000.log',
    ]) {
      const world = new World(1);
      let subject = await open(world);
      await append(world, subject.shards[0]!, 'entry', 3);
      kill(world);
      const node = world.disk.find(`${DIRECTORY}${name}`);
      if (node?.kind !== 'file') throw new Error(`${name} is not there`);
      node.syncFails = true;
      subject = await open(world);
      const offset = await append(world, subject.shards[0]!, 'after');
      cutPower(world);
      subject = await open(world);
      expect(await offsets(world, subject.shards[0]!)).toEqual([0, 1, 2, offset]);
    }
  });

  it('makes committed offsets durable later that an opening found and could not write again (seed 1503454)', async () => {
    for (let at = 1; at < 12; at++) {
      const world = new World(1);
      let subject = await open(world);
      await append(world, subject.shards[0]!, 'entry', 3);
      await must(world, subject.groups[GROUPS[0]].flush());
      consume(subject, 2);
      world.process.diesAt = world.process.operations + at;
      world.process.diesAfterEffect = true;
      await world.drive('flush', subject.groups[GROUPS[0]].flush(), WAIT_ms);
      kill(world);
      const node = world.disk.find(`${SHARD}/offsets`);
      if (node?.kind !== 'file') throw new Error('the offsets are not there');
      node.syncFails = true;
      world.disk.capacity_bytes = world.disk.used_bytes;
      subject = await open(world);
      const found = subject.groups[GROUPS[0]].committed(subject.shards[0]!);
      world.disk.capacity_bytes = Number.MAX_SAFE_INTEGER;
      await must(world, subject.groups[GROUPS[0]].flush());
      cutPower(world);
      subject = await open(world);
      expect([at, subject.groups[GROUPS[0]].committed(subject.shards[0]!)]).toEqual([at, found]);
    }
  });

  it('brings back nothing that was refused when a direct write found no room (seed 1678919)', async () => {
    const direct = { ...options, commitWay: 'direct' as const };
    for (const at of [1, 2, 3, 40]) {
      const world = new World(1);
      const opened = (): Promise<Subject> => must(world, openSubject(world, direct));
      let subject = await opened();
      world.disk.capacity_bytes = world.disk.used_bytes + 100;
      const shard = subject.shards[0]!;
      const first = shard.append([Buffer.from('refused')]);
      world.process.diesAt = world.process.operations + 2 + at;
      world.process.diesAfterEffect = true;
      await world.drive('append', shard.durable(first), WAIT_ms);
      await world.pass(100);
      kill(world);
      world.disk.capacity_bytes = Number.MAX_SAFE_INTEGER;
      subject = await opened();
      const shown = await offsets(world, subject.shards[0]!);
      cutPower(world);
      subject = await opened();
      expect([at, await offsets(world, subject.shards[0]!)]).toEqual([at, shown]);
    }
  });

  it('begins no segment behind refused entries that only the page cache knows of (seed 1953505)', async () => {
    // What of a failed sync arrives is up to chance.
    for (let seed = 1; seed <= 8; seed++) {
      const world = new World(seed);
      let subject = await open(world);
      await append(world, subject.shards[0]!, 'kept', 3);
      // The account of what is refused is written, never synced, and there is no room for another file.
      const ledger = world.disk.find(`${SHARD}/ledger`);
      if (ledger?.kind !== 'file') throw new Error('the ledger is not there');
      ledger.syncFails = true;
      world.disk.capacity_bytes = world.disk.used_bytes;
      await expect(append(world, subject.shards[0]!, 'refused', 20)).rejects.toThrow('no space');
      await world.drive('retention', subject.log.retain(), WAIT_ms);
      await world.pass(1_000);
      kill(world);
      subject = await open(world);
      world.disk.capacity_bytes = Number.MAX_SAFE_INTEGER;
      await must(world, subject.log.retain());
      subject.shards[0]!.append([Buffer.from('nobody waits for this')]);
      await world.pass(1_000);
      cutPower(world);
      subject = await open(world);
      expect([seed, subject.shards[0]!.account().quarantined]).toEqual([seed, 0]);
    }
  });

  it('does not confuse a segment with the empty one of the same name whose tail could not be cut (seed 78238)', async () => {
    const world = new World(1);
    let subject = await open(world);
    kill(world);
    const torn = await must(world, world.process.open(`${SHARD}/00000000000000000000.log`, 'create'));
    await must(world, torn.write(Buffer.alloc(700, 0x48), 0));
    const node = world.disk.find(`${SHARD}/00000000000000000000.log`);
    if (node?.kind === 'file') node.syncFails = true;
    kill(world);
    subject = await open(world);
    const shard = subject.shards[0]!;
    const offset = await append(world, shard, 'in a file of that name');
    await must(world, subject.log.retain());
    expect(await offsets(world, shard)).toEqual([offset]);
    kill(world);
    subject = await open(world);
    expect(await offsets(world, subject.shards[0]!)).toEqual([offset]);
  });

  it('counts refused entries as failed and not as lost, also where the power goes right after', async () => {
    const world = new World(1);
    let subject = await open(world);
    await append(world, subject.shards[0]!, 'before', 2);
    world.faults.syncError = 1;
    await expect(append(world, subject.shards[0]!, 'refused', 5)).rejects.toThrow('EIO');
    world.faults.heal();
    await world.pass(10_000);
    const after = await append(world, subject.shards[0]!, 'after', 2);
    consume(subject, after + 2);
    await must(world, subject.groups[GROUPS[0]].flush());
    cutPower(world);
    subject = await open(world);
    expect(await offsets(world, subject.shards[0]!)).toEqual([0, 1, 7, 8]);
    expect(subject.shards[0]!.account()).toMatchObject({
      appended: 4,
      retained: 4,
      failed: 5,
      quarantined: 0,
    });
  });
});

describe('a failed sync that leaves its pages looking clean, then a kill, then a power cut', () => {
  it('takes back nothing that was shown between the two, nor calls it lost (seeds 6462, 23380, 30208, 32943)', async () => {
    for (const content of ['kept', 'reverted'] as const) {
      for (const sticky of [false, true]) {
        const world = new World(1);
        let subject = await open(world);
        await append(world, subject.shards[0]!, 'before', 2);
        consume(subject, 1);
        Object.assign(world.faults, { syncError: 1, syncSticky: sticky, contentAfterFailedSync: content });
        await expect(append(world, subject.shards[0]!, 'refused', 3)).rejects.toThrow('EIO');
        await must(
          world,
          subject.groups[GROUPS[0]].flush().catch(() => {}),
        );
        kill(world);
        world.faults.heal();
        subject = await open(world);
        const shown = await offsets(world, subject.shards[0]!);
        const committed = subject.groups[GROUPS[0]].committed(subject.shards[0]!);
        const account = subject.shards[0]!.account();
        cutPower(world);
        subject = await open(world);
        expect(await offsets(world, subject.shards[0]!)).toEqual(shown);
        expect(subject.groups[GROUPS[0]].committed(subject.shards[0]!)).toBe(committed);
        expect(subject.shards[0]!.account()).toEqual(account);
      }
    }
  });

  it('acknowledges no refused entry to whoever asks after it was removed (seed 2887)', async () => {
    const world = new World(1);
    const subject = await open(world);
    const shard = subject.shards[0]!;
    world.faults.syncError = 1;
    const refused = shard.append([Buffer.from('refused')]);
    await world.pass(100);
    world.faults.heal();
    await world.pass(10_000);
    for (let index = 0; index < 40; index++) await append(world, shard, 'entry');
    consume(subject, 41);
    await must(world, subject.log.retain());
    expect(shard.logStart).toBeGreaterThan(refused);
    await expect(must(world, shard.durable(refused))).rejects.toThrow('outside');
  });
});

describe('a second owner', () => {
  it('loses nothing to the first one, who was stopped within a commit and whose lock was dropped (seed 27, short)', async () => {
    const world = new World(1);
    const first = await open(world);
    const late = first.shards[0]!.append([Buffer.from('of the first')]);
    const answer = first.shards[0]!.durable(late).then(
      () => 'acknowledged',
      () => 'refused',
    );
    // The segment is begun, and nothing is written to it yet.
    while (!world.disk.find(`${SHARD}/00000000000000000000.log`)) await world.pass(0.01);
    world.dispossess(1_000);
    const second = await open(world);
    const offset = await append(world, second.shards[0]!, 'of the second');
    await world.pass(2_000);
    expect(await must(world, answer)).toBe('refused');
    const found: string[] = [];
    await must(
      world,
      readAll(second.shards[0]!, (_, bytes) => found.push(Buffer.from(bytes).toString().slice(0, 13))),
    );
    expect({ offset, found }).toEqual({ offset: 0, found: ['of the second'] });
  });

  it('reads what it appends although the first left an empty segment of that name (seed 212, storm)', async () => {
    const world = new World(1);
    const first = await open(world);
    void first.shards[0]!.append([Buffer.from('never written')]);
    while (!world.disk.find(`${SHARD}/00000000000000000000.log`)) await world.pass(0.01);
    kill(world);
    const { shards, groups } = await open(world);
    const reader = groups[GROUPS[0]].reader(shards[0]!);
    expect(await must(world, reader.read({ wait_ms: 0 }))).toBeUndefined();
    await append(world, shards[0]!, 'appended');
    const batch = await must(world, reader.read({ wait_ms: 0 }));
    expect(batch?.offsets).toEqual([0]);
    batch?.release();
  });

  it('keeps the segment before a torn one that cannot be cut (seed 832, long)', async () => {
    const world = new World(1);
    const { shards } = await open(world);
    for (let index = 0; index < 14; index++) await append(world, shards[0]!, 'kept');
    const { logEnd } = shards[0]!;
    kill(world);
    const name = `${SHARD}/${String(logEnd).padStart(20, '0')}.log`;
    const file = await must(world, world.process.open(name, 'create'));
    await must(world, file.write(Buffer.alloc(600, 7), 0));
    await must(world, world.process.syncDirectory(SHARD));
    kill(world);
    const node = world.disk.find(name);
    if (node?.kind !== 'file') throw new Error(`${name} is not there`);
    node.syncFails = true;
    const again = await open(world);
    let count = 0;
    await must(
      world,
      readAll(again.shards[0]!, () => {
        count += 1;
      }),
    );
    expect(count).toBe(logEnd);
  });
});

describe('a bit that flips at rest', () => {
  function flip(world: World, path: string, at: number): void {
    const node = world.disk.find(path);
    if (node?.kind !== 'file') throw new Error(`${path} is not there`);
    node.flip(at, 1);
  }

  it('costs its frame alone for a reader that begins in the middle of a later one (seed 49)', async () => {
    const world = new World(1);
    let subject = await open(world);
    const shard = subject.shards[0]!;
    await append(world, shard, 'first');
    const { bytes } = shard.stats();
    await append(world, shard, 'damaged later');
    await append(world, shard, 'one frame of six', 6);
    await append(world, shard, 'last');
    consume(subject, 5);
    await must(world, subject.log.close());
    world.restart();
    flip(world, `${SHARD}/00000000000000000000.log`, bytes + 2);
    subject = await open(world);
    const reader = subject.groups[GROUPS[0]].reader(subject.shards[0]!);
    const batch = await must(world, reader.read({ wait_ms: 0 }));
    expect(batch?.offsets).toEqual([5, 6, 7, 8]);
    expect(subject.shards[0]!.account()).toMatchObject({ quarantined: 1, retained: 8 });
  });

  it('stays counted where the offsets went past it and the process is killed', async () => {
    const world = new World(1);
    let subject = await open(world);
    for (let index = 0; index < 30; index++) await append(world, subject.shards[0]!, 'entry');
    await must(world, subject.log.close());
    world.restart();
    flip(world, `${SHARD}/00000000000000000000.log`, 400);
    subject = await open(world);
    const reader = subject.groups[GROUPS[0]].reader(subject.shards[0]!);
    while (await must(world, reader.read({ wait_ms: 0 })));
    consume(subject, 30);
    await must(world, subject.groups[GROUPS[0]].flush());
    kill(world);
    subject = await open(world);
    expect(subject.shards[0]!.account()).toMatchObject({ appended: 30, quarantined: 1 });
  });

  it('in either slot of the ledger brings back nothing that was removed', async () => {
    for (const slot of [0, 4096]) {
      const world = new World(1);
      let subject = await open(world);
      for (let index = 0; index < 40; index++) await append(world, subject.shards[0]!, 'entry');
      consume(subject, 40);
      await must(world, subject.log.retain());
      const account: Account = subject.shards[0]!.account();
      expect(account.deletedConsumed).toBeGreaterThan(0);
      kill(world);
      flip(world, `${SHARD}/ledger`, slot + 30);
      subject = await open(world);
      expect(subject.shards[0]!.account()).toEqual(account);
    }
  });

  it('in either slot of the offsets takes back nothing, also where the process before died between the two (seed 1019298)', async () => {
    for (const slot of [0, 4096]) {
      const world = new World(1);
      let subject = await open(world);
      await append(world, subject.shards[0]!, 'entry', 3);
      consume(subject, 2);
      await must(world, subject.groups[GROUPS[0]].flush());
      kill(world);
      subject = await open(world);
      await must(world, subject.log.close());
      world.restart();
      flip(world, `${SHARD}/offsets`, slot + 30);
      subject = await open(world);
      expect(subject.groups[GROUPS[0]].committed(subject.shards[0]!)).toBe(2);
    }
  });
});
