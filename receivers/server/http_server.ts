// One node:http server for all receivers that speak HTTP, from the head of a request to its answer; what the request means
// is its service's. Invariant: 200 is written only after `durable` has resolved, and every other end is a Status or a closed
// connection.

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import { BlockPool } from '../../buffer/index.ts';
import type { Logger } from '../../config/logger.ts';
import type { Intake, Ticket } from '../receiver.ts';
import type { PortSharing } from '../sharing.ts';
import { ServerCertificate } from '../tls.ts';
import { answerRefusal, answerSuccess, type Encoding } from './answer.ts';
import { ArrivingRequest, type BodyTaker } from './arriving_request.ts';
import { Body } from './body.ts';
import { answerClientError } from './client_error.ts';
import { CommitAnswers } from './commit_answers.ts';
import type { HttpServerConfig } from './config.ts';
import { Cors } from './cors.ts';
import { Decompressor } from './decompress/decompress.ts';
import { type Decompressed, keepPlain } from './decompress/decompressed.ts';
import type { HttpHead } from './http_head.ts';
import { InFlight, Share } from './in_flight.ts';
import { LastAnswers } from './last_answers.ts';
import { listen } from './listen.ts';
import { OpenSockets } from './open_sockets.ts';
import { logRefusal, refusalOf, refusedHere, tooLarge } from './refusal.ts';
import type { Surroundings } from './surroundings.ts';

const HEADER_BYTES_MAX = 16 * 1024;
const HEADERS_MAX = 100;
/** How often node:http looks for connections over their time, ms. */
const CHECK_INTERVAL_MS_MAX = 5000;
/** Of a refused body so many times the limit are read before the connection is cut: who is a little over it keeps it. */
const DRAINED_BODIES = 2;
/**
 * What a request counts for beside its body, until it is answered: some 2 kB of objects, and what Node has for its answer. Without
 * it a client that sends small requests ahead while the disk stands still could fill the memory.
 */
const REQUEST_BYTES = 4096;
/** Memory of bodies that is kept for the next ones. */
const KEPT_BYTES_MAX = 4 * 2 ** 20;

/** What a receiver makes of requests. */
export interface HttpService<Head extends HttpHead> {
  /** Answers whole what has no body to keep, such as a question for its health, and says so. */
  answers?(request: IncomingMessage, response: ServerResponse): boolean;
  /** Decides before a byte of the body is touched, credentials first. @throws Refusal */
  readHead(request: IncomingMessage): Head;
  /** Looks at the body as it arrived, still compressed. @throws Refusal */
  verify?(head: Head, arrived: Buffer): void;
  /** @returns undefined where there is nothing to store. @throws Refusal, MalformedOtlp, IntakeFull, IntakeTooLarge */
  take(head: Head, body: Decompressed): Ticket | undefined;
  /** What answers to this request are written in. */
  answerEncoding(request: IncomingMessage): Encoding;
  /** Counts a request that the receiver itself refused. */
  refused(request: IncomingMessage, error: unknown): void;
}

interface HttpPlace {
  /** Its name among the receiver's protocols. */
  readonly protocol: string;
  /** Where the receiver's configuration says the endpoint. */
  readonly endpointKey: string;
}

/** A request on its way to its answer. */
class Exchange<Head extends HttpHead> implements BodyTaker {
  readonly request: ArrivingRequest;
  readonly response: ServerResponse;
  readonly head: Head;
  /** Given back once, whatever became of the request. */
  readonly share: Share;
  /** The body where it came in one piece, as most do. */
  whole: Buffer | undefined;
  /** The body where it comes in several. */
  gathered: Body | undefined;
  readonly #arrivals: Arrivals<Head>;

  constructor(
    request: ArrivingRequest,
    response: ServerResponse,
    head: Head,
    share: Share,
    arrivals: Arrivals<Head>,
  ) {
    this.request = request;
    this.response = response;
    this.head = head;
    this.share = share;
    this.#arrivals = arrivals;
  }

  takePiece(piece: Buffer): boolean {
    if (piece.length !== this.head.length) return this.#arrivals.piece(this, piece);
    this.whole = piece;
    return true;
  }

  takeEnd(): void {
    this.#arrivals.end(this);
  }

  takeGone(): void {
    this.release();
  }

  /** Gives back what it holds of memory. */
  release(): void {
    this.releaseBody();
    this.share.release();
  }

