// Receives nothing, as the Collector's: for pipelines that only drain what is on disk already.
// Invariant: it listens nowhere.

import type * as z from 'zod';
import { section } from '../../config/fields.ts';
import { signals } from '../../otlp/signal.ts';
import type { Receiver, ReceiverFactory } from '../receiver.ts';

const nopConfig = section({});

const nothing: Receiver = {
  endpoints: [],
  async start() {},
  async stop() {},
};

export const nopReceiver: ReceiverFactory<z.output<typeof nopConfig>> = {
  type: 'nop',
  description: 'Receives nothing.',
  signals,
  schema: nopConfig,
  load: async () => ({ create: () => nothing }),
};
