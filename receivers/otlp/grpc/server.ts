// OTLP over gRPC: the three unary Export methods on node:http2, raw bytes in and an empty message out.
// Invariant: status 0 is sent only after `durable` has resolved; whoever should come back gets UNAVAILABLE with RetryInfo.

import type {
  Http2SecureServer,
  Http2Server,
  Http2Session,
  IncomingHttpHeaders,
  ServerHttp2Stream,
} from 'node:http2';
import http2 from 'node:http2';
import type { Duplex } from 'node:stream';
import { BlockPool } from '../../../buffer/index.ts';
import type { Logger } from '../../../config/logger.ts';
import { rpcCode } from '../../../otlp/status.ts';
import { type Authenticator, isAdmitted } from '../../authenticator.ts';
import type { Intake, Ticket } from '../../receiver.ts';
import { answerByHand } from '../../server/client_error.ts';
import { Decompressor } from '../../server/decompress/decompress.ts';
import { InFlight, Share } from '../../server/in_flight.ts';
import { listen } from '../../server/listen.ts';
import { OpenSockets } from '../../server/open_sockets.ts';
import { logRefusal, Refusal, refusalOf, refusedHere, Unauthenticated } from '../../server/refusal.ts';
import type { Surroundings } from '../../server/surroundings.ts';
import type { PortSharing } from '../../sharing.ts';
import { ServerCertificate } from '../../tls.ts';
import type { GrpcConfig } from '../config.ts';
import { take } from '../take.ts';
import { answerRefusal, answerSuccess } from './answer.ts';
import { Connection, type Lifetime } from './connection.ts';
import { Greetings } from './greeting.ts';
import { type GrpcHead, readGrpcHead, signalOf, signalOfHttp } from './head.ts';
import { ClientGone, readMessage } from './message.ts';

const TRANSPORT = 'grpc';
const MIB = 2 ** 20;
const HEADER_BYTES_MAX = 16 * 1024;
const HEADERS_MAX = 100;
/** What a client may send ahead, per call and per connection: a link with 100 ms of delay then carries 10 MiB/s in one call. */
const CALL_WINDOW_BYTES = MIB;
const CONNECTION_WINDOW_BYTES = 4 * MIB;
/** node:http2 refuses new calls on a connection that holds more than this, MB. */
const SESSION_MEMORY_MB = 32;
/** Memory of messages that is kept for the next ones. */
const KEPT_BYTES_MAX = 4 * MIB;
const TICK_MS_MAX = 1000;
const HANDSHAKE_MS = 10_000;
/** Connections made together do not end together. */
const AGE_JITTER = 0.1;

export class GrpcServer {
  readonly #config: GrpcConfig;
  readonly #id: string;
  readonly #logger: Logger;
  readonly #intake: Intake;
  readonly #guard: Authenticator | undefined;
  readonly #maxMessage_bytes: number;
  readonly #inFlight: InFlight;
  readonly #decompressor: Decompressor;
  readonly #pool = new BlockPool(KEPT_BYTES_MAX);
  readonly #server: Http2Server | Http2SecureServer;
  readonly #sockets: OpenSockets;
  /** Of connections without TLS; with it ALPN says first what is spoken. */
  readonly #greetings: Greetings | undefined;
  readonly #sharing: PortSharing | undefined;
  readonly #certificate: ServerCertificate | undefined;
  readonly #connections = new Map<Http2Session, Connection>();
  /** Calls whose message still arrives, and until when it may. All get the same time, so the first is the next to end. */
  readonly #arriving = new Map<ServerHttp2Stream, number>();
  /** Runs while somebody is connected: an agent that nobody talks to is not woken for it. */
  #ticker: NodeJS.Timeout | undefined;

