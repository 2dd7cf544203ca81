// The smallest crash states in full; the program goes through more: node test/sim/main.ts --exhaustive 3

import { describe, expect, it } from '@jest/globals';
import { exhaust, workloads } from './exhaustive.ts';

describe('every crash state', () => {
  const each = workloads(1).flatMap((steps) =>
    (['append', 'direct'] as const).map((way) => [steps.join(', '), way] as const),
  );
  it.each(each)('of %s is recovered from, committed by %s', async (steps, way) => {
    const found = workloads(1).find((workload) => workload.join(', ') === steps)!;
    const { crashes, recoveries } = await exhaust(found, 24, way);
    expect(recoveries).toBeGreaterThan(2);
    expect(crashes).toBeGreaterThanOrEqual(recoveries);
  });
});
