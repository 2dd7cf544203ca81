import { expect, test } from '@jest/globals';
import { logOptions } from '../../../agent/log_options.ts';
import type { AgentConfig, ConfiguredExporter } from '../../../agent/schema/agent_config.ts';
import { bufferSchema } from '../../../agent/schema/buffer.ts';
import { shareOf } from '../../../agent/workers/share.ts';
import { silentLogger } from '../../../config/logger.ts';
import { drainConfig } from '../fake_exporter.ts';

test('a link that carries so many bytes a second carries them for all workers together; 0 stays without limit', () => {
  const exporters = [1001, 0].map(
    (rate_limit_bytes_per_s) =>
      ({ id: 'a', drain: { ...drainConfig, rate_limit_bytes_per_s } }) as ConfiguredExporter,
  );
  const shared = shareOf({ exporters } as unknown as AgentConfig, 2);
  expect(shared.exporters.map(({ drain }) => drain.rate_limit_bytes_per_s)).toEqual([501, 0]);
});

test('memory is divided, the disk budget is one, and segments leave room for those of the others', () => {
  const buffer = bufferSchema.parse({ max_size: '64MiB', in_flight: '64MiB' });
  const share = { directory: '/x', logs: 4, maxOpen: 8, disk: undefined };
  const options = logOptions(buffer, share, silentLogger);
  expect(options).toMatchObject({
    inFlightMax_bytes: 2 ** 24,
    hotTail_bytes: 2 ** 22,
    segment: { maxBytes: 2 ** 21 },
    retention: { maxSize_bytes: 2 ** 26 },
  });
  expect(options).not.toHaveProperty('sharedDisk');
});
