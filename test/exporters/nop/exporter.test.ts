import { expect, test } from '@jest/globals';
import { silentLogger } from '../../../config/logger.ts';
import { nopExporter } from '../../../exporters/nop/exporter.ts';

test('takes every batch', async () => {
  const exporter = (await nopExporter.load()).create(nopExporter.schema.parse(null), {
    id: 'nop',
    version: '0',
    logger: silentLogger,
  });
  await exporter.start();
  const batch = { signal: 'traces', entries: [], items: 0, rawBytes: 0 } as const;
  expect(await exporter.send(batch, new AbortController().signal)).toEqual({ kind: 'delivered' });
  await exporter.stop();
});
