import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import zlib from 'node:zlib';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { lines } from '../../../exporters/file/framing.ts';
import { type RotatedCompression, RotatedFiles } from '../../../exporters/file/rotated_files.ts';
import { RotatingFile } from '../../../exporters/file/rotating_file.ts';

let directory: string;
let file: string;
let now_ms: number;
let rotated: RotatedFiles;
const open: RotatingFile[] = [];

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-file-'));
  file = path.join(directory, 'deep/er/telemetry.jsonl');
  now_ms = Date.UTC(2026, 10, 21);
});

afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all(open.splice(0).map((each) => each.close()));
  fs.rmSync(directory, { recursive: true, force: true });
});

async function opened(
  options: {
    max_bytes?: number;
    maxAge_ms?: number;
    keep_ms?: number;
    maxBackups?: number;
    compression?: RotatedCompression;
  } = {},
): Promise<RotatingFile> {
  rotated = new RotatedFiles({
    path: file,
    keep_ms: options.keep_ms ?? 0,
    maxBackups: options.maxBackups ?? 0,
    compression: options.compression ?? 'none',
    localTime: false,
    now: () => now_ms,
    onProblem: (error) => {
      throw error;
    },
  });
  const rotating = new RotatingFile({
    path: file,
    max_bytes: options.max_bytes ?? 1000,
    maxAge_ms: options.maxAge_ms ?? 0,
    framing: lines('{"resource'),
    rotated,
    now: () => now_ms,
  });
  open.push(rotating);
  await rotating.open();
  return rotating;
}

const line = (text: string): Buffer => Buffer.from(`${text}\n`);
const names = (): string[] => fs.readdirSync(path.dirname(file)).sort();

test('creates folders, appends lines, and goes on where it was after a restart', async () => {
  const first = await opened();
  await first.append(line('one'));
  await first.close();
  const second = await opened();
  await second.append(line('two'));
  expect(fs.readFileSync(file, 'utf8')).toBe('one\ntwo\n');
  expect(fs.statSync(file).mode & 0o777).toBe(0o600);
});

test('cuts off the line that a crash left unfinished, and nothing else', async () => {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const half = `{"resourceLogs":[${'x'.repeat(200_000)}`;
  fs.writeFileSync(file, `whole\nwhole too\n${half}`);
  const rotating = await opened({ max_bytes: 1e6 });
  await rotating.append(line('next'));
  expect(fs.readFileSync(file, 'utf8')).toBe('whole\nwhole too\nnext\n');
});

test('an unfinished first line leaves an empty file', async () => {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  for (const half of ['{', '{"reso', '{"resourceSpans":[{"sco']) {
    fs.writeFileSync(file, half);
    const rotating = await opened();
    expect(fs.readFileSync(file, 'utf8')).toBe('');
    await rotating.close();
  }
});

test('a folder that cannot be made is an error, not a wait without end', async () => {
  file = '/proc/holdfast-nobody/deep/telemetry.jsonl';
  await expect(opened()).rejects.toMatchObject({ code: 'ENOENT' });
});

test('text of somebody else without a newline at its end is kept', async () => {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, 'not of ours');
  const rotating = await opened();
  await rotating.append(line('next'));
  expect(fs.readFileSync(file, 'utf8')).toBe('not of ours\nnext\n');
});

test('begins a new file before the size is passed, and keeps every line once', async () => {
  const rotating = await opened({ max_bytes: 10 });
  for (const text of ['1234567', '89', 'abcdef', 'this alone is longer than the limit']) {
    now_ms += 1000;
    await rotating.append(line(text));
  }
  const all = names().map((name) => fs.readFileSync(path.join(path.dirname(file), name), 'utf8'));
  expect(all.join('').split('\n').filter(Boolean).sort()).toEqual(
    ['1234567', '89', 'abcdef', 'this alone is longer than the limit'].sort(),
  );
  expect(names()).toEqual([
    'telemetry-2026-11-21T00-00-02.000.jsonl',
    'telemetry-2026-11-21T00-00-04.000.jsonl',
    'telemetry.jsonl',
  ]);
});

test('two rotations in the same millisecond overwrite nothing', async () => {
  const rotating = await opened({ max_bytes: 2 });
  for (const text of ['a', 'b', 'c']) await rotating.append(line(text));
  expect(names()).toHaveLength(3);
});

test('keeps no more rotated files than asked for, the newest', async () => {
  const rotating = await opened({ max_bytes: 2, maxBackups: 2 });
  for (const text of ['a', 'b', 'c', 'd', 'e']) {
    now_ms += 1000;
    await rotating.append(line(text));
  }
  await rotated.idle();
  const kept = names().map((name) => fs.readFileSync(path.join(path.dirname(file), name), 'utf8').trim());
  expect(kept).toEqual(['c', 'd', 'e']);
});

