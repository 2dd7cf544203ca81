// OTLP over HTTP: one node:http server, from the head of a request to its answer.
// Invariant: 200 is written only after `durable` has resolved, and every other end is a Status or a closed connection.

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import { BlockPool } from '../../buffer/index.ts';
import type { Logger } from '../../config/logger.ts';
import type { Codec } from '../../otlp/entry.ts';
import { JsonTranscoder } from '../../otlp/json/to_protobuf.ts';
import type { Signal } from '../../otlp/signal.ts';
import { type Authenticator, isAdmitted } from '../authenticator.ts';
import type { Intake, Ticket } from '../receiver.ts';
import { ServerCertificate } from '../tls.ts';
import { answerRefusal, answerSuccess } from './answer.ts';
import { ClientGone, readBody } from './body.ts';
import { answerClientError } from './client_error.ts';
import type { HttpConfig } from './config.ts';
import { Cors } from './cors.ts';
import { Decompressor } from './decompress/decompress.ts';
import { answerEncoding, type Head, type HeadRules, readHead, signalOf } from './head.ts';
import { InFlight, Share } from './in_flight.ts';
import { listen } from './listen.ts';
import { OpenSockets } from './open_sockets.ts';
import { logRefusal, refusalOf, refusedHere, Unauthenticated } from './refusal.ts';
import type { Surroundings } from './surroundings.ts';
import { take } from './take.ts';

// An ESM import of node:http reads all that it exports, and so loads Node's own fetch client, which nobody needs here.
const { createServer } = process.getBuiltinModule('node:http');
const { createServer: createSecureServer } = process.getBuiltinModule('node:https');

const TRANSPORT = 'http';
const HEADER_BYTES_MAX = 16 * 1024;
const HEADERS_MAX = 100;
/** How often node:http looks for connections over their time, ms. */
const CHECK_INTERVAL_MS_MAX = 5000;
/** Of a refused body so many times the limit are read before the connection is cut: who is a little over it keeps it. */
const DRAINED_BODIES = 2;
/** Memory of bodies that is kept for the next ones. */
const KEPT_BYTES_MAX = 4 * 2 ** 20;

export class HttpServer {
  readonly #config: HttpConfig;
  readonly #id: string;
  readonly #logger: Logger;
  readonly #intake: Intake;
  readonly #guard: Authenticator | undefined;
  readonly #rules: HeadRules;
  readonly #cors: Cors | undefined;
  readonly #inFlight: InFlight;
  readonly #pool = new BlockPool(KEPT_BYTES_MAX);
  readonly #decompressor: Decompressor;
  readonly #transcoder: JsonTranscoder;
  readonly #server: Server | SecureServer;
  readonly #sockets: OpenSockets;
  readonly #certificate: ServerCertificate | undefined;
  #stopping = false;

