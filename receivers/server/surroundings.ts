// What a server of either protocol is given beside its own configuration.

import type { Logger } from '../../config/logger.ts';
import type { Authenticator } from '../authenticator.ts';
import type { ConnectionLimit } from '../connection_limit.ts';
import type { Intake } from '../receiver.ts';
import type { PortSharing } from '../sharing.ts';

export interface Surroundings {
  /** Of the receiver. */
  readonly id: string;
  readonly logger: Logger;
  readonly intake: Intake;
  /** Of all receivers together. */
  readonly connections: ConnectionLimit;
  readonly sharing?: PortSharing | undefined;
  /** Undefined: whoever reaches the address may send. */
  readonly guard?: Authenticator | undefined;
}