  /**
   * @param httpPort where the same receiver takes OTLP over HTTP, if it does
   * @throws HoldfastError HF_RECEIVER_TLS
   */
  constructor(
    config: GrpcConfig,
    { id, logger, intake, guard, connections, sharing }: Surroundings,
    httpPort?: number,
  ) {
    this.#guard = guard;
    this.#config = config;
    this.#id = id;
    this.#logger = logger;
    this.#intake = intake;
    this.#sharing = sharing;
    this.#maxMessage_bytes = config.max_recv_msg_size_mib * MIB;
    this.#decompressor = new Decompressor(this.#maxMessage_bytes);
    this.#inFlight = new InFlight(this.#maxMessage_bytes);
    const options = {
      settings: {
        maxConcurrentStreams: config.max_concurrent_streams,
        initialWindowSize: CALL_WINDOW_BYTES,
        maxHeaderListSize: HEADER_BYTES_MAX,
      },
      maxHeaderListPairs: HEADERS_MAX,
      maxSessionMemory: SESSION_MEMORY_MB,
      noDelay: true,
    };
    if (config.tls) {
      this.#certificate = new ServerCertificate(config.tls, logger);
      const server = http2.createSecureServer({ ...options, ...this.#certificate.options() });
      this.#certificate.follow(server);
      this.#server = server;
    } else {
      this.#server = http2.createServer(options);
      this.#greetings = new Greetings(this.#server, HANDSHAKE_MS, (socket, head) => {
        this.#refuseHttp(socket, head, httpPort);
      });
    }
    this.#server.maxConnections = config.max_connections;
    connections.guard(this.#server);
    this.#sockets = new OpenSockets(this.#server);
    this.#server.on('session', (session: Http2Session) => this.#welcome(session));
    this.#server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      void this.#serve(stream, headers);
    });
  }

  /** Bytes of requests held in memory now. */
  get inFlight_bytes(): number {
    return this.#inFlight.bytes;
  }

  /** @returns the address with its real port. @throws HoldfastError HF_RECEIVER_BIND */
  async start(): Promise<string> {
    const { endpoint, socket_mode } = this.#config;
    const place = {
      id: this.#id,
      protocol: TRANSPORT,
      key: 'protocols.grpc.endpoint',
      endpoint,
      socketMode: socket_mode,
      sharing: this.#sharing,
    };
    return listen(this.#server, place, this.#logger);
  }

  /** Answers what is in flight, then closes; what is left when `deadline` aborts is cut off. */
  stop(deadline: AbortSignal): Promise<void> {
    this.#stopTicking();
    this.#certificate?.unfollow();
    return new Promise((resolve) => {
      const cut = () => {
        for (const connection of this.#connections.values()) connection.destroy();
        this.#sockets.cut();
      };
      this.#server.close(() => {
        deadline.removeEventListener('abort', cut);
        resolve();
      });
      this.#greetings?.cut();
      for (const connection of this.#connections.values()) connection.drain();
      if (deadline.aborted) cut();
      else deadline.addEventListener('abort', cut, { once: true });
    });
  }

  #welcome(session: Http2Session): void {
    const connection = new Connection(session, lifetimeOf(this.#config), Date.now());
    this.#connections.set(session, connection);
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    session.on('ping', () => connection.pinged(Date.now()));
    session.on('close', () => {
      this.#connections.delete(session);
      if (this.#connections.size === 0) this.#stopTicking();
    });
    this.#ticker ??= this.#startTicking();
  }

  /** Whoever mixed up the ports hears it in words that he can read. */
  #refuseHttp(socket: Duplex, head: string, httpPort: number | undefined): void {
    const where = httpPort === undefined ? '' : `; OTLP over HTTP is taken on port ${httpPort}`;
    const refusal = new Refusal(
      400,
      rpcCode.INVALID_ARGUMENT,
      `this port takes gRPC, over HTTP/2 only${where}`,
    );
    const signal = signalOfHttp(head);
    if (signal) this.#intake.refused(signal, TRANSPORT, 0);
    logRefusal(this.#logger, TRANSPORT, refusal);
    answerByHand(socket, refusal);
  }

  #startTicking(): NodeJS.Timeout {
    const { read_timeout, keepalive } = this.#config;
    const shortest_ms = Math.min(read_timeout, keepalive.server_parameters.time);
    return setInterval(() => this.#tick(Date.now()), Math.min(TICK_MS_MAX, shortest_ms / 2)).unref();
  }

  #stopTicking(): void {
    clearInterval(this.#ticker);
    this.#ticker = undefined;
  }

  #tick(now_ms: number): void {
    for (const connection of this.#connections.values()) connection.tick(now_ms);
    for (const [stream, until_ms] of this.#arriving) {
      if (until_ms > now_ms) break;
      this.#arriving.delete(stream);
      const late = new Refusal(408, rpcCode.DEADLINE_EXCEEDED, 'the message did not arrive in time');
      logRefusal(this.#logger, TRANSPORT, late);
      if (isOpen(stream)) answerRefusal(stream, late);
    }
  }

  async #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    // Without a listener an error of a call that is gone would end the process.
    stream.on('error', ignore);
    const connection = stream.session && this.#connections.get(stream.session);
    connection?.callBegan();
    stream.on('close', () => connection?.callEnded(Date.now()));
    const share = new Share(this.#inFlight);
    try {
      // Before anything else: who is not known learns nothing of what is served.
      if (this.#guard && !isAdmitted(this.#guard, headers)) throw new Unauthenticated(this.#guard.challenge);
      const head = readGrpcHead(headers, this.#intake.signals);
      this.#intake.admit(0);
      const ticket = await this.#accept(stream, head, share);
      // The intake has its own copy, so the message is no longer held while the disk is waited for.
      share.release();
      if (ticket) await ticket.durable;
      if (isOpen(stream)) answerSuccess(stream);
    } catch (error) {
      this.#refuse(stream, headers, error);
    } finally {
      share.release();
    }
  }

  async #accept(stream: ServerHttp2Stream, head: GrpcHead, share: Share): Promise<Ticket | undefined> {
    const limit = this.#maxMessage_bytes;
    this.#arriving.set(stream, Date.now() + this.#config.read_timeout);
    const reading = readMessage(stream, limit, share, this.#pool);
    const { body, compressed } = await reading.finally(() => this.#arriving.delete(stream));
    try {
      const { bytes: arrived } = body;
      if (!compressed || arrived.length === 0) {
        return take(this.#intake, TRANSPORT, head.signal, 'identity', arrived, arrived);
      }
      if (!head.compression) {
        throw new Refusal(400, rpcCode.INTERNAL, 'a compressed message without grpc-encoding');
      }
      const outcome = this.#decompressor.decompress(head.compression, arrived, share);
      const { codec, stored, bytes } = outcome instanceof Promise ? await outcome : outcome;
      return take(this.#intake, TRANSPORT, head.signal, codec, stored, bytes);
    } finally {
      body.release();
    }
  }

  #refuse(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, error: unknown): void {
    if (error instanceof ClientGone) return;
    const refusal = refusalOf(error);
    const signal = signalOf(headers);
    if (signal && refusedHere(error)) this.#intake.refused(signal, TRANSPORT, 0);
    logRefusal(this.#logger, TRANSPORT, refusal);
    // What was appended stays on disk though nobody hears of it: at least once.
    if (isOpen(stream)) answerRefusal(stream, refusal);
  }
}

/** A stream that was reset is closed before it is destroyed; answering it would throw. */
function isOpen(stream: ServerHttp2Stream): boolean {
  return !stream.destroyed && !stream.closed && !stream.headersSent;
}

function lifetimeOf({ keepalive }: GrpcConfig): Lifetime {
  const { server_parameters: server, enforcement_policy: policy } = keepalive;
  return {
    handshake_ms: HANDSHAKE_MS,
    maxIdle_ms: server.max_connection_idle || Number.POSITIVE_INFINITY,
    maxAge_ms:
      (server.max_connection_age || Number.POSITIVE_INFINITY) * (1 + AGE_JITTER * (2 * Math.random() - 1)),
    maxAgeGrace_ms: server.max_connection_age_grace || Number.POSITIVE_INFINITY,
    ping_ms: server.time,
    pingTimeout_ms: server.timeout,
    minPing_ms: policy.min_time,
    pingWithoutCall: policy.permit_without_stream,
  };
}

function ignore(): void {}
