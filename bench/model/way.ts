// The ways whose cost is taken apart. Invariant: a way's steps handle the same bodies as its scenario does, shared by as many
// requests at a time as there.

import type { Load } from '../load/generator.ts';
import { type Scenario, scenarios } from '../scenario.ts';

export interface Way {
  /** Of the scenario that it takes apart. */
  readonly name: string;
  readonly title: string;
  readonly scenario: Scenario;
  readonly load: Omit<Load, 'url'>;
  /** What a step handles in one go, requests. */
  readonly requests: number;
  /** Requests that share a commit: one of each connection. */
  readonly perCommit: number;
  /** Requests that leave as one. */
  readonly perBatch: number;
  /** From the disk out; otherwise in, onto the disk and out of memory. */
  readonly cold: boolean;
}

const BATCH_SMALL_REQUESTS = 32;

export const ways: readonly Way[] = [
  way('plain', 800, 1),
  way('gzip', 800, 1),
  way('few-16', 16_000, BATCH_SMALL_REQUESTS),
  way('backlog', 800, 1),
];

function way(name: string, requests: number, perBatch: number): Way {
  const scenario = scenarios.find((each) => each.name === name);
  if (scenario?.kind !== 'load' && scenario?.kind !== 'backlog') throw new Error(`no load in ${name}`);
  const { load, title } = scenario;
  const cold = scenario.kind === 'backlog';
  return { name, title, scenario, load, requests, perCommit: load.connections, perBatch, cold };
}
