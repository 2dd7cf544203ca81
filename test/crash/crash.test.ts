// The part of the crash tests that every build runs: a few kills of the agent as it is in this checkout, and of the log.

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { removeDirectory, temporaryDirectory } from '../e2e/temporary.ts';
import { agentKills } from './agent_kills.ts';
import { libraryKills } from './library_kills.ts';
import { parseOptions } from './options.ts';
import type { Setting } from './scenario.ts';

const seed = Number(process.env['SEED'] ?? 20_261_121);
let directory: string;

beforeEach(() => {
  directory = temporaryDirectory();
  console.log(`SEED=${seed}`);
});

afterEach(() => {
  removeDirectory(directory);
});

const setting = (): Setting => ({
  seed,
  directory,
  side: 1,
  workers: 1,
  kills: { agent: 3, library: 8 },
  launch: {},
  progress: () => {},
});

test('what the agent acknowledged arrives, killed at any age', async () => {
  const held = await agentKills.run(setting());
  expect(held).toMatchObject({ outcome: 'held', figures: { lost: 0 } });
});

test('the same of two workers', async () => {
  const held = await agentKills.run({ ...setting(), workers: 2 });
  expect(held).toMatchObject({ outcome: 'held', figures: { workers: 2, lost: 0 } });
});

test('what a log said holds for every process after it', async () => {
  const held = await libraryKills.run(setting());
  expect(held).toMatchObject({ outcome: 'held', figures: { kills: 8, lost: 0 } });
});

test('options that make no sense are refused', () => {
  expect(() => parseOptions(['--kills', 'many'])).toThrow('--kills');
  expect(() => parseOptions(['--side', '0'])).toThrow('--side');
  expect(() => parseOptions(['--kill', '3'])).toThrow('--kill');
  expect(parseOptions(['--only', 'owners', '--seed', '7'])).toMatchObject({ only: ['owners'], seed: 7 });
});
