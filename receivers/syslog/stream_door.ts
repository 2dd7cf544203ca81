// Messages over TCP, TLS and unix stream sockets. Syslog has no answer, so the only way to say "not yet" is not to read: while as
// much waits for the disk as may, every socket is paused, and the senders' own queues fill.
// Invariant: a byte that was read becomes part of a record that is held until it is durable.

import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { createServer as createTlsServer } from 'node:tls';
import type { Address } from '../../config/endpoint.ts';
import type { ServerTls } from '../../config/tls.ts';
import { encodeResource } from '../../otlp/log_writer.ts';
import { listen } from '../server/listen.ts';
import { OpenSockets } from '../server/open_sockets.ts';
import { ServerCertificate } from '../tls.ts';
import { Framer, type FramerOptions, type OnMessage } from './framing.ts';
import { Outbox } from './outbox.ts';
import { encodePeer } from './peer.ts';
import { encodeAttributes, Recorder } from './recorder.ts';
import type { Surroundings } from './surroundings.ts';

/** Silence until the kernel asks whether a client is there. */
const KEEP_ALIVE_MS = 60_000;
/** When the agent stops: silence after which nothing more is on its way from a client. */
const LAST_SILENCE_MS = 200;

export interface StreamDoorConfig {
  readonly listen_address: Address;
  readonly max_log_size: number;
  readonly max_connections: number;
  /** 0: never */
  readonly idle_timeout: number;
  readonly tls?: ServerTls | undefined;
  readonly socket_mode?: string;
  readonly add_attributes?: boolean;
}

interface Connection {
  readonly framer: Framer;
  isOver: boolean;
}

export class StreamDoor {
  readonly #transport: 'tcp' | 'tls' | 'unix';
  readonly #config: StreamDoorConfig;
  readonly #surroundings: Surroundings;
  readonly #framing: FramerOptions;
  readonly #recorder: Recorder;
  readonly #outbox: Outbox;
  readonly #server: Server;
  readonly #sockets: OpenSockets;
  readonly #certificate: ServerCertificate | undefined;
  readonly #connections = new Map<Socket, Connection>();
  /** On each record of the door. */
  readonly #attributes: Buffer;
  #isPaused = false;
  #isStopping = false;

  constructor(kind: 'tcp' | 'unix', config: StreamDoorConfig, surroundings: Surroundings) {
    this.#config = config;
    this.#surroundings = surroundings;
    this.#transport = config.tls ? 'tls' : kind;
    const { config: receiver, intake, logger, connections, pauses } = surroundings;
    this.#framing = framingOf(receiver, config.max_log_size);
    this.#recorder = new Recorder(receiver.protocol, receiver.location);
    this.#attributes = encodeAttributes(receiver.attributes);
    this.#outbox = new Outbox({
      intake,
      logger,
      transport: this.#transport,
      resource: encodeResource(receiver.resource),
      flush_ms: receiver.flush_interval,
      message_bytes: config.max_log_size,
      retry_ms: pauses.retry_ms,
      onRoom: () => this.#resume(),
    });
    if (config.tls) {
      this.#certificate = new ServerCertificate(config.tls, logger);
      const server = createTlsServer(this.#certificate.options());
      this.#certificate.follow(server);
      server.on('secureConnection', (socket: TLSSocket) => this.#accept(socket));
      server.on('tlsClientError', (error: Error) => logger.debug('no TLS', { reason: error.message }));
      this.#server = server;
    } else this.#server = createServer((socket) => this.#accept(socket));
    this.#server.maxConnections = config.max_connections;
    connections.guard(this.#server);
    this.#sockets = new OpenSockets(this.#server);
  }

  /** @returns the address with its real port. @throws HoldfastError HF_RECEIVER_BIND */
  start(): Promise<string> {
    const { id, logger, sharing } = this.#surroundings;
    const kind = this.#transport === 'unix' ? 'unix' : 'tcp';
    const { listen_address: endpoint, socket_mode: socketMode = '0600' } = this.#config;
    const place = {
      id,
      protocol: this.#transport,
      key: `${kind}.listen_address`,
      endpoint,
      socketMode,
      sharing,
    };
    return listen(this.#server, place, logger);
  }

  /**
   * Takes no new connections and says so to those that are open, reads what they had sent, and waits for the disk. What is left
   * when `deadline` aborts is cut off.
   */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#isStopping = true;
    this.#certificate?.unfollow();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const cut = (): void => this.#sockets.cut();
    deadline.addEventListener('abort', cut, { once: true });
    for (const socket of this.#connections.keys()) {
      socket.setTimeout(LAST_SILENCE_MS);
      socket.end();
    }
    if (deadline.aborted) cut();
    // While the disk takes nothing the sockets stand still: then it is the deadline that ends them.
    await closed;
    deadline.removeEventListener('abort', cut);
    await this.#outbox.close(deadline);
  }

  #accept(socket: Socket): void {
    const fixed = this.#fixedOf(socket);
    const onMessage: OnMessage = (bytes, start, stop, isText, isCut) => {
      this.#recorder.record(this.#outbox.writer, bytes, start, stop, isText, isCut, fixed);
      this.#outbox.added();
    };
    const connection: Connection = { framer: new Framer(this.#framing, onMessage), isOver: false };
    this.#connections.set(socket, connection);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.setTimeout(this.#isStopping ? LAST_SILENCE_MS : this.#config.idle_timeout);
    socket.on('data', (chunk: Buffer) => this.#read(connection, chunk));
    socket.on('end', () => this.#finish(connection, false));
    // A socket that is paused by us is silent by our will.
    socket.on('timeout', () => !this.#isPaused && socket.destroy());
    // 'close' follows, and there is nobody to tell.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#finish(connection, true);
      this.#connections.delete(socket);
    });
    if (this.#outbox.isFull) this.#pause();
    if (this.#isPaused) socket.pause();
  }

  #read({ framer }: Connection, chunk: Buffer): void {
    this.#recorder.arrive(Date.now());
    framer.push(chunk);
    if (this.#outbox.isFull) this.#pause();
  }

  /** @param isCut the connection broke off, so nobody knows whether there was more */
  #finish(connection: Connection, isCut: boolean): void {
    if (connection.isOver) return;
    connection.isOver = true;
    this.#recorder.arrive(Date.now());
    connection.framer.end(isCut);
  }

  #pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    for (const socket of this.#connections.keys()) socket.pause();
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    for (const socket of this.#connections.keys()) socket.resume();
  }

  #fixedOf(socket: Socket): Buffer {
    const { remoteAddress, remotePort, localAddress, localPort } = socket;
    if (!this.#config.add_attributes || remoteAddress === undefined) return this.#attributes;
    const peer = encodePeer({
      transport: 'IP.TCP',
      peerIp: remoteAddress,
      peerPort: remotePort ?? 0,
      hostIp: localAddress ?? '',
      hostPort: localPort ?? 0,
    });
    return Buffer.concat([this.#attributes, peer]);
  }
}

function framingOf(config: Surroundings['config'], max_bytes: number): FramerOptions {
  const { enable_octet_counting: counts, non_transparent_framing_trailer: trailer } = config;
  const framing = counts ? 'octets' : trailer === undefined ? undefined : trailer === 'NUL' ? 'nul' : 'lf';
  return { framing, mayCount: counts !== false, max_bytes };
}
