// Bugs that the simulations must find, each from a real incident, planted around the product and never in it. Invariant: a
// name stands for one bug, and no bug is known by two names.

import { drainBugs } from './planted_drain.ts';
import { logBugs } from './planted_log.ts';
import type { PlantedBug } from './planting.ts';

export const plantedBugs: Readonly<Record<string, PlantedBug>> = { ...logBugs, ...drainBugs };