  releaseBody(): void {
    this.share.keepOnly(REQUEST_BYTES);
    this.gathered?.release();
    this.gathered = undefined;
    this.whole = undefined;
  }
}

/** What becomes of a body. */
interface Arrivals<Head extends HttpHead> {
  /** False where it is refused. */
  piece(exchange: Exchange<Head>, piece: Buffer): boolean;
  end(exchange: Exchange<Head>): void;
}

const nothing = Buffer.alloc(0);

export class HttpServer<Head extends HttpHead> {
  readonly #config: HttpServerConfig & HttpPlace;
  readonly #service: HttpService<Head>;
  readonly #id: string;
  readonly #logger: Logger;
  readonly #intake: Intake;
  readonly #cors: Cors | undefined;
  readonly #inFlight: InFlight;
  readonly #pool = new BlockPool(KEPT_BYTES_MAX);
  readonly #decompressor: Decompressor;
  readonly #server: Server<typeof ArrivingRequest> | SecureServer<typeof ArrivingRequest>;
  readonly #sockets: OpenSockets;
  readonly #sharing: PortSharing | undefined;
  readonly #certificate: ServerCertificate | undefined;
  readonly #arrivals: Arrivals<Head> = {
    piece: (exchange, piece) => this.#gather(exchange, piece),
    end: (exchange) => this.#arrived(exchange),
  };
  readonly #answers = new CommitAnswers<Exchange<Head>>(
    (exchange) => this.#succeeded(exchange),
    (exchange, error) => this.#failed(exchange, error),
  );
  readonly #lastAnswers = new LastAnswers();

  /** @throws HoldfastError HF_RECEIVER_TLS */
  constructor(
    config: HttpServerConfig & HttpPlace,
    { id, logger, intake, connections, sharing }: Omit<Surroundings, 'guard'>,
    service: HttpService<Head>,
  ) {
    this.#config = config;
    this.#service = service;
    this.#id = id;
    this.#logger = logger;
    this.#intake = intake;
    this.#sharing = sharing;
    this.#cors = config.cors && new Cors(config.cors);
    this.#inFlight = new InFlight(config.max_request_body_size);
    this.#decompressor = new Decompressor(config.max_request_body_size);
    const headersTimeout = Math.min(config.read_header_timeout, config.read_timeout);
    const options = {
      IncomingMessage: ArrivingRequest,
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout,
      requestTimeout: config.read_timeout,
      keepAliveTimeout: config.idle_timeout,
      connectionsCheckingInterval: Math.min(CHECK_INTERVAL_MS_MAX, Math.ceil(headersTimeout / 2)),
    };
    if (config.tls) {
      this.#certificate = new ServerCertificate(config.tls, logger);
      // Loaded where TLS is asked for.
      const https = process.getBuiltinModule('node:https');
      const server = https.createServer({ ...options, ...this.#certificate.options() });
      this.#certificate.follow(server);
      this.#server = server;
    } else {
      this.#server = createServer(options);
      // Who sends all and then closes this direction only (`nc -N`, HTTP/1.0) gets the answer. Over TLS closing is closing both
      // (RFC 5246, 7.2.1). Node has the switch and does not document it, so a test holds it.
      Object.assign(this.#server, { httpAllowHalfOpen: true });
    }
    this.#server.maxHeadersCount = HEADERS_MAX;
    this.#server.maxConnections = config.max_connections;
    connections.guard(this.#server);
    this.#sockets = new OpenSockets(this.#server);
    this.#server.on('request', (request, response) => this.#serve(request, response, false));
    this.#server.on('checkContinue', (request, response) => this.#serve(request, response, true));
    this.#server.on('clientError', (error, socket) =>
      answerClientError(error, socket, this.#lastAnswers.pendingOn(socket)),
    );
  }

  /** Bytes of requests held in memory now. */
  get inFlight_bytes(): number {
    return this.#inFlight.bytes;
  }

  /** @returns the address with its real port. @throws HoldfastError HF_RECEIVER_BIND */
  start(): Promise<string> {
    const { endpoint, endpointKey, protocol, socket_mode: socketMode } = this.#config;
    const sharing = this.#sharing;
    const place = { id: this.#id, protocol, key: endpointKey, endpoint, socketMode, sharing };
    return listen(this.#server, place, this.#logger);
  }

  /** Answers what is in flight, then closes; what is left when `deadline` aborts is cut off. */
  stop(deadline: AbortSignal): Promise<void> {
    this.#lastAnswers.stop();
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

  #serve(request: ArrivingRequest, response: ServerResponse, waits: boolean): void {
    // Without a listener an error of a socket that is gone would end the process; a request emits none to nobody.
    response.on('error', ignore);
    if (!this.#lastAnswers.takes(request, response)) {
      request.resume();
      return;
    }
    try {
      if (this.#cors?.answers(request, response)) return;
      if (this.#service.answers?.(request, response)) return;
      const head = this.#service.readHead(request);
      this.#intake.admit(head.length ?? 0);
      if (waits) response.writeContinue();
      const share = new Share(this.#inFlight);
      share.add(REQUEST_BYTES);
      request.whenHere(new Exchange(request, response, head, share, this.#arrivals));
    } catch (error) {
      this.#refuse(request, response, error);
    }
  }

  /** One of several pieces: never more than the limit is kept, and all that is kept is on the request's share. */
  #gather(exchange: Exchange<Head>, piece: Buffer): boolean {
    try {
      exchange.gathered ??= new Body(exchange.head.length, this.#pool);
      const body = exchange.gathered;
      const limit = this.#config.max_request_body_size;
      if (body.length + piece.length > limit) throw tooLarge(limit, 'the body');
      exchange.share.add(piece.length);
      body.add(piece);
      return true;
    } catch (error) {
      this.#failed(exchange, error);
      return false;
    }
  }

  /** All of the body is here. No promise of its own: most bodies are taken at once. */
  #arrived(exchange: Exchange<Head>): void {
    try {
      const body = this.#bodyOf(exchange);
      this.#take(exchange, body)?.catch((error: unknown) => this.#failed(exchange, error));
    } catch (error) {
      this.#failed(exchange, error);
    }
  }

  #bodyOf({ whole, gathered, share }: Exchange<Head>): Buffer {
    if (whole) {
      share.add(whole.length);
      return whole;
    }
    gathered?.finish();
    return gathered?.bytes ?? nothing;
  }

  /** @returns undefined where all that is left is to wait for the commit */
  #take(exchange: Exchange<Head>, arrived: Buffer): Promise<void> | undefined {
    const { head, share } = exchange;
    this.#service.verify?.(head, arrived);
    if (!head.compression || arrived.length === 0) {
      this.#keep(exchange, keepPlain(arrived));
      return undefined;
    }
    const outcome = this.#decompressor.decompress(head.compression, arrived, share);
    if (outcome instanceof Promise) return outcome.then((body) => this.#keep(exchange, body));
    this.#keep(exchange, outcome);
    return undefined;
  }

  #keep(exchange: Exchange<Head>, body: Decompressed): void {
    const ticket = this.#service.take(exchange.head, body);
    // The intake has its own copy, so the body is not held while the disk is waited for.
    exchange.releaseBody();
    if (ticket) this.#answers.add(ticket, exchange);
    else this.#succeeded(exchange);
  }

  #succeeded(exchange: Exchange<Head>): void {
    const { request, response } = exchange;
    exchange.share.release();
    if (response.destroyed) return;
    try {
      const last = this.#lastAnswers.isLast(request, response);
      answerSuccess(response, this.#service.answerEncoding(request), last);
    } catch (error) {
      this.#failed(exchange, error);
    }
  }

  #failed(exchange: Exchange<Head>, error: unknown): void {
    exchange.release();
    this.#refuse(exchange.request, exchange.response, error);
  }

  #refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const refusal = refusalOf(error);
    if (refusedHere(error)) this.#service.refused(request, error);
    logRefusal(this.#logger, this.#config.protocol, refusal);
    // What was appended stays on disk though nobody hears of it: at least once.
    if (response.destroyed) return;
    if (response.headersSent) {
      // An answer that broke off cannot be taken back: without its connection the client asks again.
      response.destroy();
      return;
    }
    const encoding = this.#service.answerEncoding(request);
    const drain_bytes = DRAINED_BODIES * this.#config.max_request_body_size;
    const last = this.#lastAnswers.isLast(request, response);
    answerRefusal(request, response, refusal, encoding, last, drain_bytes);
  }
}

function ignore(): void {}
