// The HTTP receiver: log records from whatever speaks HTTP and no OTLP.
// Invariant: it listens with every guard that its configuration names, or not at all.

import type { Endpoint, Intake, Receiver, ReceiverContext, ReceiverFactory } from '../receiver.ts';
import { HttpServer } from '../server/http_server.ts';
import { isElsewhere } from '../sharing.ts';
import { type HttpReceiverConfig, httpReceiverSchema } from './config.ts';
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

export const httpReceiver: ReceiverFactory<HttpReceiverConfig> = {
  type: 'http',
  description: 'Takes JSON, lines of JSON or text, and raw bodies over HTTP, as log records.',
  signals: ['logs'],
  schema: httpReceiverSchema,
  authenticators: ({ auth, routes }) => [
    ...(auth ? [{ path: ['auth', 'authenticator'], id: auth.authenticator }] : []),
    ...routes.flatMap((route, index) =>
      route.auth ? [{ path: ['routes', index, 'auth', 'authenticator'], id: route.auth.authenticator }] : [],
    ),
  ],
  create: (config, context) => new HttpReceiver(config, context),
};
