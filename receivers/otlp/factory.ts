// What the agent knows of the OTLP receiver before it runs one. Invariant: what runs it is loaded only where it is configured.

import type { ReceiverFactory } from '../receiver.ts';
import { type OtlpReceiverConfig, otlpReceiverSchema } from './config.ts';

export const otlpReceiver: ReceiverFactory<OtlpReceiverConfig> = {
  type: 'otlp',
  description: 'Takes OTLP over gRPC and HTTP.',
  signals: ['traces', 'metrics', 'logs'],
  schema: otlpReceiverSchema,
  authenticators: ({ protocols }) =>
    (['grpc', 'http'] as const).flatMap((protocol) => {
      const id = protocols[protocol]?.auth?.authenticator;
      return id === undefined ? [] : [{ path: ['protocols', protocol, 'auth', 'authenticator'], id }];
    }),
  load: () => import('./receiver.ts'),
};
