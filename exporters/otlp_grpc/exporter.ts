// OTLP over gRPC: one batch, one Export call, on node:http2, so that what arrived compressed leaves byte for byte.
// Invariant: says "delivered" only for grpc-status 0, and whatever else happens on the way is an outcome, never an exception.

import type http2 from 'node:http2';
import { BlockPool } from '../../buffer/index.ts';
import { formatAddress, type GrpcTarget, parseGrpcTarget } from '../../config/endpoint.ts';
import { HoldfastError } from '../../config/error.ts';
import type { Logger } from '../../config/logger.ts';
import { exportPathOf } from '../../otlp/service.ts';
import type { Signal } from '../../otlp/signal.ts';
import { credentialsNamed } from '../credentials.ts';
import type { ExportBatch, Exporter, ExporterContext, Outcome } from '../exporter.ts';
import { type Body, type BodyForm, bodyOf } from '../otlp/body.ts';
import { FreshTls, type TlsOptions } from '../otlp/client_tls.ts';
import { bodyFormOf } from '../otlp/config.ts';
import { type Attempt, Failover } from '../otlp/failover.ts';
import { reasonOf } from '../otlp/reason.ts';
import { SentHeaders } from '../otlp/sent_headers.ts';
import { type CallAnswer, type CallRequest, call, MESSAGE_PREFIX_BYTES, StreamRefused } from './call.ts';
import type { OtlpGrpcConfig } from './config.ts';
import { GrpcConnection } from './connection.ts';
import { isElsewhere, outcomeOf } from './outcome.ts';
import { openSocket } from './socket.ts';

/** OTLP.md, 36: no more of an answer is read. */
const RESPONSE_BYTES_MAX = 4 * 2 ** 20;
const POOL_BYTES_MAX = 4 * 2 ** 20;

class OtlpGrpcExporter implements Exporter {
  readonly #config: OtlpGrpcConfig;
  readonly #targets: readonly GrpcTarget[];
  readonly #failover: Failover;
  readonly #headers: SentHeaders<Readonly<Record<Signal, http2.OutgoingHttpHeaders>>>;
  readonly #logger: Logger;
  readonly #form: BodyForm;
  readonly #pool = new BlockPool(POOL_BYTES_MAX);
  #connections: readonly GrpcConnection[] = [];
  #tls: FreshTls | undefined;
  /** What the connections were made with. */
  #used: TlsOptions | undefined;

