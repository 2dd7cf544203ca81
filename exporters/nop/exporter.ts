// Takes everything and does nothing with it, as the Collector's: for pipelines that need an exporter and no backend, and to
// measure what is before it. Invariant: every batch counts as delivered.

import type * as z from 'zod';
import { section } from '../../config/fields.ts';
import { signals } from '../../otlp/signal.ts';
import { drainConfigOf, drainNotes, drainShape } from '../drain/config.ts';
import type { Exporter, ExporterFactory, Outcome } from '../exporter.ts';

const nopConfig = section({ ...drainShape });

const nothing: Exporter = {
  async start() {},
  async send(): Promise<Outcome> {
    return { kind: 'delivered' };
  },
  async stop() {},
};

export const nopExporter: ExporterFactory<z.output<typeof nopConfig>> = {
  type: 'nop',
  description: 'Takes everything and does nothing with it.',
  signals,
  schema: nopConfig,
  drain: drainConfigOf,
  notes: drainNotes,
  load: async () => ({ create: () => nothing }),
};
