// The verbs that look at a log on disk, on a real one: what they print, and their exit codes.

import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runCommandLine } from '../../../agent/command_line.ts';
import { progressOn, size } from '../../../agent/commands/on_disk.ts';
import { Log } from '../../../buffer/index.ts';
import { recordingTerminal } from '../recording_terminal.ts';

let directory: string;
let segment: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'holdfast-on-disk-'));
  const log = await Log.open({ directory, retention: { minFreeSpace_bytes: 0 } });
  const shard = (await log.stream('logs')).shardOf(0);
  for (const text of ['one', 'two', 'three']) await shard.durable(shard.append([Buffer.from(text)]));
  await log.close();
  segment = path.join(directory, 'logs/0/00000000000000000000.log');
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

async function call(...args: string[]) {
  const terminal = recordingTerminal();
  const code = await runCommandLine(args, terminal);
  return { code, out: terminal.outText(), err: terminal.errText() };
}

async function damage(): Promise<void> {
  const bytes = await readFile(segment);
  bytes[46]! ^= 1;
  await writeFile(segment, bytes);
}

describe('holdfast verify, repair and inspect', () => {
  it('say that a log is whole', async () => {
    const { code, out, err } = await call('verify', directory);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/: whole \(3 entries in 1 segments of 1 shards, \d+ B\)\n$/);
  });

  it('look at the logs of workers too, each told by its directory', async () => {
    const workers = path.join(directory, '_workers');
    await mkdir(workers);
    await cp(path.join(directory, 'logs'), path.join(workers, '1/logs'), { recursive: true });
    await cp(path.join(directory, 'owner'), path.join(workers, '1/owner'));
    const whole = await call('verify', directory);
    expect(whole.code).toBe(0);
    expect(whole.out.match(/: whole /g)).toHaveLength(2);
    segment = path.join(workers, '1/logs/0/00000000000000000000.log');
    await damage();
    const found = await call('verify', directory, '--json');
    expect(found.code).toBe(1);
    expect(JSON.parse(found.out)).toMatchObject({ damage: [], workers: [{ damage: [{ file: segment }] }] });
    const repaired = await call('repair', directory);
    expect(repaired.out).toContain(`${workers}/1: 1 damaged, now in order`);
    expect((await call('verify', directory)).code).toBe(0);
  });

  it('find damage, put it in order, and find it in order', async () => {
    await damage();
    const found = await call('verify', directory);
    expect(found.code).toBe(1);
    expect(found.out).toContain(
      `${segment}: damaged bytes (logs/0; position 45, 45 bytes; offsets 1 to 1 (1 entries))`,
    );
    expect(found.err).toContain('holdfast repair');
    const repaired = await call('repair', directory);
    expect(repaired.code).toBe(0);
    expect(repaired.out).toContain('1 damaged, now in order');
    const [copy] = await readdir(path.join(directory, 'logs/0/quarantine'));
    expect(repaired.out).toContain(`quarantine/${copy}`);
    const after = await call('verify', directory, '--json');
    expect(after.code).toBe(0);
    expect(JSON.parse(after.out)).toMatchObject({ entries: 2, damage: [{ kind: 'lost', known: true }] });
  });

  it('show the frames of a segment, as a table and as lines of JSON', async () => {
    const table = await call('inspect', segment);
    expect(table.code).toBe(0);
    expect(table.out.split('\n').length).toBe(5);
    await damage();
    const lines = await call('inspect', segment, '--json');
    expect(lines.code).toBe(1);
    const kinds = lines.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).kind);
    expect(kinds).toEqual(['frame', 'damage', 'frame']);
    expect((await call('inspect', segment)).out).toContain('DAMAGED');
    for (const file of ['owner', 'logs/0/ledger']) {
      expect((await call('inspect', path.join(directory, file))).out).toMatch(/^slot 0: HF/);
    }
  });

  it.each(['verify', 'repair', 'inspect'])('%s says what is missing', async (verb) => {
    const nothing = await call(verb);
    expect([nothing.code, nothing.out]).toEqual([2, '']);
    expect(nothing.err).toMatch(new RegExp(`(DIR|FILE) is missing: holdfast ${verb}`));
    const absent = await call(verb, path.join(directory, 'absent'));
    expect(absent.code).toBe(1);
    expect(absent.err).toContain('does not exist (HF_BUFFER_DISK)');
    expect((await call(verb, 'a', 'b')).code).toBe(2);
    expect((await call(verb, '--help')).out).toMatch(
      new RegExp(`Usage: holdfast ${verb} (DIR|FILE) \\[options\\]`),
    );
  });

  it('say which of them wants a file, and which the directory of a log', async () => {
    expect((await call('inspect', directory)).err).toContain(
      'is a directory: holdfast inspect takes one file',
    );
    for (const verb of ['verify', 'repair']) {
      expect((await call(verb, segment)).err).toContain('is a file: holdfast inspect takes it');
      const above = await call(verb, path.join(directory, 'logs/0/..', '..', 'logs', '0'));
      expect(above.err).toContain('the one that holds the file "owner"');
    }
  });

  it('verify and repair leave a log alone that has an owner', async () => {
    const log = await Log.open({ directory });
    for (const verb of ['verify', 'repair']) {
      const { code, err } = await call(verb, directory);
      expect(code).toBe(1);
      expect(err).toContain('HF_BUFFER_OWNER_PRESENT');
    }
    expect((await call('verify', directory, '--force')).code).toBe(0);
    await log.close();
  });

  it('tell of long work on stderr', () => {
    const terminal = recordingTerminal();
    const progress = progressOn(terminal);
    for (let read = 0; read <= 8; read++) progress(read * 128 * 1024 ** 2, 1024 ** 3);
    expect(terminal.errText().split('\n')[0]).toBe('256.0 MiB of 1.0 GiB read (25 %)');
    expect(terminal.errText().trimEnd().split('\n').length).toBe(4);
    expect([size(0), size(1023), size(1536)]).toEqual(['0 B', '1023 B', '1.5 KiB']);
  });
});
