// OTLP over HTTP: one batch, one POST. Invariant: says "delivered" only for a 2xx answer, and whatever else happens on
// the way is an outcome, never an exception.

import type { Dispatcher } from 'undici';
import { BlockPool } from '../../buffer/index.ts';
import { HoldfastError } from '../../config/error.ts';
import { type Signal, signals } from '../../otlp/signal.ts';
import { drainConfigOf, drainNotes } from '../drain/config.ts';
import type { ExportBatch, Exporter, ExporterContext, ExporterFactory, Outcome } from '../exporter.ts';
import { type Body, type BodyForm, bodyOf } from '../otlp/body.ts';
import { bodyFormOf } from '../otlp/config.ts';
import { type Attempt, Failover } from '../otlp/failover.ts';
import { reasonOf, withoutSecrets } from '../otlp/reason.ts';
import { type OtlpHttpConfig, otlpHttpSchema, urlsOf } from './config.ts';
import { openDispatcher } from './connection.ts';
import { type ExchangeRequest, exchange } from './exchange.ts';
import { outcomeOf } from './outcome.ts';

/** OTLP.md, 36: no more of an answer is read. */
const RESPONSE_BYTES_MAX = 4 * 2 ** 20;
const POOL_BYTES_MAX = 4 * 2 ** 20;
/** The destination is down or away; 429 is a destination that is there and wants less. */
const ELSEWHERE: ReadonlySet<number> = new Set([502, 503, 504]);

interface Target {
  readonly origin: string;
  readonly path: string;
  /** Over HTTP/2 nobody can say when a body has left (departure.ts), so it gets a copy of its own. */
  readonly mayBeHttp2: boolean;
}

/** A body on its way, which several destinations may be offered. */
interface Cargo {
  readonly body: Body;
  /** Whoever says no may say it before all was sent, and after a failure who knows: such memory is left to the collector. */
  mayBeRead: boolean;
}

class OtlpHttpExporter implements Exporter {
  readonly #config: OtlpHttpConfig;
  readonly #targets: Readonly<Record<Signal, readonly Target[]>>;
  readonly #failovers: Readonly<Record<Signal, Failover>>;
  readonly #headers: string[];
  readonly #clean: (text: string) => string;
  readonly #form: BodyForm;
  /** Memory for merged bodies: a fresh one for every request keeps the collector busy. */
  readonly #pool = new BlockPool(POOL_BYTES_MAX);
  #dispatcher: Dispatcher | undefined;

  constructor(config: OtlpHttpConfig, context: ExporterContext) {
    this.#config = config;
    this.#form = bodyFormOf(config, config.encoding);
    this.#headers = headersOf(config, this.#form, context.version);
    this.#clean = withoutSecrets(config.headers);
    this.#targets = perSignal((signal) => targetsOf(config, signal));
    this.#failovers = perSignal((signal) => {
      const origins = this.#targets[signal].map((target) => target.origin);
      return new Failover(origins, context.logger);
    });
  }

  async start(): Promise<void> {
    this.#dispatcher = await openDispatcher(this.#config, process.env);
  }

  async send(batch: ExportBatch, signal: AbortSignal): Promise<Outcome> {
    const targets = this.#targets[batch.signal];
    if (targets.length === 0) return { kind: 'rejected', reason: `no endpoint for ${batch.signal}` };
    const dispatcher = this.#dispatcher;
    if (dispatcher === undefined) return { kind: 'retry', reason: 'not started' };
    let body: Body;
    try {
      body = await bodyOf(batch, this.#form, this.#pool);
    } catch (error) {
      // A damaged entry stays damaged. Anything else, a lack of memory, is not the entry's fault.
      return { kind: error instanceof HoldfastError ? 'rejected' : 'retry', reason: reasonOf(error) };
    }
    const cargo: Cargo = { body, mayBeRead: false };
    const attempt = (index: number) =>
      this.#attempt(dispatcher, targets[index]!, batch.signal, cargo, signal);
    const outcome = await this.#failovers[batch.signal].send(attempt, signal);
    if (!cargo.mayBeRead) body.block?.release();
    return outcome;
  }

  async stop(): Promise<void> {
    await this.#dispatcher?.destroy();
    this.#dispatcher = undefined;
  }

  async #attempt(
    dispatcher: Dispatcher,
    target: Target,
    signal: Signal,
    cargo: Cargo,
    abort: AbortSignal,
  ): Promise<Attempt> {
    const request: ExchangeRequest = {
      origin: target.origin,
      path: target.path,
      headers: this.#headers,
      body: target.mayBeHttp2 ? Buffer.from(cargo.body.bytes) : cargo.body.bytes,
      responseBytesMax: RESPONSE_BYTES_MAX,
    };
    try {
      const answer = await exchange(dispatcher, request, abort);
      if (answer.status !== 200) cargo.mayBeRead = true;
      const outcome = outcomeOf(signal, answer, Date.now(), this.#clean);
      return { outcome, elsewhere: ELSEWHERE.has(answer.status) };
    } catch (error) {
      cargo.mayBeRead = true;
      return { outcome: { kind: 'retry', reason: reasonOf(error) }, elsewhere: true };
    }
  }
}

function perSignal<T>(make: (signal: Signal) => T): Record<Signal, T> {
  return { traces: make('traces'), metrics: make('metrics'), logs: make('logs') };
}

function targetsOf(config: OtlpHttpConfig, signal: Signal): Target[] {
  return urlsOf(config, signal).map((url) => ({
    origin: url.origin,
    path: url.pathname + url.search,
    // HTTP/2 is spoken only where TLS offers it.
    mayBeHttp2: url.protocol === 'https:',
  }));
}

function headersOf(config: OtlpHttpConfig, form: BodyForm, version: string): string[] {
  const type = form.encoding === 'json' ? 'application/json' : 'application/x-protobuf';
  const headers = ['content-type', type];
  if (form.compression !== 'none') headers.push('content-encoding', form.compression);
  let named = false;
  for (const [name, value] of Object.entries(config.headers)) {
    named ||= name.toLowerCase() === 'user-agent';
    headers.push(name, value.reveal());
  }
  if (!named) headers.push('user-agent', `Holdfast/${version}`);
  return headers;
}

export const otlpHttpExporter: ExporterFactory<OtlpHttpConfig> = {
  type: 'otlp_http',
  aliases: ['otlphttp'],
  description: 'Sends OTLP over HTTP, as protobuf or JSON, compressed with gzip or zstd or plain.',
  signals,
  schema: otlpHttpSchema,
  drain: drainConfigOf,
  notes: drainNotes,
  create: (config, context) => new OtlpHttpExporter(config, context),
};
