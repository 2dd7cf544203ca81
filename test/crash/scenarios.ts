// All crash tests, in the order in which they run.

import { agentKills } from './agent_kills.ts';
import { libraryKills } from './library_kills.ts';
import type { Scenario } from './scenario.ts';

export const scenarios: readonly Scenario[] = [agentKills, libraryKills];
