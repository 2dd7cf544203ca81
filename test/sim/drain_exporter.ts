// The exporter of the drain simulation: the body, the exchange and the meaning of answers are those of otlp_http; the
// connection is simulated. Invariant: every request and every outcome is told to the journal, as the drain loop gets it.

import { BlockPool } from '../../buffer/index.ts';
import type { ExportBatch, Exporter, ExporterFactory, Outcome } from '../../exporters/exporter.ts';
import { type BodyForm, bodyOf } from '../../exporters/otlp/body.ts';
import { exchange } from '../../exporters/otlp_http/exchange.ts';
import { outcomeOf } from '../../exporters/otlp_http/outcome.ts';
import { signals } from '../../otlp/signal.ts';
import type { Backend } from './backend.ts';
import type { DrainJournal } from './drain_journal.ts';
import type { World } from './machine.ts';

/** Smaller than the product's, so that a run need not move megabytes. */
export const ANSWER_BYTES_MAX = 64 * 1024;

/** Compressing would leave this thread, and the order of what comes back would not follow from the seed. */
const PLAIN: BodyForm = { encoding: 'proto', compression: 'none', level: 0 };

/** Stands between the drain loop and the simulated connection; planted bugs wrap it. */
export type Send = (batch: ExportBatch, signal: AbortSignal) => Promise<Outcome>;

/** What a planted bug may change of an exporter. */
export interface ExporterBug {
  readonly answerBytesMax?: number;
  readonly send?: (inner: Send) => Send;
}

export function simulatedExporter(
  world: World,
  backend: Backend,
  journal: DrainJournal,
  bug: ExporterBug = {},
): ExporterFactory {
  const { life } = world.process;
  const dispatcher = backend.connection(() => !life.dead);
  const clock = world.clock.of(life);
  const pool = new BlockPool(1024 * 1024);
  const request: Send = async (batch, signal) => {
    const body = await bodyOf(batch, PLAIN, pool);
    const sent = Buffer.from(body.bytes);
    const sending = journal.sending(batch, sent);
    const outcome = await answered(body.bytes, batch, signal);
    if (!life.dead) sending.settled(outcome);
    if (outcome.kind === 'delivered') body.block?.release();
    return outcome;
  };
  const answered = async (bytes: Uint8Array, batch: ExportBatch, signal: AbortSignal): Promise<Outcome> => {
    const options = {
      origin: 'http://backend',
      path: '/',
      headers: [],
      body: bytes,
      responseBytesMax: bug.answerBytesMax ?? ANSWER_BYTES_MAX,
    };
    try {
      return outcomeOf(
        batch.signal,
        await exchange(dispatcher, options, signal),
        clock.now(),
        (text) => text,
      );
    } catch (error) {
      return { kind: 'retry', reason: error instanceof Error ? error.message : String(error) };
    }
  };
  const send = bug.send ? bug.send(request) : request;
  const exporter: Exporter = { start: async () => {}, stop: async () => {}, send };
  return {
    type: 'otlp_http',
    description: 'simulated',
    signals,
    schema: undefined as never,
    drain: (config) => config as never,
    notes: () => [],
    load: async () => ({ create: () => exporter }),
  };
}
