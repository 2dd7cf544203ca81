import { expect, jest, test } from '@jest/globals';
import { debugExporter } from '../../../exporters/debug/factory.ts';
import type { ExportBatch } from '../../../exporters/exporter.ts';
import { tellingLogger } from '../../config/telling_logger.ts';
import { logsRequest } from '../../e2e/requests.ts';

const never = new AbortController().signal;

function batchOf(...payloads: readonly Buffer[]): ExportBatch {
  const entries = payloads.map((payload) => {
    return {
      signal: 'logs' as const,
      codec: 'identity' as const,
      items: 1,
      rawLength: payload.length,
      payload,
    };
  });
  return { signal: 'logs', entries, items: payloads.length, rawBytes: 1 };
}

async function said(options: object, batch: ExportBatch): Promise<[string, unknown][]> {
  const lines: [string, unknown][] = [];
  const logger = tellingLogger((_, message, fields) => lines.push([message, fields]));
  const exporter = (await debugExporter.load()).create(debugExporter.schema.parse(options), {
    id: 'debug',
    version: '0',
    logger,
  });
  expect(await exporter.send(batch, never)).toEqual({ kind: 'delivered' });
  return lines;
}

const summary = ['logs', { log_records: 1, requests: 1, bytes: 1 }];

test('basic says how much', async () => {
  expect(await said({}, batchOf(logsRequest(['a'])))).toEqual([summary]);
});

test('normal adds a line per item, detailed everything', async () => {
  const batch = batchOf(logsRequest(['hello']));
  const [first, second] = await said({ verbosity: 'normal' }, batch);
  expect(first).toEqual(summary);
  expect(second![0]).toMatch(/ hello/);
  const [, all] = await said({ verbosity: 'detailed' }, batch);
  expect(all![0]).toMatch(/^ResourceLog #0\n[\s\S]*\nBody: Str\(hello\)\n/);
});

test('what cannot be shown passes, and it is said', async () => {
  const [, shown] = await said({ verbosity: 'normal' }, batchOf(Buffer.from([0x0a, 0x7f])));
  expect(shown![0]).toMatch(/^\(a request that cannot be shown: /);
});

test('writes to the standard output where the log is not wanted', async () => {
  const written: string[] = [];
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  expect(await said({ use_internal_logger: false }, batchOf(logsRequest(['a'])))).toEqual([]);
  write.mockRestore();
  expect(written).toEqual(['logs {"log_records":1,"requests":1,"bytes":1}\n']);
});
