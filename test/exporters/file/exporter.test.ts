import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gzipSync, zstdDecompressSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { silentLogger } from '../../../config/logger.ts';
import type { ExportBatch, Exporter } from '../../../exporters/exporter.ts';
import { fileExporter } from '../../../exporters/file/factory.ts';
import { requestToJson } from '../../../otlp/json/from_protobuf.ts';
import { logsRequest } from '../../e2e/requests.ts';

let directory: string;
let exporter: Exporter;
let file: string;

beforeEach(async () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-file-'));
  file = path.join(directory, 'out.jsonl');
  exporter = await started();
});

async function started(options: object = {}): Promise<Exporter> {
  const config = fileExporter.schema.parse({ path: file, ...options });
  const made = (await fileExporter.load()).create(config, { id: 'file', version: '0', logger: silentLogger });
  await made.start();
  return made;
}

afterEach(async () => {
  await exporter.stop();
  fs.rmSync(directory, { recursive: true, force: true });
});

function batchOf(payloads: readonly Buffer[], gzip = false): ExportBatch {
  const entries = payloads.map((payload) => ({
    signal: 'logs' as const,
    codec: gzip ? ('gzip' as const) : ('identity' as const),
    items: 1,
    rawLength: payload.length,
    payload: gzip ? gzipSync(payload) : payload,
  }));
  const rawBytes = payloads.reduce((sum, payload) => sum + payload.length, 0);
  return { signal: 'logs', entries, items: payloads.length, rawBytes };
}

const never = new AbortController().signal;

test.each([false, true])('writes one line of OTLP JSON per request, stored as gzip: %s', async (gzip) => {
  const outcome = await exporter.send(batchOf([logsRequest(['a', 'b']), logsRequest(['c'])], gzip), never);
  expect(outcome).toEqual({ kind: 'delivered' });
  const lines = fs.readFileSync(file, 'utf8').trimEnd().split('\n');
  const bodies = lines.map((text) => {
    const request = JSON.parse(text) as {
      resourceLogs: { scopeLogs: { logRecords: { body: object }[] }[] }[];
    };
    return request.resourceLogs[0]!.scopeLogs[0]!.logRecords.map((record) => record.body);
  });
  expect(bodies).toEqual([[{ stringValue: 'a' }, { stringValue: 'b' }], [{ stringValue: 'c' }]]);
});

test.each([
  ['a directory', () => directory, 'EISDIR'],
  ['below a file', () => path.join(file, 'out.jsonl'), 'ENOTDIR'],
])(
  'a path that is %s is an error at the start, with exporter, path and advice',
  async (_what, place, code) => {
    await expect(started({ path: place() })).rejects.toMatchObject({
      code: 'HF_EXPORT_FILE_OPEN',
      message: expect.stringMatching(
        `^exporter file cannot open ${place()} \\(${code}\\): .*name .*\\(path\\)$`,
      ),
    });
  },
);

test('what cannot be shown as JSON is rejected and nothing of its batch is written', async () => {
  const outcome = await exporter.send(batchOf([logsRequest(['a']), Buffer.from([0x0a, 0x7f])]), never);
  expect(outcome).toMatchObject({ kind: 'rejected' });
  expect(fs.readFileSync(file, 'utf8')).toBe('');
});

test('an entry whose stored form is damaged is rejected, not tried for ever', async () => {
  const batch = batchOf([logsRequest(['a'])], true);
  const [entry] = batch.entries;
  const damaged = { ...batch, entries: [{ ...entry!, payload: entry!.payload.subarray(0, 12) }] };
  expect(await exporter.send(damaged, never)).toMatchObject({ kind: 'rejected' });
});

test('a disk that refuses is a reason to try again', async () => {
  await exporter.stop();
  fs.rmSync(file);
  fs.mkdirSync(file);
  expect(await exporter.send(batchOf([logsRequest(['a'])]), never)).toMatchObject({ kind: 'retry' });
  fs.rmdirSync(file);
  expect(await exporter.send(batchOf([logsRequest(['a'])]), never)).toEqual({ kind: 'delivered' });
});

test('text is one line per record, and a batch that was cut off is written again whole', async () => {
  await exporter.stop();
  exporter = await started({ format: 'text' });
  await exporter.send(batchOf([logsRequest(['two\nlines', 'b'])]), never);
  await exporter.stop();
  fs.appendFileSync(file, '2026-11-21T00:00:00.000000000Z INFO half of a li');
  exporter = await started({ format: 'text' });
  await exporter.send(batchOf([logsRequest(['c'])]), never);
  const found = fs.readFileSync(file, 'utf8').trimEnd().split('\n');
  expect(found).toHaveLength(3);
  expect(found.map((each) => /two\\nlines| b| c/.exec(each)?.[0].trim())).toEqual(['two\\nlines', 'b', 'c']);
});

/** As the Collector reads what it wrote: a length, then so many bytes. */
function records(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 + bytes.readUInt32BE(at);
    found.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return found;
}

test.each([
  ['proto', 'none'],
  ['proto', 'zstd'],
  ['json', 'zstd'],
])(
  '%s with compression %s is framed by lengths, and goes on behind the last whole record after a crash',
  async (format, compression) => {
    await exporter.stop();
    const requests = [logsRequest(['a']), logsRequest(['b', 'c'])];
    exporter = await started({ format, compression });
    await exporter.send(batchOf([requests[0]!]), never);
    await exporter.stop();
    const whole = fs.statSync(file).size;
    for (const torn of [1, 4, 7]) {
      fs.appendFileSync(file, fs.readFileSync(file).subarray(0, torn));
      exporter = await started({ format, compression });
      expect(fs.statSync(file).size).toBe(whole);
      await exporter.stop();
    }
    exporter = await started({ format, compression });
    await exporter.send(batchOf([requests[1]!]), never);
    const plain = records(fs.readFileSync(file)).map((each) =>
      compression === 'zstd' ? zstdDecompressSync(each) : each,
    );
    const expected =
      format === 'proto' ? requests : requests.map((each) => Buffer.from(requestToJson('logs', each)));
    expect(plain).toEqual(expected);
  },
);

test('a request that begins with a field of the future is written so that the file is known again', async () => {
  await exporter.stop();
  const future = Buffer.concat([Buffer.from([0x7a, 1, 0x61]), logsRequest(['a'])]);
  exporter = await started({ format: 'proto' });
  await exporter.send(batchOf([future]), never);
  await exporter.stop();
  exporter = await started({ format: 'proto' });
  const [record] = records(fs.readFileSync(file));
  expect(record!.subarray(2)).toEqual(future);
  expect(requestToJson('logs', record!)).toBe(
    requestToJson('logs', Buffer.concat([Buffer.from([0x0a, 0]), logsRequest(['a'])])),
  );
});

test('a file of somebody else is never cut: the start fails and says so', async () => {
  await exporter.stop();
  fs.writeFileSync(file, 'not of ours, and long enough to hold a length');
  await expect(started({ format: 'proto' })).rejects.toMatchObject({ code: 'HF_EXPORT_FILE_FOREIGN' });
  expect(fs.readFileSync(file, 'utf8')).toMatch(/^not of ours/);
});

test.each([
  [{ format: 'text', compression: 'zstd' }, 'compression'],
  [{ compression: 'zstd', rotation: { compression: 'gzip' } }, 'rotation.compression'],
  [{ append: false }, 'append'],
])('%j is refused at %s', (options, at) => {
  const parsed = fileExporter.schema.safeParse({ path: file, ...options });
  expect(parsed.error?.issues.map((issue) => issue.path.join('.'))).toEqual([at]);
});
