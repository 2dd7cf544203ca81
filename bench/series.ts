// A whole run of the benchmark: every round takes all scenarios, and each scenario its contestants in turn (A B A B), so that
// what the machine does meanwhile meets all of them. Invariant: one measurement that fails costs only itself, and is reported.

import fs from 'node:fs';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Contestant } from './contestants/contestant.ts';
import { machine } from './machine.ts';
import { measure } from './measure.ts';
import type { Failure, Results, Run } from './results.ts';
import { metrics, type Scenario } from './scenario.ts';

export async function runSeries(
  scenarios: readonly Scenario[],
  contestants: readonly Contestant[],
  rounds: number,
): Promise<Results> {
  const work = fileURLToPath(new URL(`.work/${process.pid}`, import.meta.url));
  fs.mkdirSync(work, { recursive: true });
  const begun = { date: new Date().toISOString().slice(0, 10), loadAverage: os.loadavg()[0]! };
  const runs: Run[] = [];
  const failures: Failure[] = [];
  const pairs = scenarios.flatMap((scenario) =>
    contestants
      .filter(({ name }) => scenario.peers.includes(name))
      .map((contestant) => ({ scenario, contestant })),
  );
  const repeated = pairs.filter(({ scenario }) => !scenario.once);
  const total = pairs.length + (rounds - 1) * repeated.length;
  let done = 0;
  const started_ms = performance.now();
  for (let round = 1; round <= rounds; round++) {
    for (const { scenario, contestant } of round === 1 ? pairs : repeated) {
      const which = { scenario: scenario.name, contestant: contestant.name, round };
      const said = await measure(scenario, contestant, work).then(
        (figures) => {
          runs.push({ ...which, figures });
          const { key, scale, digits, title } = metrics[scenario.kind][0]!;
          return `${(figures[key]! * scale).toFixed(digits)} ${title}`;
        },
        (error: unknown) => {
          const reason = error instanceof Error ? error.message : String(error);
          failures.push({ ...which, reason });
          return `FAILED: ${reason}`;
        },
      );
      done += 1;
      const took_s = Math.round((performance.now() - started_ms) / 1000);
      console.error(`${took_s} s · ${done}/${total} · ${scenario.name} · ${contestant.name}: ${said}`);
    }
  }
  fs.rmSync(work, { recursive: true, force: true });
  const versions = Object.fromEntries(
    contestants.flatMap(({ name, version }) => (version ? [[name, version()]] : [])),
  );
  return { ...begun, machine: machine(), rounds, runs, failures, versions };
}
