// What each door of the receiver is given beside its own configuration.

import type { Logger } from '../../config/logger.ts';
import type { ConnectionLimit } from '../connection_limit.ts';
import type { Intake } from '../receiver.ts';
import type { PortSharing } from '../sharing.ts';
import type { SyslogReceiverConfig } from './config.ts';

/** How long the receiver waits where nothing tells it, ms. */
export interface Pauses {
  /** At least, until what found no room is offered again. */
  readonly retry_ms: number;
  /** Until the kernel is asked again what it dropped, and losses are told. */
  readonly check_ms: number;
}

export interface Surroundings {
  /** Of the receiver. */
  readonly id: string;
  readonly logger: Logger;
  readonly intake: Intake;
  /** Of all receivers together. */
  readonly connections: ConnectionLimit;
  readonly sharing?: PortSharing | undefined;
  readonly config: SyslogReceiverConfig;
  readonly pauses: Pauses;
}
