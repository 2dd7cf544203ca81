// What is acknowledged comes out byte for byte: all signals, encodings, transports and sizes at once, over several
// connections, to a backend that fails in every way, through a SIGTERM and a SIGKILL under load.

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Seeded } from '../../bench/load/payload.ts';
import { Account } from './account.ts';
import { AgentProcess } from './agent_process.ts';
import { Backend, type Behaviour } from './backend.ts';
import { configuration } from './configuration.ts';
import { removeDirectory, temporaryDirectory } from './temporary.ts';

const ACKNOWLEDGED_PER_RUN = 70;
const SIZES_BYTES = [0, 1, 30, 300, 3_000, 20_000, 66_000, 300_000, 1_100_000, 8_000_000];
const TROUBLES: readonly Behaviour[] = ['reset', 503, 500, 400, 401];

let directory: string;
let backend: Backend;
let agent: AgentProcess | undefined;

beforeEach(async () => {
  directory = temporaryDirectory();
  backend = await Backend.start();
});

afterEach(async () => {
  await agent?.kill();
  await backend.stop();
  removeDirectory(directory);
});

const variants = [
  ['compressed', ''],
  ['plain, several in flight', ', compression: none, max_in_flight: 3'],
] as const;

test.each(variants)('what is acknowledged arrives byte for byte (%s)', async (_, options) => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
  console.log(`SEED=${seed}`);
  const random = new Seeded(seed);
  const trouble = new Seeded(seed + 1);
  backend.behave = () => TROUBLES[trouble.next() % (4 * TROUBLES.length)] ?? 200;
  const retry = 'retry_on_failure: { initial_interval: 10ms, max_interval: 50ms }';
  const exporters = `  otlp_http: { endpoint: "${backend.url}", timeout: 5s, ${retry}${options} }`;
  const backends = { otlp_http: backend.url };
  const buffer = 'segment_size: 4MiB, retention_interval: 100ms';
  const text = configuration({ directory, backends, exporters, buffer });
  const account = new Account(random, SIZES_BYTES);
  for (const end of ['SIGTERM', 'SIGKILL', undefined] as const) {
    agent = await AgentProcess.start(directory, text);
    const { child, exited } = agent;
    await account.load(agent, ACKNOWLEDGED_PER_RUN, () => end && child.kill(end));
    if (end) expect([0, null]).toContain(await exited);
  }
  backend.behave = () => 200;
  await backend.until(() => account.collect(backend) === 0);
  // And nothing arrives that nobody sent.
  expect(account.invented).toEqual([]);
  expect(agent!.output()).not.toContain('dead-lettered');
  expect(agent!.output()).not.toContain('request refused');
  expect(await agent!.stop()).toBe(0);
});