  constructor(config: HttpConfig, { id, logger, intake, guard, connections }: Surroundings) {
    this.#guard = guard;
    this.#config = config;
    this.#id = id;
    this.#logger = logger;
    this.#intake = intake;
    this.#cors = config.cors && new Cors(config.cors);
    this.#inFlight = new InFlight(config.max_request_body_size);
    this.#decompressor = new Decompressor(config.max_request_body_size);
    this.#transcoder = new JsonTranscoder(config.max_request_body_size);
    this.#rules = {
      routes: new Map<string, Signal>([
        [config.traces_url_path, 'traces'],
        [config.metrics_url_path, 'metrics'],
        [config.logs_url_path, 'logs'],
      ]),
      signals: intake.signals,
      maxBody_bytes: config.max_request_body_size,
    };
    const headersTimeout = Math.min(config.read_header_timeout, config.read_timeout);
    const options = {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout,
      requestTimeout: config.read_timeout,
      keepAliveTimeout: config.idle_timeout,
      connectionsCheckingInterval: Math.min(CHECK_INTERVAL_MS_MAX, Math.ceil(headersTimeout / 2)),
    };
    if (config.tls) {
      this.#certificate = new ServerCertificate(config.tls, logger);
      const server = createSecureServer({ ...options, ...this.#certificate.options() });
      this.#certificate.follow(server);
      this.#server = server;
    } else {
      this.#server = createServer(options);
    }
    this.#server.maxHeadersCount = HEADERS_MAX;
    this.#server.maxConnections = config.max_connections;
    connections.guard(this.#server);
    this.#sockets = new OpenSockets(this.#server);
    this.#server.on('request', (request, response) => this.#serve(request, response, false));
    this.#server.on('checkContinue', (request, response) => this.#serve(request, response, true));
    this.#server.on('clientError', answerClientError);
  }

  /** Bytes of requests held in memory now. */
  get inFlight_bytes(): number {
    return this.#inFlight.bytes;
  }

  /** @returns the address with its real port. @throws HoldfastError HF_RECEIVER_BIND */
  start(): Promise<string> {
    const { endpoint, socket_mode: socketMode } = this.#config;
    const place = { id: this.#id, protocol: TRANSPORT, endpoint, socketMode };
    return listen(this.#server, place, this.#logger);
  }

  /** Answers what is in flight, then closes; what is left when `deadline` aborts is cut off. */
  stop(deadline: AbortSignal): Promise<void> {
    this.#stopping = true;
    this.#certificate?.unfollow();
    const server = this.#server;
    return new Promise((resolve) => {
      const cut = () => this.#sockets.cut();
      server.close(() => {
        deadline.removeEventListener('abort', cut);
        resolve();
      });
      if (deadline.aborted) cut();
      else deadline.addEventListener('abort', cut, { once: true });
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse, waits: boolean): Promise<void> {
    // Without listeners an error of a socket that is gone would end the process.
    request.on('error', ignore);
    response.on('error', ignore);
    const share = new Share(this.#inFlight);
    try {
      if (this.#cors?.answers(request, response)) return;
      // Before anything else: who is not known learns nothing of what is served.
      if (this.#guard && !isAdmitted(this.#guard, request.headers))
        throw new Unauthenticated(this.#guard.challenge);
      const head = readHead(request.method, request.url, request.headers, this.#rules);
      this.#intake.admit(head.length ?? 0);
      if (waits) response.writeContinue();
      const ticket = await this.#accept(request, head, share);
      // The intake has its own copy, so the body is no longer held while the disk is waited for.
      share.release();
      if (ticket) await ticket.durable;
      answerSuccess(response, head.encoding, this.#stopping);
    } catch (error) {
      this.#refuse(request, response, error);
    } finally {
      share.release();
    }
  }

  async #accept(request: IncomingMessage, head: Head, share: Share): Promise<Ticket | undefined> {
    // No bytes are an empty message in protobuf, and nothing at all in JSON.
    if (head.length === 0 && head.encoding === 'protobuf') return undefined;
    const limit = this.#config.max_request_body_size;
    const body = await readBody(request, head.length, limit, share, this.#pool);
    try {
      const { bytes: arrived } = body;
      if (!head.compression || arrived.length === 0) return this.#take(head, 'identity', arrived, arrived);
      const outcome = this.#decompressor.decompress(head.compression, arrived, share);
      // A promise only where there is something to wait for: most bodies are ready at once.
      const { codec, stored, bytes } = outcome instanceof Promise ? await outcome : outcome;
      return this.#take(head, codec, stored, bytes);
    } finally {
      // The intake has its own copy.
      body.release();
    }
  }

  #take(head: Head, codec: Codec, stored: Buffer, raw: Buffer): Ticket | undefined {
    if (head.encoding === 'protobuf') return take(this.#intake, TRANSPORT, head.signal, codec, stored, raw);
    const protobuf = this.#transcoder.transcode(head.signal, raw);
    return take(this.#intake, TRANSPORT, head.signal, 'identity', protobuf, protobuf);
  }

  #refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    if (error instanceof ClientGone) return;
    const refusal = refusalOf(error);
    const signal = signalOf(request.url, this.#rules.routes);
    if (signal && refusedHere(error)) this.#intake.refused(signal, TRANSPORT, 0);
    logRefusal(this.#logger, TRANSPORT, refusal);
    // What was appended stays on disk though nobody hears of it: at least once.
    if (response.destroyed) return;
    const encoding = answerEncoding(request.headers);
    const drain_bytes = DRAINED_BODIES * this.#config.max_request_body_size;
    answerRefusal(request, response, refusal, encoding, this.#stopping, drain_bytes);
  }
}

function ignore(): void {}
