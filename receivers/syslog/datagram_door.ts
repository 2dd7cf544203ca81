// Messages over UDP, one a datagram (RFC 5426). Nobody can be told to wait: what finds no room is lost, and counted.
// Invariant: each datagram that the socket gave is a record or counted as refused, and so is each that the kernel says it dropped.

import type { RemoteInfo, Socket } from 'node:dgram';
import { createSocket } from 'node:dgram';
import { formatAddress, type TcpAddress } from '../../config/endpoint.ts';
import { encodeResource } from '../../otlp/log_writer.ts';
import { bindError } from '../server/listen.ts';
import type { UdpConfig } from './config.ts';
import { type Family, kernelDrops } from './kernel_drops.ts';
import { Outbox } from './outbox.ts';
import { Peers } from './peer.ts';
import { encodeAttributes, Recorder } from './recorder.ts';
import type { Surroundings } from './surroundings.ts';

const TRANSPORT = 'udp';
const NUL = 0x00;
const LF = 0x0a;
const CR = 0x0d;

export class DatagramDoor {
  readonly #config: UdpConfig;
  readonly #surroundings: Surroundings;
  readonly #recorder: Recorder;
  readonly #outbox: Outbox;
  readonly #attributes: Buffer;
  #peers: Peers | undefined;
  #socket: Socket | undefined;
  #checks: NodeJS.Timeout | undefined;
  /** Since losses were told last. */
  #noRoom = 0;
  /** What the kernel had dropped when it was asked last. */
  #kernelDrops = 0;

