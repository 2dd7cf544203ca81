// What the reports say is drawn from what was measured, and from nothing else.

import { describe, expect, it } from '@jest/globals';
import type { ContestantName } from '../../../bench/contestants/contestant.ts';
import { agentReport } from '../../../bench/report/agent.ts';
import { chart } from '../../../bench/report/chart.ts';
import { contestants, peersReport } from '../../../bench/report/peers.ts';
import { advantage } from '../../../bench/report/targets.ts';
import type { Results, Run } from '../../../bench/results.ts';
import { metrics, scenarios } from '../../../bench/scenario.ts';

const cpu = (round: number, contestant: ContestantName, cpu_s_per_million: number): Run => ({
  scenario: 'plain',
  contestant,
  round,
  figures: { cpu_s_per_million, items_per_s: 1000 },
});

const results: Results = {
  date: '2026-11-21',
  machine: 'a machine',
  loadAverage: 0,
  rounds: 3,
  runs: [
    cpu(1, 'holdfast', 1),
    cpu(1, 'collector', 10),
    // A round in which everything was twice as slow.
    cpu(2, 'holdfast', 2),
    cpu(2, 'collector', 20),
    cpu(3, 'holdfast', 1),
  ],
  failures: [{ scenario: 'plain', contestant: 'collector', round: 3, reason: 'it ended\nwith more' }],
};

describe('the reports of the benchmark', () => {
  it('compare within a round, and leave out a round that one of the two did not finish', () => {
    expect(advantage(results, 'plain', 'collector')).toEqual([10, 10]);
    expect(advantage(results, 'plain', 'collector-fsync')).toEqual([]);
    const text = peersReport(results);
    expect(text).toContain('| 10.0 (10.0–10.0) × | 8 × | met by 25 % | 12 × | **missed** by 17 % |');
    expect(text).toContain('- plain, collector, round 3: it ended\n');
  });

  it('have no row for what was not measured', () => {
    for (const text of [peersReport(results), agentReport(results)]) {
      expect(text).toContain('512-span requests, plain |');
      expect(text).not.toContain('gRPC in |');
      expect(text).not.toMatch(/NaN|undefined|Infinity/);
    }
    expect(chart(results, metrics.load[0]!, scenarios, contestants)).not.toMatch(/NaN|undefined/);
  });

  it('draw one bar for each contestant that was measured', () => {
    const drawn = chart(results, metrics.load[0]!, scenarios, contestants);
    // And the ground that they stand on.
    expect(drawn.match(/<rect/g)).toHaveLength(3);
    expect(drawn).toContain('>15.00<');
  });
});
