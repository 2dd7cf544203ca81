// Chance as the log and the drain loop see it: jitter is the only user. The simulator gives a seeded one.

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
}

export const systemRandom: Random = { next: () => Math.random() };
