// What the agent knows of the syslog receiver before it runs one. Invariant: what runs it is loaded only where it is configured.

import type { ReceiverFactory } from '../receiver.ts';
import { type SyslogReceiverConfig, syslogReceiverSchema } from './config.ts';

export const syslogReceiver: ReceiverFactory<SyslogReceiverConfig> = {
  type: 'syslog',
  description: 'Takes syslog (RFC 5424, RFC 3164) over TCP, TLS, UDP and unix sockets.',
  signals: ['logs'],
  schema: syslogReceiverSchema,
  load: () => import('./receiver.ts'),
};
