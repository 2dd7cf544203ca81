// The components of this build, and an exporter that takes its thread with it when it meets a certain text; once, so that the
// thread that is started again lives.

import fs from 'node:fs';
import * as z from 'zod';
import { components } from '../../../agent/components.ts';
import type { Components } from '../../../agent/schema/agent_config.ts';
import { section } from '../../../config/fields.ts';
import type { Exporter, ExporterFactory } from '../../../exporters/exporter.ts';
import { signals } from '../../../otlp/signal.ts';
import { drainConfig } from '../fake_exporter.ts';

export const DEADLY = 'deadly';

const schema = section({
  /** Made when a thread dies: none dies after it. */
  marker: z.string(),
  /** How it dies: of an error that nobody catches, or of its limit of memory. */
  of: z.enum(['error', 'memory']),
});

const dyingExporter: ExporterFactory<z.output<typeof schema>> = {
  type: 'dying',
  description: 'Ends its thread, once.',
  signals,
  schema,
  drain: () => drainConfig,
  notes: () => [],
  load: async () => ({ create: dying }),
};

const dying = ({ marker, of }: z.output<typeof schema>): Exporter => ({
  async start() {},
  async send({ entries }) {
    const deadly = entries.some(({ payload }) => Buffer.from(payload).includes(DEADLY));
    if (deadly && !fs.existsSync(marker)) {
      fs.writeFileSync(marker, '');
      setImmediate(of === 'error' ? fail : useUp);
    }
    return { kind: 'delivered' };
  },
  async stop() {},
});

function fail(): never {
  throw new Error('the thread was told to die');
}

function useUp(): void {
  const kept: unknown[] = [];
  for (;;) kept.push({ kept });
}

export const dyingComponents: Components = {
  receivers: components.receivers,
  exporters: [...components.exporters, dyingExporter],
};
