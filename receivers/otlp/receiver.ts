// The OTLP receiver: starts and stops the servers of the protocols that are on.
// Invariant: either all of them listen or none does.

import type { Address } from '../../config/endpoint.ts';
import { authenticatorOf } from '../authenticator.ts';
import type { Endpoint, Intake, Receiver, ReceiverContext } from '../receiver.ts';
import { isElsewhere } from '../sharing.ts';
import type { OtlpReceiverConfig } from './config.ts';
import { GrpcServer } from './grpc/server.ts';
import { otlpHttpServer } from './http.ts';

/** What the servers of both protocols have in common. */
interface Server {
  /** @returns the address with its real port */
  start(): Promise<string>;
  stop(deadline: AbortSignal): Promise<void>;
}

class OtlpReceiver implements Receiver {
  endpoints: readonly Endpoint[] = [];
  readonly #config: OtlpReceiverConfig;
  readonly #context: ReceiverContext;
  #servers: Server[] = [];

  constructor(config: OtlpReceiverConfig, context: ReceiverContext) {
    this.#config = config;
    this.#context = context;
  }

  async start(intake: Intake): Promise<void> {
    const { connections, id, logger, authenticators, sharing } = this.#context;
    const { grpc, http } = this.#config.protocols;
    const endpoints: Endpoint[] = [];
    try {
      // Both are made before one listens: what cannot be guarded does not open, nor does its neighbour.
      const servers: [string, Server][] = [];
      if (grpc && !isElsewhere(grpc.endpoint, sharing)) {
        const guard = authenticatorOf(grpc.auth, authenticators);
        const surroundings = { id, logger, intake, guard, connections, sharing };
        servers.push(['grpc', new GrpcServer(grpc, surroundings, http && portOf(http.endpoint))]);
      }
      if (http && !isElsewhere(http.endpoint, sharing)) {
        const guard = authenticatorOf(http.auth, authenticators);
        servers.push(['http', otlpHttpServer(http, { id, logger, intake, guard, connections, sharing })]);
      }
      for (const [protocol, server] of servers) await this.#start(protocol, server, endpoints);
    } catch (error) {
      await this.stop(AbortSignal.abort());
      throw error;
    }
    this.endpoints = endpoints;
  }

  async stop(deadline: AbortSignal): Promise<void> {
    const servers = this.#servers;
    this.#servers = [];
    await Promise.all(servers.map((server) => server.stop(deadline)));
  }

  async #start(protocol: string, server: Server, endpoints: Endpoint[]): Promise<void> {
    const address = await server.start();
    this.#servers.push(server);
    endpoints.push({ protocol, address });
  }
}

/** Undefined where there is none to be told before it is bound. */
function portOf(endpoint: Address): number | undefined {
  return endpoint.kind === 'tcp' && endpoint.port !== 0 ? endpoint.port : undefined;
}

export const create = (config: OtlpReceiverConfig, context: ReceiverContext): Receiver =>
  new OtlpReceiver(config, context);