test('begins a new file when the old one is too old', async () => {
  now_ms = Date.now();
  const rotating = await opened({ maxAge_ms: 60_000 });
  await rotating.append(line('old'));
  now_ms += 61_000;
  await rotating.append(line('new'));
  expect(fs.readFileSync(file, 'utf8')).toBe('new\n');
  expect(names()).toHaveLength(2);
});

test('removes rotated files that are older than asked for', async () => {
  now_ms = Date.now();
  const rotating = await opened({ max_bytes: 2, keep_ms: 60_000 });
  await rotating.append(line('a'));
  await rotating.append(line('b'));
  expect(names()).toHaveLength(2);
  now_ms += 61_000;
  await rotating.append(line('c'));
  await rotated.idle();
  expect(names()).toEqual(['telemetry.jsonl']);
});

test('files of others beside it are left alone', async () => {
  const rotating = await opened({ max_bytes: 2, maxBackups: 1 });
  fs.writeFileSync(path.join(path.dirname(file), 'telemetry-notes.jsonl'), 'mine');
  for (const text of ['a', 'b', 'c', 'd']) await rotating.append(line(text));
  await rotated.idle();
  expect(names()).toContain('telemetry-notes.jsonl');
});

test('appends that come together share one sync and keep their order', async () => {
  const rotating = await opened();
  const texts = Array.from({ length: 50 }, (_, index) => `line ${index}`);
  await Promise.all(texts.map((text) => rotating.append(line(text))));
  expect(fs.readFileSync(file, 'utf8')).toBe(`${texts.join('\n')}\n`);
});

test('after a failed sync nobody is told yes, no part of the lines stays, and the next append works', async () => {
  const rotating = await opened();
  await rotating.append(line('kept'));
  const probe = await fs.promises.open(file, 'r');
  const prototype = Object.getPrototypeOf(probe) as { datasync: () => Promise<void> };
  await probe.close();
  jest.spyOn(prototype, 'datasync').mockRejectedValueOnce(Object.assign(new Error('disk'), { code: 'EIO' }));
  await expect(rotating.append(line('refused'))).rejects.toThrow('disk');
  expect(fs.readFileSync(file, 'utf8')).toBe('kept\n');
  await rotating.append(line('again'));
  expect(fs.readFileSync(file, 'utf8')).toBe('kept\nagain\n');
});

test.each(['gzip', 'zstd'] as const)(
  'compresses rotated files whole with %s, beside the way of the data',
  async (compression) => {
    const rotating = await opened({ max_bytes: 2, compression });
    for (const text of ['a', 'b', 'c']) {
      now_ms += 1000;
      await rotating.append(line(text));
    }
    await rotated.idle();
    const ending = compression === 'gzip' ? 'gz' : 'zst';
    expect(names()).toEqual([
      `telemetry-2026-11-21T00-00-02.000.jsonl.${ending}`,
      `telemetry-2026-11-21T00-00-03.000.jsonl.${ending}`,
      'telemetry.jsonl',
    ]);
    const expand = compression === 'gzip' ? zlib.gunzipSync : zlib.zstdDecompressSync;
    const contents = names()
      .slice(0, 2)
      .map((name) => expand(fs.readFileSync(path.join(path.dirname(file), name))).toString());
    expect(contents).toEqual(['a\n', 'b\n']);
  },
);

test('what a crash left between compressing and removing is finished at the next start, and nothing is lost', async () => {
  const folder = path.dirname(file);
  fs.mkdirSync(folder, { recursive: true });
  const whole = 'telemetry-2026-11-20T00-00-01.000.jsonl';
  const half = 'telemetry-2026-11-20T00-00-02.000.jsonl';
  for (const name of [whole, half]) fs.writeFileSync(path.join(folder, name), `${name}\n`);
  fs.writeFileSync(path.join(folder, `${whole}.gz`), zlib.gzipSync(`${whole}\n`));
  fs.writeFileSync(path.join(folder, `${half}.gz.tmp`), zlib.gzipSync(`${half}\n`).subarray(0, 9));
  await opened({ compression: 'gzip' });
  await rotated.idle();
  expect(names()).toEqual([`${whole}.gz`, `${half}.gz`, 'telemetry.jsonl']);
  expect(zlib.gunzipSync(fs.readFileSync(path.join(folder, `${half}.gz`))).toString()).toBe(`${half}\n`);
});

test('compressed files are counted and removed like others, by the age of what is in them', async () => {
  now_ms = Date.now();
  const rotating = await opened({ max_bytes: 2, keep_ms: 60_000, compression: 'gzip' });
  await rotating.append(line('a'));
  await rotating.append(line('b'));
  await rotated.idle();
  expect(names().filter((name) => name.endsWith('.gz'))).toHaveLength(1);
  now_ms += 61_000;
  await rotating.append(line('c'));
  await rotated.idle();
  expect(names()).toEqual(['telemetry.jsonl']);
});