  constructor(config: OtlpGrpcConfig, context: ExporterContext) {
    this.#config = config;
    this.#targets = [config.endpoint, ...config.failover_endpoints].map(targetOf);
    this.#failover = new Failover(
      this.#targets.map(({ address }) => formatAddress(address)),
      context.logger,
    );
    this.#form = bodyFormOf(config, 'proto');
    const credentials = credentialsNamed(config.auth, context.credentials);
    this.#headers = new SentHeaders(config.headers, credentials, (own) => {
      const headers = (signal: Signal) => headersOf(own, this.#form, signal, context.version);
      return { traces: headers('traces'), metrics: headers('metrics'), logs: headers('logs') };
    });
    this.#logger = context.logger;
  }

  async start(): Promise<void> {
    const tls = new FreshTls(this.#config.tls, this.#logger);
    this.#tls = tls;
    this.#used = tls.now();
    this.#connections = this.#targets.map((target) => this.#connectionTo(target, tls));
  }

  async send(batch: ExportBatch, signal: AbortSignal): Promise<Outcome> {
    if (this.#connections.length === 0) return { kind: 'retry', reason: 'not started' };
    this.#renew();
    let body: Body;
    try {
      body = framed(await bodyOf(batch, this.#form, this.#pool), this.#form, this.#pool);
    } catch (error) {
      // A damaged entry stays damaged. Anything else, a lack of memory, is not the entry's fault.
      return { kind: error instanceof HoldfastError ? 'rejected' : 'retry', reason: reasonOf(error) };
    }
    let mayBeRead = false;
    const attempt = async (index: number): Promise<Attempt> => {
      const made = await this.#attempt(this.#connections[index]!, batch.signal, body, signal);
      // Only who took it all has surely read it all; other memory is left to the collector.
      if (made.outcome.kind !== 'delivered' && made.outcome.kind !== 'partial') mayBeRead = true;
      return made;
    };
    const outcome = await this.#failover.send(attempt, signal);
    if (!mayBeRead) body.block?.release();
    return outcome;
  }

  async stop(): Promise<void> {
    for (const connection of this.#connections) connection.destroy();
    this.#connections = [];
  }

  /** After TLS files were replaced: what is under way may end, what comes gets a connection with the new ones. */
  #renew(): void {
    const material = this.#tls?.now();
    if (material === this.#used) return;
    this.#used = material;
    for (const connection of this.#connections) connection.retire();
  }

  async #attempt(
    connection: GrpcConnection,
    signal: Signal,
    body: Body,
    abort: AbortSignal,
  ): Promise<Attempt> {
    const { headers, clean } = this.#headers.now();
    const request = {
      headers: headers[signal],
      body: body.bytes,
      responseBytesMax: RESPONSE_BYTES_MAX,
    };
    try {
      const answer = await answered(connection, request, abort).catch((error: unknown) => {
        // A destination that ends its connections now and then, by age, refuses what crosses its goodbye.
        if (error instanceof StreamRefused) return answered(connection, request, abort);
        throw error;
      });
      return { outcome: outcomeOf(answer, clean), elsewhere: isElsewhere(answer) };
    } catch (error) {
      return { outcome: { kind: 'retry', reason: reasonOf(error) }, elsewhere: true };
    }
  }

  #connectionTo({ address, secure }: GrpcTarget, fresh: FreshTls): GrpcConnection {
    const { tls, timeout, keepalive, authority } = this.#config;
    const isSecure = secure ?? !tls.insecure;
    return new GrpcConnection({
      scheme: isSecure ? 'https' : 'http',
      authority: authority ?? (address.kind === 'tcp' ? formatAddress(address) : 'localhost'),
      open: (late) => openSocket(address, isSecure ? fresh.now() : undefined, process.env, late),
      connectTimeout_ms: timeout,
      keepalive,
    });
  }
}

function targetOf(text: string): GrpcTarget {
  const target = parseGrpcTarget(text);
  if (!target.ok) throw new TypeError('the configuration was not checked');
  return target.value;
}

/** PROTOCOL-HTTP2, "Requests". */
function headersOf(
  own: Readonly<Record<string, string>>,
  form: BodyForm,
  signal: Signal,
  version: string,
): http2.OutgoingHttpHeaders {
  return {
    'user-agent': `Holdfast/${version}`,
    ...own,
    ':method': 'POST',
    ':path': exportPathOf(signal),
    te: 'trailers',
    'content-type': 'application/grpc',
    ...(form.compression === 'none' ? {} : { 'grpc-encoding': form.compression }),
    'grpc-accept-encoding': 'identity',
  };
}

/** The body with its prefix, in memory of the pool. */
function framed(body: Body, form: BodyForm, pool: BlockPool): Body {
  const { length } = body.bytes;
  const block = pool.acquire(MESSAGE_PREFIX_BYTES + length);
  const bytes = block.memory.subarray(0, MESSAGE_PREFIX_BYTES + length);
  bytes[0] = form.compression === 'none' ? 0 : 1;
  bytes.writeUInt32BE(length, 1);
  bytes.set(body.bytes, MESSAGE_PREFIX_BYTES);
  body.block?.release();
  return { bytes, block };
}

async function answered(
  connection: GrpcConnection,
  request: CallRequest,
  abort: AbortSignal,
): Promise<CallAnswer> {
  const link = await abortable(connection.link(), abort);
  try {
    return await call(link, request, abort);
  } catch (error) {
    link.retire();
    throw error;
  }
}

/** Waits no longer than `signal` allows; what is waited for goes on for others. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

export const create = (config: OtlpGrpcConfig, context: ExporterContext): Exporter =>
  new OtlpGrpcExporter(config, context);
