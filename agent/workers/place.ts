// Where an agent stands among the workers of its process: plain data, so that it can be handed to a thread.
// Invariant: the workers' own and adopted logs are disjoint, and together all that are on disk.

import { SharedDisk } from '../../buffer/index.ts';
import type { Descriptors } from '../descriptors.ts';

export interface Place {
  /** Number of this worker, from 0, and of the log that is its own. */
  readonly worker: number;
  /** Workers of the process; 1: there are no threads. */
  readonly count: number;
  /** Numbers of logs whose workers do not run any more: this one drains them. */
  readonly adopted: readonly number[];
  /** `SharedDisk.memory`, with a place for every log by its number. */
  readonly disk: SharedArrayBuffer;
  /** This worker's share of what the process may open; undefined: no limit is known. */
  readonly descriptors: Descriptors | undefined;
  /** `portKey` → the port that the workers were given where the configuration says 0. */
  readonly ports: Readonly<Record<string, number>>;
  /** No worker of this process listens yet, so whoever does is a stranger. */
  readonly isAlone: boolean;
}

/** Of the logs on disk (by number), those that no worker of `count` has as its own, dealt out. */
export function adoptedBy(worker: number, count: number, onDisk: readonly number[]): number[] {
  return onDisk.filter((log) => log >= count && log % count === worker);
}

/** A place in shared memory for each log that there is or will be. */
export function diskFor(count: number, onDisk: readonly number[]): SharedArrayBuffer {
  return SharedDisk.memory(Math.max(count, ...onDisk.map((log) => log + 1)));
}
