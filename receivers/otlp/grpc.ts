// OTLP over gRPC: the three Export services on @grpc/grpc-js, with raw bytes in and raw bytes out.
// Invariant: OK is sent only after `durable` has resolved; whoever should come back gets UNAVAILABLE with RetryInfo.

import * as grpc from '@grpc/grpc-js';
import { type Address, formatAddress } from '../../config/endpoint.ts';
import type { Logger } from '../../config/logger.ts';
import { type Signal, signals } from '../../otlp/signal.ts';
import { encodeStatus } from '../../otlp/status.ts';
import type { Intake } from '../receiver.ts';
import { bindError } from './bind.ts';
import type { GrpcConfig } from './config.ts';
import { InFlight, Share } from './in_flight.ts';
import { logRefusal, refusalOf, refusedHere } from './refusal.ts';
import { take } from './take.ts';

const TRANSPORT = 'grpc';
const MIB = 2 ** 20;
/** Where a google.rpc.Status with its details travels (gRPC over HTTP/2, richer error model). */
const STATUS_DETAILS = 'grpc-status-details-bin';
/** Full success is an empty Export*ServiceResponse. */
const emptyResponse = Buffer.alloc(0);

const serviceOf: Readonly<Record<Signal, string>> = {
  traces: 'opentelemetry.proto.collector.trace.v1.TraceService',
  metrics: 'opentelemetry.proto.collector.metrics.v1.MetricsService',
  logs: 'opentelemetry.proto.collector.logs.v1.LogsService',
};

const identity = (bytes: Buffer): Buffer => bytes;

function definitionOf(signal: Signal): grpc.ServiceDefinition {
  return {
    Export: {
      path: `/${serviceOf[signal]}/Export`,
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
  readonly #server: grpc.Server;

  constructor(config: GrpcConfig, id: string, logger: Logger, intake: Intake) {
    const maxMessage_bytes = config.max_recv_msg_size_mib * MIB;
    this.#endpoint = config.endpoint;
    this.#id = id;
    this.#logger = logger;
    this.#intake = intake;
    this.#inFlight = new InFlight(maxMessage_bytes);
    this.#server = new grpc.Server({
      'grpc.max_receive_message_length': maxMessage_bytes,
      'grpc.max_concurrent_streams': config.max_concurrent_streams,
      // Statistics that nothing here reads.
      'grpc.enable_channelz': 0,
    });
    // A signal without a pipeline is left out: grpc-js answers UNIMPLEMENTED.
    for (const signal of signals) if (intake.signals.has(signal)) this.#serve(signal);
  }

  /** Bytes of requests held in memory now. */
  get inFlight_bytes(): number {
    return this.#inFlight.bytes;
  }

  /** @returns the address with its real port. @throws HoldfastError HF_RECEIVER_BIND */
  start(): Promise<string> {
    const endpoint = this.#endpoint;
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(target(endpoint), grpc.ServerCredentials.createInsecure(), (error, port) => {
        if (error) reject(bindError(this.#id, TRANSPORT, endpoint, error));
        else resolve(formatAddress(endpoint.kind === 'unix' ? endpoint : { ...endpoint, port }));
      });
    });
  }

  /** Answers what is in flight, then closes; what is left when `deadline` aborts is cut off. */
  stop(deadline: AbortSignal): Promise<void> {
    const server = this.#server;
    return new Promise((resolve) => {
      const cut = () => server.forceShutdown();
      server.tryShutdown(() => {
        deadline.removeEventListener('abort', cut);
        resolve();
      });
      if (deadline.aborted) cut();
      else deadline.addEventListener('abort', cut, { once: true });
    });
  }

  #serve(signal: Signal): void {
    this.#server.addService(definitionOf(signal), {
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

/** The address in the form of gRPC name resolution. */
function target(address: Address): string {
  if (address.kind === 'tcp' && address.host === '') return formatAddress({ ...address, host: '::' });
  return formatAddress(address);
}
