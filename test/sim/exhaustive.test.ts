// The smallest crash states in full; the program goes through more: node test/sim/main.ts --exhaustive 3

import { describe, expect, it } from '@jest/globals';
import { exhaust, workloads } from './exhaustive.ts';

describe('every crash state', () => {
  it.each(workloads(1).map((steps) => [steps.join(', ')] as const))(
    'of %s is recovered from',
    async (steps) => {
      const found = workloads(1).find((workload) => workload.join(', ') === steps)!;
      const { crashes, recoveries } = await exhaust(found, 24);
      expect(recoveries).toBeGreaterThan(2);
      expect(crashes).toBeGreaterThanOrEqual(recoveries);
    },
  );
});
