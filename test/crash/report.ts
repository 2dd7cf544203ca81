// The results as a file that the report of all tests of trust is made from. Invariant: what was not run keeps the result of
// the run before, with the seed and the Node of that run.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Outcome, Scenario } from './scenario.ts';

export interface Run {
  readonly seed: number;
  readonly seconds: number;
}

export function writeReport(file: string, scenario: Scenario, outcome: Outcome, run: Run): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const before = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : {};
  const machine = `${os.cpus().length} × ${os.cpus()[0]?.model.trim()}, ${os.type()} ${os.release()}`;
  const result = { summary: scenario.summary, ...outcome, ...run, node: process.version, machine };
  const scenarios = { ...before.scenarios, [scenario.name]: result };
  const report = { about: 'Real processes: npm run crash', scenarios };
  fs.writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
}
