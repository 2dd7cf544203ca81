// OTLP over HTTP with protobuf: one batch, one POST. Invariant: says "delivered" only for a 2xx answer, and whatever
// else happens on the way is an outcome, never an exception.

import type { Dispatcher } from 'undici';
import { BlockPool } from '../../buffer/index.ts';
import { HoldfastError } from '../../config/error.ts';
import { redacted } from '../../config/secret.ts';
import { type Signal, signals } from '../../otlp/signal.ts';
import { drainConfigOf, drainNotes } from '../drain/config.ts';
import type { ExportBatch, Exporter, ExporterContext, ExporterFactory, Outcome } from '../exporter.ts';
import { type Body, bodyOf } from './body.ts';
import { type OtlpHttpConfig, otlpHttpSchema, urlOf } from './config.ts';
import { openDispatcher } from './connection.ts';
import { type ExchangeRequest, exchange } from './exchange.ts';
import { outcomeOf, tidy } from './outcome.ts';

/** OTLP.md, 36: no more of an answer is read. */
const RESPONSE_BYTES_MAX = 4 * 2 ** 20;
const POOL_BYTES_MAX = 4 * 2 ** 20;
/** Shorter header values are too common in messages to be taken for a secret. */
const SECRET_CHARACTERS_MIN = 6;

interface Target {
  readonly origin: string;
  readonly path: string;
  /** Over HTTP/2 nobody can say when a body has left (departure.ts), so it gets a copy of its own. */
  readonly mayBeHttp2: boolean;
}

class OtlpHttpExporter implements Exporter {
  readonly #config: OtlpHttpConfig;
  readonly #targets: Readonly<Partial<Record<Signal, Target>>>;
  readonly #plainHeaders: string[];
  readonly #gzipHeaders: string[];
  readonly #secrets: readonly string[];
  readonly #level: number | undefined;
  /** Memory for merged bodies: a fresh one for every request keeps the collector busy. */
  readonly #pool = new BlockPool(POOL_BYTES_MAX);
  #dispatcher: Dispatcher | undefined;

  constructor(config: OtlpHttpConfig, context: ExporterContext) {
    this.#config = config;
    this.#targets = targetsOf(config);
    this.#plainHeaders = headersOf(config, context.version);
    this.#gzipHeaders = [...this.#plainHeaders, 'content-encoding', 'gzip'];
    const values = Object.values(config.headers).map((value) => value.reveal());
    this.#secrets = values.filter((value) => value.length >= SECRET_CHARACTERS_MIN);
    this.#level = config.compression === 'gzip' ? config.compression_params.level : undefined;
  }

  async start(): Promise<void> {
    this.#dispatcher = await openDispatcher(this.#config, process.env);
  }

  async send(batch: ExportBatch, signal: AbortSignal): Promise<Outcome> {
    const target = this.#targets[batch.signal];
    if (target === undefined) return { kind: 'rejected', reason: `no endpoint for ${batch.signal}` };
    if (this.#dispatcher === undefined) return { kind: 'retry', reason: 'not started' };
    let body: Body;
    try {
      body = await bodyOf(batch, this.#level, this.#pool);
    } catch (error) {
      // A damaged entry stays damaged. Anything else, a lack of memory, is not the entry's fault.
      return { kind: error instanceof HoldfastError ? 'rejected' : 'retry', reason: reasonOf(error) };
    }
    const request: ExchangeRequest = {
      origin: target.origin,
      path: target.path,
      headers: body.gzipped ? this.#gzipHeaders : this.#plainHeaders,
      body: target.mayBeHttp2 ? Buffer.from(body.bytes) : body.bytes,
      responseBytesMax: RESPONSE_BYTES_MAX,
    };
    try {
      const answer = await exchange(this.#dispatcher, request, signal);
      // Who says no may say it before all was sent, and after a failure who knows: such memory is left to the collector.
      if (answer.status === 200) body.block?.release();
      return outcomeOf(batch.signal, answer, Date.now(), (text) => this.#withoutSecrets(text));
    } catch (error) {
      return { kind: 'retry', reason: reasonOf(error) };
    }
  }

  async stop(): Promise<void> {
    await this.#dispatcher?.destroy();
    this.#dispatcher = undefined;
  }

  /** A backend may repeat in its message what it was sent. */
  #withoutSecrets(text: string): string {
    return this.#secrets.reduce((left, secret) => left.replaceAll(secret, redacted), text);
  }
}

function targetsOf(config: OtlpHttpConfig): Partial<Record<Signal, Target>> {
  const targets: Partial<Record<Signal, Target>> = {};
  for (const signal of signals) {
    const url = urlOf(config, signal);
    if (url === undefined) continue;
    // HTTP/2 is spoken only where TLS offers it.
    const mayBeHttp2 = url.protocol === 'https:';
    targets[signal] = { origin: url.origin, path: url.pathname + url.search, mayBeHttp2 };
  }
  return targets;
}

function headersOf(config: OtlpHttpConfig, version: string): string[] {
  const headers = ['content-type', 'application/x-protobuf'];
  let named = false;
  for (const [name, value] of Object.entries(config.headers)) {
    named ||= name.toLowerCase() === 'user-agent';
    headers.push(name, value.reveal());
  }
  if (!named) headers.push('user-agent', `Holdfast/${version}`);
  return headers;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return tidy(String(error));
  if (error instanceof HoldfastError) return error.message;
  const code = 'code' in error ? String(error.code) : error.name;
  const message = tidy(error.message);
  return message === '' || message.includes(code) ? message || code : `${code}: ${message}`;
}

export const otlpHttpExporter: ExporterFactory<OtlpHttpConfig> = {
  type: 'otlp_http',
  aliases: ['otlphttp'],
  description: 'Sends OTLP over HTTP (protobuf), compressed with gzip or plain.',
  signals,
  schema: otlpHttpSchema,
  drain: drainConfigOf,
  notes: drainNotes,
  create: (config, context) => new OtlpHttpExporter(config, context),
};
