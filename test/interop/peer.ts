// What a peer of the interop suite is: a program of somebody else, in front of Holdfast or behind it. Invariant: what came out
// differs from what went in → thrown as `Differs`; what is not installed is said with a reason, never passed over.

import type { Stage } from './stage.ts';

/** One way of speaking that held. */
export interface Held {
  /** Such as `http/protobuf, gzip`. */
  readonly way: string;
  /** Spans, metrics, records or samples that were compared. */
  readonly compared: number;
}

export interface Peer {
  readonly name: string;
  /** One line for --help. */
  readonly summary: string;
  /** Why it cannot run here. */
  missing(): string | undefined;
  /** @throws Differs */
  run(stage: Stage): Promise<readonly Held[]>;
}

export class Differs extends Error {
  constructor(what: string, details: string) {
    super(`${what}\n${details}`);
    this.name = 'Differs';
  }
}
