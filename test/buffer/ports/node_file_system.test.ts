// The real file system: private files, a lock that the kernel keeps between processes, and a disk that is really full.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LogFull } from '../../../buffer/errors.ts';
import { Log } from '../../../buffer/log.ts';
import { sleep } from '../../../buffer/ports/clock.ts';
import { DIRECT_BLOCK_BYTES, refusesDirect } from '../../../buffer/ports/file_system.ts';
import { nodeFileSystem } from '../../../buffer/ports/node_file_system.ts';
import { systemClock } from '../../../buffer/ports/system_clock.ts';
import { appendDurably, readAll } from '../log_on_memory.ts';
import { ObservedFileSystem } from '../observed_file_system.ts';

let directory = '';
const children: ChildProcess[] = [];

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-'));
});

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  fs.rmSync(directory, { recursive: true, force: true });
});

/** Asks for the lock in another process; resolves with what it got. */
async function askElsewhere(file: string): Promise<{ answer: string; child: ChildProcess }> {
  const program = path.join(import.meta.dirname, 'lock_holder.ts');
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, file], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  const [answer] = (await once(child.stdout!, 'data')) as [Buffer];
  return { answer: answer.toString('utf8').trim(), child };
}

function everyPath(within: string): string[] {
  return fs.readdirSync(within, { recursive: true, encoding: 'utf8' }).map((name) => path.join(within, name));
}

describe('a log on real files', () => {
  it('has files that nobody else may read and directories that nobody else may enter', async () => {
    const log = await Log.open({ directory: path.join(directory, 'a/log'), segment: { maxBytes: 100 } });
    const stream = await log.stream('s', { shards: 2 });
    const group = await stream.group('g');
    for (const shard of stream.shards) {
      for (let commit = 0; commit < 4; commit++) await appendDurably(shard, `entry number ${commit}`);
      void group.commit(shard, 1);
    }
    await group.flush();
    await log.close();
    const paths = everyPath(directory);
    expect(paths.length).toBeGreaterThan(15);
    for (const one of paths) {
      const stats = fs.statSync(one);
      expect([one, (stats.mode & 0o777).toString(8)]).toEqual([one, stats.isDirectory() ? '700' : '600']);
    }
  });

  it('closes every file that it opened', async () => {
    const fileSystem = new ObservedFileSystem(nodeFileSystem);
    const log = await Log.open({ directory, fileSystem, segment: { maxBytes: 100 } });
    const stream = await log.stream('s', { shards: 2 });
    const group = await stream.group('g');
    for (const shard of stream.shards) {
      for (let commit = 0; commit < 6; commit++) await appendDurably(shard, `entry number ${commit}`);
      expect(await readAll(group.reader(shard))).toHaveLength(6);
    }
    await log.retain();
    await log.close();
    await sleep(systemClock, 0);
    expect([...fileSystem.openFiles.values()]).toEqual([]);
  });
});

describe('the lock', () => {
  it('is refused to another process while it is held, and is free after release', async () => {
    const file = path.join(directory, 'lock');
    const lock = await nodeFileSystem.lock(file);
    expect((await askElsewhere(file)).answer).toBe('refused');
    await lock!.release();
    expect((await askElsewhere(file)).answer).toBe('taken');
    expect(await nodeFileSystem.lock(file)).toBeUndefined();
  });

  it('goes with the process that is killed', async () => {
    const file = path.join(directory, 'lock');
    const { answer, child } = await askElsewhere(file);
    expect(answer).toBe('taken');
    child.kill('SIGKILL');
    await once(child, 'exit');
    const lock = await nodeFileSystem.lock(file);
    expect(lock).toBeDefined();
    await lock!.release();
  });

  it('stays held though the same process asks for it a second time', async () => {
    const file = path.join(directory, 'lock');
    const lock = await nodeFileSystem.lock(file);
    expect(await nodeFileSystem.lock(file)).toBeUndefined();
    expect((await askElsewhere(file)).answer).toBe('refused');
    await lock!.release();
  });
});

describe('a disk that is really full', () => {
  const root = process.getuid?.() === 0;

  it('refuses appends with a time, commits, drains, and heals', async () => {
    const mounted = root && mount(directory);
    if (!mounted) {
      process.stderr.write('a full tmpfs is not tested: mounting one needs root and CAP_SYS_ADMIN\n');
      return;
    }
    try {
      await fillAndHeal(directory);
    } finally {
      execFileSync('umount', [directory]);
    }
  });
});

function mount(on: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', on], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function fillAndHeal(on: string): Promise<void> {
  const log = await Log.open({
    directory: `${on}/log`,
    segment: { maxBytes: 128 * 1024 },
    retention: { minFreeSpace_bytes: 0 },
  });
  const stream = await log.stream('s');
  const shard = stream.shardOf(0);
  const group = await stream.group('g');
  let taken = 0;
  let refusal: unknown;
  for (; taken < 1000 && !refusal; taken++) {
    try {
      await shard.durable(shard.append([Buffer.alloc(16 * 1024, taken)]));
    } catch (error) {
      refusal = error;
      taken -= 1;
    }
  }
  expect(refusal).toBeInstanceOf(LogFull);
  expect((refusal as LogFull).retryAfter_s).toBeGreaterThan(0);
  const all = await readAll(group.reader(shard));
  expect(all.length).toBe(taken);
  void group.commit(shard, shard.highWatermark);
  await group.flush();
  await log.retain();
  await untilTaken(() => shard.admit(1));
  await appendDurably(shard, 'after');
  expect(shard.account()).toMatchObject({ appended: taken + 1, quarantined: 0 });
  await log.close();
  const again = await Log.open({ directory: `${on}/log`, retention: { minFreeSpace_bytes: 0 } });
  const found = (await again.stream('s')).shardOf(0);
  expect(
    (await readAll((await (await again.stream('s')).group('g')).reader(found))).map((one) => one.text),
  ).toEqual(['after']);
  await again.close();
}

it('a direct write takes whole blocks from aligned memory and is read through the page cache and past it, or is refused as such', async () => {
  const file = path.join(directory, 'direct');
  const memory = nodeFileSystem.directMemory();
  const block = memory.subarray(0, DIRECT_BLOCK_BYTES).fill('d');
  try {
    const opened = await nodeFileSystem.open(file, 'createDirect');
    expect(await opened.write(block, 0)).toBe(block.length);
    expect(fs.readFileSync(file)).toEqual(block);
    await opened.close();
    fs.appendFileSync(file, 'the end');
    const read = await nodeFileSystem.open(file, 'readDirect');
    expect(await read.read(memory.subarray(0, 2 * block.length), 0)).toBe(block.length + 7);
    expect(memory.toString('utf8', block.length - 1, block.length + 7)).toBe('dthe end');
    expect(await read.read(memory, 2 * block.length)).toBe(0);
    await read.close();
  } catch (error) {
    // tmpfs, for one.
    expect(refusesDirect(error)).toBe(true);
  }
});

/** The log refuses for a moment after a failure; how long is its own affair. */
async function untilTaken(admit: () => void): Promise<void> {
  for (;;) {
    try {
      admit();
      return;
    } catch (error) {
      expect(error).toBeInstanceOf(LogFull);
      await sleep(systemClock, 20);
    }
  }
}
