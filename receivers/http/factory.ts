// What the agent knows of the HTTP receiver before it runs one. Invariant: what runs it is loaded only where it is configured.

import type { ReceiverFactory } from '../receiver.ts';
import { type HttpReceiverConfig, httpReceiverSchema } from './config.ts';

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
  load: () => import('./receiver.ts'),
};
