// How one receiver listens in several threads at once: each has a socket of its own on the same port (SO_REUSEPORT), and the
// kernel gives a connection to one of them. Invariant: a port is shared among the workers of one agent, with nobody else.

import type { Address } from '../config/endpoint.ts';

export interface PortSharing {
  /** The worker that takes what cannot be shared, such as unix sockets, and counts what is counted once. */
  readonly isFirst: boolean;
  /** No worker listens yet, so whoever does is a stranger. */
  readonly isAlone: boolean;
  /** The port that the other workers were given where the configuration says 0. */
  portOf(protocol: string): number | undefined;
}

/** Another worker listens there. */
export function isElsewhere(endpoint: Address, sharing: PortSharing | undefined): boolean {
  return endpoint.kind === 'unix' && sharing !== undefined && !sharing.isFirst;
}
