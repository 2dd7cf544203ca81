// Says in the log what passes by: one line per batch. Invariant: it takes everything and keeps nothing.

import { itemName, signals } from '../../otlp/signal.ts';
import { drainConfigOf, drainNotes } from '../drain/config.ts';
import type { ExportBatch, Exporter, ExporterContext, ExporterFactory, Outcome } from '../exporter.ts';
import { type DebugConfig, debugConfig } from './config.ts';

class DebugExporter implements Exporter {
  readonly #context: ExporterContext;

  constructor(context: ExporterContext) {
    this.#context = context;
  }

  async start(): Promise<void> {}

  async send(batch: ExportBatch): Promise<Outcome> {
    this.#context.logger.info(batch.signal, {
      [itemName[batch.signal]]: batch.items,
      requests: batch.entries.length,
      bytes: batch.rawBytes,
    });
    return { kind: 'delivered' };
  }

  async stop(): Promise<void> {}
}

export const debugExporter: ExporterFactory<DebugConfig> = {
  type: 'debug',
  aliases: ['logging'],
  description: 'Says in the log what passes by, one line per batch.',
  signals,
  schema: debugConfig,
  drain: drainConfigOf,
  notes: drainNotes,
  create: (_config, context) => new DebugExporter(context),
};
