// All crash tests, in the order in which they run.

import { agentKills } from './agent_kills.ts';
import { descriptors } from './descriptors.ts';
import { failingCalls } from './failing_calls.ts';
import { fullDisk } from './full_disk.ts';
import { libraryKills } from './library_kills.ts';
import { owners } from './owners.ts';
import type { Scenario } from './scenario.ts';
import { stolenLock } from './stolen_lock.ts';

export const scenarios: readonly Scenario[] = [
  agentKills,
  libraryKills,
  owners,
  stolenLock,
  fullDisk,
  failingCalls,
  descriptors,
];
