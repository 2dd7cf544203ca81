// Who sent a message, as attributes under the Collector's names (its tcplog and udplog receivers' add_attributes).
// Invariant: what is kept for senders of datagrams is bounded, however many addresses they claim.

import { encodeAttributes } from './recorder.ts';

export interface PeerAddress {
  readonly transport: 'IP.TCP' | 'IP.UDP';
  readonly peerIp: string;
  readonly peerPort: number;
  readonly hostIp: string;
  readonly hostPort: number;
}

const PEERS_MAX = 1024;

export function encodePeer(peer: PeerAddress): Buffer {
  return encodeAttributes({
    'net.transport': peer.transport,
    'net.peer.ip': peer.peerIp,
    'net.peer.port': String(peer.peerPort),
    'net.host.ip': peer.hostIp,
    'net.host.port': String(peer.hostPort),
  });
}

/** What is on the records of each sender of datagrams, encoded once. */
export class Peers {
  readonly #attributes: Buffer;
  readonly #host: Pick<PeerAddress, 'hostIp' | 'hostPort'>;
  readonly #known = new Map<string, Buffer>();

  /** @param attributes those of all senders */
  constructor(attributes: Buffer, hostIp: string, hostPort: number) {
    this.#attributes = attributes;
    this.#host = { hostIp, hostPort };
  }

  of(peerIp: string, peerPort: number): Buffer {
    const name = `${peerIp} ${peerPort}`;
    let fields = this.#known.get(name);
    if (!fields) {
      if (this.#known.size >= PEERS_MAX) this.#known.clear();
      const peer = encodePeer({ transport: 'IP.UDP', peerIp, peerPort, ...this.#host });
      fields = Buffer.concat([this.#attributes, peer]);
      this.#known.set(name, fields);
    }
    return fields;
  }
}