  constructor(config: UdpConfig, surroundings: Surroundings) {
    this.#config = config;
    this.#surroundings = surroundings;
    const { config: receiver, intake, logger, pauses } = surroundings;
    this.#recorder = new Recorder(receiver.protocol, receiver.location);
    this.#attributes = encodeAttributes(receiver.attributes);
    this.#outbox = new Outbox({
      intake,
      logger,
      transport: TRANSPORT,
      resource: encodeResource(receiver.resource),
      flush_ms: receiver.flush_interval,
      message_bytes: config.max_log_size,
      retry_ms: pauses.retry_ms,
      onRoom: () => {},
    });
  }

  /** @returns the address with its real port. @throws HoldfastError HF_RECEIVER_BIND */
  async start(): Promise<string> {
    const { host, port } = this.#config.listen_address as TcpAddress;
    const { sharing } = this.#surroundings;
    const shares = this.#config.reuse_port || sharing !== undefined;
    // Shared with strangers it would lose them a part of the datagrams: it is asked for alone first.
    if (sharing?.isAlone && !this.#config.reuse_port) {
      const alone = await this.#bindOneOf(host, port, false);
      await new Promise<void>((resolve) => alone.close(() => resolve()));
    }
    const socket = await this.#bindOneOf(host, port === 0 ? (sharing?.portOf(TRANSPORT) ?? 0) : port, shares);
    this.#socket = socket;
    const { address, family, port: realPort } = socket.address();
    // What the sockets of other workers lost before is theirs.
    if (sharing?.isFirst) {
      this.#kernelDrops = (await kernelDrops(address, realPort, family.toLowerCase() as Family)) ?? 0;
    }
    if (this.#config.add_attributes) this.#peers = new Peers(this.#attributes, address, realPort);
    socket.on('message', (bytes, remote) => this.#take(bytes, remote));
    socket.on('error', (error) => this.#surroundings.logger.error('server', { error: error.message }));
    this.#checkBuffer(socket);
    this.#checks = setInterval(() => void this.check(), this.#surroundings.pauses.check_ms);
    this.#checks.unref();
    return formatAddress({ kind: 'tcp', host: address, port: realPort });
  }

  async stop(deadline: AbortSignal): Promise<void> {
    clearInterval(this.#checks);
    const socket = this.#socket;
    if (socket) {
      await this.check();
      this.#socket = undefined;
      await new Promise<void>((resolve) => socket.close(() => resolve()));
    }
    await this.#outbox.close(deadline);
  }

  /** Counts what the kernel dropped since it was asked last, and tells of all losses. */
  async check(): Promise<void> {
    const socket = this.#socket;
    if (!socket) return;
    const { address, port, family } = socket.address();
    const { sharing } = this.#surroundings;
    // The kernel tells of all sockets on the port together, so one worker counts.
    const counts = sharing?.isFirst ?? true;
    const drops = counts ? await kernelDrops(address, port, family.toLowerCase() as Family) : undefined;
    const dropped = Math.max(0, (drops ?? 0) - this.#kernelDrops);
    this.#kernelDrops = drops ?? this.#kernelDrops;
    const { intake, logger } = this.#surroundings;
    if (dropped > 0) intake.refused('logs', TRANSPORT, dropped);
    if (dropped > 0 || this.#noRoom > 0) {
      logger.warn('datagrams lost', { receive_buffer_full: dropped, no_room: this.#noRoom });
    }
    this.#noRoom = 0;
  }

  #take(bytes: Buffer, remote: RemoteInfo): void {
    if (this.#outbox.isFull) {
      this.#noRoom += 1;
      this.#surroundings.intake.refused('logs', TRANSPORT, 1);
      return;
    }
    let stop = bytes.length;
    while (stop > 0 && isTrailer(bytes[stop - 1]!)) stop -= 1;
    if (stop === 0) return;
    const limit = this.#config.max_log_size;
    this.#recorder.arrive(Date.now());
    const fixed = this.#peers?.of(remote.address, remote.port) ?? this.#attributes;
    this.#recorder.record(this.#outbox.writer, bytes, 0, Math.min(stop, limit), false, stop > limit, fixed);
    this.#outbox.added();
  }

  async #bindOneOf(host: string, port: number, reusePort: boolean): Promise<Socket> {
    const { id } = this.#surroundings;
    const { listen_address: endpoint } = this.#config;
    const place = { id, protocol: TRANSPORT, key: 'udp.listen_address', endpoint, socketMode: '' };
    // Every interface is both families on one socket, but on a machine without IPv6.
    const attempts: readonly ['udp4' | 'udp6', string][] =
      host === ''
        ? [
            ['udp6', '::'],
            ['udp4', '0.0.0.0'],
          ]
        : [[host.includes(':') ? 'udp6' : 'udp4', host]];
    let failure: NodeJS.ErrnoException | undefined;
    for (const [type, address] of attempts) {
      try {
        return await this.#bind(type, address, port, reusePort);
      } catch (error) {
        failure = error as NodeJS.ErrnoException;
        if (failure.code !== 'EAFNOSUPPORT') break;
      }
    }
    throw bindError(place, failure!);
  }

  #bind(type: 'udp4' | 'udp6', address: string, port: number, reusePort: boolean): Promise<Socket> {
    const { receive_buffer_size: recvBufferSize } = this.#config;
    return new Promise((resolve, reject) => {
      let socket: Socket;
      const failed = (error: Error): void => {
        socket.close();
        reject(error);
      };
      socket = createSocket({ type, reusePort, recvBufferSize });
      socket.once('error', failed);
      socket.bind({ port, address, exclusive: true }, () => {
        socket.off('error', failed);
        resolve(socket);
      });
    });
  }

  #checkBuffer(socket: Socket): void {
    const wanted = this.#config.receive_buffer_size;
    // Linux counts its own bookkeeping and says twice what was asked for.
    const given = socket.getRecvBufferSize() / (process.platform === 'linux' ? 2 : 1);
    if (given >= wanted) return;
    this.#surroundings.logger.info('the receive buffer is smaller than asked for', {
      given_bytes: given,
      wanted_bytes: wanted,
      limit: 'net.core.rmem_max',
    });
  }
}

function isTrailer(byte: number): boolean {
  return byte === LF || byte === NUL || byte === CR;
}
