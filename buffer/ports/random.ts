// Chance as the log and the drain loop see it: jitter, and the key of a log, which nobody outside may guess. The simulator
// gives a seeded one.

import { randomInt } from 'node:crypto';

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
}

const STEPS = 2 ** 48 - 1;

export const systemRandom: Random = { next: () => randomInt(STEPS) / STEPS };
