// What a worker's place means for the ports of one receiver.

import type { PortSharing } from '../../receivers/sharing.ts';
import type { Place } from './place.ts';

export function sharingOf({ worker, isAlone, ports }: Place, receiver: string): PortSharing {
  return {
    isFirst: worker === 0,
    isAlone,
    portOf: (protocol) => ports[portKey(receiver, protocol)],
  };
}

export function portKey(receiver: string, protocol: string): string {
  return `${receiver} ${protocol}`;
}
