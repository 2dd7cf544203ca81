// The HTTP receiver: log records from whatever speaks HTTP and no OTLP.
// Invariant: it listens with every guard that its configuration names, or not at all.

import type { Endpoint, Intake, Receiver, ReceiverContext } from '../receiver.ts';
import { HttpServer } from '../server/http_server.ts';
import { isElsewhere } from '../sharing.ts';
import type { HttpReceiverConfig } from './config.ts';
import { HttpRecords, TRANSPORT } from './service.ts';

class HttpReceiver implements Receiver {
  endpoints: readonly Endpoint[] = [];
  readonly #config: HttpReceiverConfig;
  readonly #context: ReceiverContext;
  #server: { stop(deadline: AbortSignal): Promise<void> } | undefined;

  constructor(config: HttpReceiverConfig, context: ReceiverContext) {
    this.#config = config;
    this.#context = context;
  }

  async start(intake: Intake): Promise<void> {
    const { authenticators, sharing } = this.#context;
    if (isElsewhere(this.#config.endpoint, sharing)) return;
    const service = new HttpRecords(this.#config, intake, authenticators);
    const place = { ...this.#config, protocol: TRANSPORT, endpointKey: 'endpoint' };
    const server = new HttpServer(place, { ...this.#context, intake }, service);
    const address = await server.start();
    this.#server = server;
    this.endpoints = [{ protocol: TRANSPORT, address }];
  }

  async stop(deadline: AbortSignal): Promise<void> {
    await this.#server?.stop(deadline);
    this.#server = undefined;
  }
}

export const create = (config: HttpReceiverConfig, context: ReceiverContext): Receiver =>
  new HttpReceiver(config, context);
