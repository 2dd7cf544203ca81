// The crash tests as a program: real processes on a real disk, ended in every rude way there is. `npm run crash -- --help`

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { help, type Options, parseOptions } from './options.ts';
import { writeResult } from './report.ts';
import type { Outcome, Scenario } from './scenario.ts';
import { scenarios } from './scenarios.ts';

const PROGRESS_MS = 2_000;

function readOptions(): Options {
  try {
    const options = parseOptions(process.argv.slice(2));
    const unknown = options.only.find((name) => !scenarios.some((scenario) => scenario.name === name));
    if (unknown !== undefined) throw new Error(`there is no scenario ${unknown}`);
    return options;
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${help}`);
    process.exit(2);
  }
}

/** @returns undefined where a promise was broken, which is told. */
async function run(scenario: Scenario, options: Options): Promise<Outcome | undefined> {
  const { seed, side, workers, kills, libraryKills } = options;
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), `holdfast-crash-${scenario.name}-`));
  let told_ms = performance.now();
  try {
    const outcome = await scenario.run({
      seed,
      side,
      workers,
      directory,
      kills: { agent: kills, library: libraryKills },
      launch: { entry: 'dist/agent/main.js' },
      progress(text) {
        if (performance.now() - told_ms < PROGRESS_MS) return;
        told_ms = performance.now();
        console.log(`  ${scenario.name}: ${text}`);
      },
    });
    fs.rmSync(directory, { recursive: true, force: true });
    return outcome;
  } catch (error) {
    console.error(`${scenario.name} BROKEN: ${error instanceof Error ? error.stack : String(error)}`);
    console.error(`kept: ${directory}`);
    console.error(`again: npm run crash -- --seed ${seed} --workers ${workers} --only ${scenario.name}`);
    return undefined;
  }
}

const options = readOptions();
if (options.help) {
  const names = scenarios.map(({ name, summary }) => `  ${name.padEnd(20)}${summary}`);
  console.log(`${help}\nScenarios:\n${names.join('\n')}`);
  process.exit(0);
}
console.log(`seed ${options.seed}, ${options.side} side by side, Node ${process.version}`);
for (const scenario of scenarios) {
  if (options.only.length > 0 && !options.only.includes(scenario.name)) continue;
  const begun_ms = performance.now();
  const outcome = await run(scenario, options);
  const seconds = Math.round((performance.now() - begun_ms) / 1000);
  if (!outcome) process.exitCode = 1;
  else {
    console.log(`${scenario.name}: ${JSON.stringify(outcome)} in ${seconds} s`);
    const order = scenarios.map(({ name }) => name);
    // The chapter has one row for each scenario: that of one event loop.
    if (options.workers === 1) writeResult(scenario, outcome, { seed: options.seed, seconds }, order);
  }
}
