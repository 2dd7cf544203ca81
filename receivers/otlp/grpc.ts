// OTLP over gRPC: the three Export services on @grpc/grpc-js, with raw bytes in and raw bytes out.
// Invariant: OK is sent only after `durable` has resolved; whoever should come back gets UNAVAILABLE with RetryInfo.

import net from 'node:net';
import * as grpc from '@grpc/grpc-js';
import type { Address } from '../../config/endpoint.ts';
import type { Logger } from '../../config/logger.ts';
import { exportPathOf } from '../../otlp/service.ts';
import { type Signal, signals } from '../../otlp/signal.ts';
import { encodeStatus } from '../../otlp/status.ts';
import type { Intake } from '../receiver.ts';
import type { GrpcConfig } from './config.ts';
import { InFlight, Share } from './in_flight.ts';
import { listen } from './listen.ts';
import { logRefusal, refusalOf, refusedHere } from './refusal.ts';
import { take } from './take.ts';

const TRANSPORT = 'grpc';
const MIB = 2 ** 20;
/** Where a google.rpc.Status with its details travels (gRPC over HTTP/2, richer error model). */
const STATUS_DETAILS = 'grpc-status-details-bin';
/** Full success is an empty Export*ServiceResponse. */
const emptyResponse = Buffer.alloc(0);

const identity = (bytes: Buffer): Buffer => bytes;

function definitionOf(signal: Signal): grpc.ServiceDefinition {
  return {
    Export: {
      path: exportPathOf(signal),
      requestStream: false,
      responseStream: false,
      requestSerialize: identity,
      requestDeserialize: identity,
      responseSerialize: identity,
      responseDeserialize: identity,
    },
  };
}

type Call = grpc.ServerUnaryCall<Buffer, Buffer>;
type Callback = grpc.sendUnaryData<Buffer>;

export class GrpcServer {
  readonly #endpoint: Address;
  readonly #id: string;
  readonly #logger: Logger;
  readonly #intake: Intake;
  readonly #inFlight: InFlight;
  readonly #grpc: grpc.Server;
  readonly #connections: grpc.ConnectionInjector;
  /** Connections are accepted here and given to grpc-js, so that they are bounded and cut off as those of HTTP are. */
  readonly #listener: net.Server;

  constructor(config: GrpcConfig, id: string, logger: Logger, intake: Intake) {
    const maxMessage_bytes = config.max_recv_msg_size_mib * MIB;
    this.#endpoint = config.endpoint;
    this.#id = id;
    this.#logger = logger;
    this.#intake = intake;
    this.#inFlight = new InFlight(maxMessage_bytes);
    this.#grpc = new grpc.Server({
      'grpc.max_receive_message_length': maxMessage_bytes,
      'grpc.max_concurrent_streams': config.max_concurrent_streams,
      // Statistics that nothing here reads.
      'grpc.enable_channelz': 0,
    });
    // A signal without a pipeline is left out: grpc-js answers UNIMPLEMENTED.
    for (const signal of signals) if (intake.signals.has(signal)) this.#serve(signal);
    this.#connections = this.#grpc.createConnectionInjector(grpc.ServerCredentials.createInsecure());
    this.#listener = net.createServer({ noDelay: true }, (socket) => {
      this.#connections.injectConnection(socket);
    });
    this.#listener.maxConnections = config.max_connections;
  }

  /** Bytes of requests held in memory now. */
  get inFlight_bytes(): number {
    return this.#inFlight.bytes;
  }

  /** @returns the address with its real port. @throws HoldfastError HF_RECEIVER_BIND */
  start(): Promise<string> {
    const place = { id: this.#id, protocol: TRANSPORT, endpoint: this.#endpoint };
    return listen(this.#listener, place, this.#logger);
  }

  /** Answers what is in flight, then closes; what is left when `deadline` aborts is cut off. */
  async stop(deadline: AbortSignal): Promise<void> {
    // forceShutdown() of grpc-js 1.14 does not know its connections while channelz is off; drain() does.
    const cut = () => this.#connections.drain(0);
    const closed = new Promise<void>((resolve) => this.#listener.close(() => resolve()));
    const shutDown = new Promise<void>((resolve) => this.#grpc.tryShutdown(() => resolve()));
    if (deadline.aborted) cut();
    else deadline.addEventListener('abort', cut, { once: true });
    await Promise.all([closed, shutDown]);
    deadline.removeEventListener('abort', cut);
  }

  #serve(signal: Signal): void {
    this.#grpc.addService(definitionOf(signal), {
      Export: (call: Call, callback: Callback) => void this.#export(signal, call, callback),
    });
  }

  async #export(signal: Signal, call: Call, callback: Callback): Promise<void> {
    const bytes = call.request;
    const share = new Share(this.#inFlight);
    try {
      this.#intake.admit(bytes.length);
      share.add(bytes.length);
      const ticket = take(this.#intake, TRANSPORT, signal, 'identity', bytes, bytes);
      if (ticket) await ticket.durable;
      callback(null, emptyResponse);
    } catch (error) {
      callback(this.#refuse(signal, error));
    } finally {
      share.release();
    }
  }

  #refuse(signal: Signal, error: unknown): grpc.ServerErrorResponse {
    const refusal = refusalOf(error);
    if (refusedHere(error)) this.#intake.refused(signal, TRANSPORT, 0);
    logRefusal(this.#logger, TRANSPORT, refusal);
    const metadata = new grpc.Metadata();
    metadata.set(STATUS_DETAILS, Buffer.from(encodeStatus(refusal.status())));
    // grpc-js percent-encodes the message and would throw on half a surrogate pair.
    const details = refusal.message.toWellFormed();
    return Object.assign(new Error(details), { code: refusal.rpc, details, metadata });
  }
}
