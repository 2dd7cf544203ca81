// An exporter for tests of the agent: keeps what it is sent, and answers as the test says.

import { section } from '../../config/fields.ts';
import type { DrainConfig } from '../../exporters/drain/config.ts';
import type { ExportBatch, Exporter, ExporterFactory, Outcome } from '../../exporters/exporter.ts';
import type { Signal } from '../../otlp/signal.ts';

export const drainConfig: DrainConfig = {
  retry: {
    initial_interval_ms: 5,
    max_interval_ms: 20,
    multiplier: 1.5,
    randomization_factor: 0,
    max_elapsed_time_ms: 0,
  },
  timeout_ms: 10_000,
  batch: { max_bytes: 2 ** 20, max_items: 8_192, passthrough_bytes: 2 ** 20, flush_timeout_ms: 0 },
  max_in_flight: 1,
  rate_limit_bytes_per_s: 0,
  on_rejected: 'auto',
  protect: true,
  max_lag: {},
};

export interface Sent {
  readonly signal: Signal;
  readonly items: number;
  readonly payloads: readonly Buffer[];
}

export class FakeBackend {
  readonly sent: Sent[] = [];
  /** What `send` answers; may wait. */
  answer: (batch: ExportBatch, abort: AbortSignal) => Promise<Outcome> = async () => ({ kind: 'delivered' });
  #waiting: { readonly items: number; readonly resolve: () => void }[] = [];

  get items(): number {
    return this.sent.reduce((sum, { items }) => sum + items, 0);
  }

  /** Resolves when it has so many items. */
  received(items: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ items, resolve });
    this.#wake();
    return promise;
  }

  factory(type: string): ExporterFactory {
    return {
      type,
      description: 'for tests',
      signals: ['traces', 'metrics', 'logs'],
      schema: section({}),
      drain: () => drainConfig,
      notes: () => [],
      load: async () => ({ create: () => this.#create() }),
    };
  }

  #create(): Exporter {
    return {
      start: async () => {},
      stop: async () => {},
      send: async (batch, abort) => {
        const payloads = batch.entries.map((entry) => Buffer.from(entry.payload));
        const { signal, items } = batch;
        const outcome = await this.answer(batch, abort);
        if (outcome.kind === 'delivered') this.sent.push({ signal, items, payloads });
        this.#wake();
        return outcome;
      },
    };
  }

  #wake(): void {
    const reached = this.#waiting.filter(({ items }) => items <= this.items);
    this.#waiting = this.#waiting.filter((each) => !reached.includes(each));
    for (const { resolve } of reached) resolve();
  }
}
