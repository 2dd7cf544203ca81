import { expect, test } from '@jest/globals';
import { type LogFields, type Logger, silentLogger } from '../../../config/logger.ts';
import { debugExporter } from '../../../exporters/debug/exporter.ts';

test('says one line per batch and takes everything', async () => {
  const said: [string, LogFields | undefined][] = [];
  const logger: Logger = { ...silentLogger, info: (message, fields) => said.push([message, fields]) };
  const exporter = debugExporter.create(debugExporter.schema.parse({}), {
    id: 'debug',
    version: '0',
    logger,
  });
  const batch = { signal: 'traces' as const, entries: [], items: 512, rawBytes: 1000 };
  expect(await exporter.send(batch, new AbortController().signal)).toEqual({ kind: 'delivered' });
  expect(said).toEqual([['traces', { spans: 512, requests: 0, bytes: 1000 }]]);
});

test('does not pin the disk unless told to', () => {
  expect(debugExporter.drain(debugExporter.schema.parse({})).protect).toBe(false);
  expect(debugExporter.drain(debugExporter.schema.parse({ protect: true })).protect).toBe(true);
});

test('refuses a verbosity that is not there yet', () => {
  expect(debugExporter.schema.safeParse({ verbosity: 'detailed' }).success).toBe(false);
});
