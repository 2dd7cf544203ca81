// OTLP over HTTP: one batch, one POST. Invariant: says "delivered" only for a 2xx answer, and whatever else happens on
// the way is an outcome, never an exception.

import { BlockPool } from '../../buffer/index.ts';
import { HoldfastError } from '../../config/error.ts';
import type { Logger } from '../../config/logger.ts';
import type { Signal } from '../../otlp/signal.ts';
import { credentialsNamed } from '../credentials.ts';
import type { ExportBatch, Exporter, ExporterContext, Outcome } from '../exporter.ts';
import { type Body, type BodyForm, bodyOf } from '../otlp/body.ts';
import { FreshTls } from '../otlp/client_tls.ts';
import { bodyFormOf } from '../otlp/config.ts';
import { type Attempt, Failover } from '../otlp/failover.ts';
import { reasonOf } from '../otlp/reason.ts';
import { SentHeaders } from '../otlp/sent_headers.ts';
import { type OtlpHttpConfig, urlsOf } from './config.ts';
import { HttpConnections } from './connection.ts';
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
  readonly #headers: SentHeaders<string[]>;
  readonly #logger: Logger;
  readonly #form: BodyForm;
  /** Memory for merged bodies: a fresh one for every request keeps the collector busy. */
  readonly #pool = new BlockPool(POOL_BYTES_MAX);
  #connections: HttpConnections | undefined;

  constructor(config: OtlpHttpConfig, context: ExporterContext) {
    this.#config = config;
    this.#form = bodyFormOf(config, config.encoding);
    const credentials = credentialsNamed(config.auth, context.credentials);
    this.#headers = new SentHeaders(config.headers, credentials, (own) =>
      headersOf(own, this.#form, context.version),
    );
    this.#logger = context.logger;
    this.#targets = perSignal((signal) => targetsOf(config, signal));
    this.#failovers = perSignal((signal) => {
      const origins = this.#targets[signal].map((target) => target.origin);
      return new Failover(origins, context.logger);
    });
  }

  async start(): Promise<void> {
    const tls = new FreshTls(this.#config.tls, this.#logger);
    this.#connections = await HttpConnections.open(this.#config, tls, process.env);
  }

  async send(batch: ExportBatch, signal: AbortSignal): Promise<Outcome> {
    const targets = this.#targets[batch.signal];
    if (targets.length === 0) return { kind: 'rejected', reason: `no endpoint for ${batch.signal}` };
    const connections = this.#connections;
    if (connections === undefined) return { kind: 'retry', reason: 'not started' };
    let body: Body;
    try {
      body = await bodyOf(batch, this.#form, this.#pool);
    } catch (error) {
      // A damaged entry stays damaged. Anything else, a lack of memory, is not the entry's fault.
      return { kind: error instanceof HoldfastError ? 'rejected' : 'retry', reason: reasonOf(error) };
    }
    const cargo: Cargo = { body, mayBeRead: false };
    const attempt = (index: number) =>
      this.#attempt(connections, targets[index]!, batch.signal, cargo, signal);
    const outcome = await this.#failovers[batch.signal].send(attempt, signal);
    if (!cargo.mayBeRead) body.block?.release();
    return outcome;
  }

  async stop(): Promise<void> {
    await this.#connections?.destroy();
    this.#connections = undefined;
  }

  async #attempt(
    connections: HttpConnections,
    target: Target,
    signal: Signal,
    cargo: Cargo,
    abort: AbortSignal,
  ): Promise<Attempt> {
    const { headers, clean } = this.#headers.now();
    const request: ExchangeRequest = {
      origin: target.origin,
      path: target.path,
      headers,
      body: target.mayBeHttp2 ? Buffer.from(cargo.body.bytes) : cargo.body.bytes,
      responseBytesMax: RESPONSE_BYTES_MAX,
    };
    try {
      const answer = await exchange(connections.dispatcher(), request, abort);
      if (answer.status !== 200) cargo.mayBeRead = true;
      const outcome = outcomeOf(signal, answer, Date.now(), clean);
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

function headersOf(own: Readonly<Record<string, string>>, form: BodyForm, version: string): string[] {
  const type = form.encoding === 'json' ? 'application/json' : 'application/x-protobuf';
  const headers = ['content-type', type];
  if (form.compression !== 'none') headers.push('content-encoding', form.compression);
  for (const [name, value] of Object.entries(own)) headers.push(name, value);
  if (own['user-agent'] === undefined) headers.push('user-agent', `Holdfast/${version}`);
  return headers;
}

export const create = (config: OtlpHttpConfig, context: ExporterContext): Exporter =>
  new OtlpHttpExporter(config, context);
