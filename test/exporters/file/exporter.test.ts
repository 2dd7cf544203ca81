import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { silentLogger } from '../../../config/logger.ts';
import type { ExportBatch, Exporter } from '../../../exporters/exporter.ts';
import { fileExporter } from '../../../exporters/file/exporter.ts';
import { logsRequest } from '../../e2e/requests.ts';

let directory: string;
let exporter: Exporter;
let file: string;

beforeEach(async () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-file-'));
  file = path.join(directory, 'out.jsonl');
  const config = fileExporter.schema.parse({ path: file });
  exporter = fileExporter.create(config, { id: 'file', version: '0', logger: silentLogger });
  await exporter.start();
});

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
