// Shows what passes by: how much, an item a line, or everything. Invariant: it takes everything and keeps nothing; what it
// cannot show it says and lets pass.

import { itemName } from '../../otlp/signal.ts';
import { requestToDetails } from '../../otlp/text/details.ts';
import { requestToLines } from '../../otlp/text/lines.ts';
import type { ExportBatch, Exporter, ExporterContext, Outcome } from '../exporter.ts';
import { plainPayload } from '../plain.ts';
import type { DebugConfig } from './config.ts';
import { Sampling } from './sampling.ts';

const textOf = { normal: requestToLines, detailed: requestToDetails } as const;

class DebugExporter implements Exporter {
  readonly #config: DebugConfig;
  readonly #context: ExporterContext;
  readonly #sampling: Sampling;

  constructor(config: DebugConfig, context: ExporterContext) {
    this.#config = config;
    this.#context = context;
    this.#sampling = new Sampling(config.sampling_initial, config.sampling_thereafter);
  }

  async start(): Promise<void> {}

  async send(batch: ExportBatch): Promise<Outcome> {
    if (this.#sampling.isShown(Date.now())) {
      this.#say(batch.signal, {
        [itemName[batch.signal]]: batch.items,
        requests: batch.entries.length,
        bytes: batch.rawBytes,
      });
      const { verbosity } = this.#config;
      if (verbosity !== 'basic') this.#say(await shown(batch, textOf[verbosity]));
    }
    return { kind: 'delivered' };
  }

  async stop(): Promise<void> {}

  #say(message: string, fields?: Record<string, number>): void {
    if (this.#config.use_internal_logger) this.#context.logger.info(message, fields);
    else process.stdout.write(`${message}${fields ? ` ${JSON.stringify(fields)}` : ''}\n`);
  }
}

async function shown(batch: ExportBatch, text: (typeof textOf)[keyof typeof textOf]): Promise<string> {
  const lines: string[] = [];
  for (const entry of batch.entries) {
    try {
      for (const line of text(entry.signal, await plainPayload(entry))) lines.push(line);
    } catch (error) {
      lines.push(
        `(a request that cannot be shown: ${error instanceof Error ? error.message : String(error)})`,
      );
    }
  }
  return lines.join('\n');
}

export const create = (config: DebugConfig, context: ExporterContext): Exporter =>
  new DebugExporter(config, context);
