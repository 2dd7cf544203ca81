// What is acknowledged comes out byte for byte: all signals, encodings, transports and sizes at once, over several
// connections, to a backend that fails in every way, through a SIGTERM and a SIGKILL under load.

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Seeded } from '../../bench/load/payload.ts';
import { AgentProcess } from './agent_process.ts';
import { Backend, type Behaviour } from './backend.ts';
import { configuration } from './configuration.ts';
import { ContentClient, contentOf, hashesIn, ways } from './content.ts';
import { removeDirectory, temporaryDirectory } from './temporary.ts';

const CLIENTS = 6;
const ACKNOWLEDGED_PER_RUN = 70;
/** Filler of a request, bytes; the second half is rare. */
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

class Account {
  readonly sent = new Set<string>();
  readonly acknowledged = new Set<string>();
  #next = 0;

  /** Sends until so many more are acknowledged or `over` says so. */
  async load(random: Seeded, agent: AgentProcess, more: number, over: () => void): Promise<void> {
    const enough = this.acknowledged.size + more;
    let ended = false;
    const run = async (): Promise<void> => {
      const client = new ContentClient(agent.endpoint('http'), agent.endpoint('grpc'));
      while (!ended) {
        const sizes = random.next() % 10 === 0 ? SIZES_BYTES.length : SIZES_BYTES.length / 2;
        const size = SIZES_BYTES[random.next() % sizes]!;
        const content = contentOf(random, String(this.#next++), size);
        this.sent.add(content.hash);
        const way = ways[random.next() % ways.length]!;
        if (await client.send(content, way)) this.acknowledged.add(content.hash);
        if (this.acknowledged.size < enough || ended) continue;
        ended = true;
        // In the middle of what the other clients send.
        over();
      }
      client.close();
    };
    await Promise.all(Array.from({ length: CLIENTS }, run));
  }
}

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
  const account = new Account();
  for (const end of ['SIGTERM', 'SIGKILL', undefined] as const) {
    agent = await AgentProcess.start(directory, text);
    const { child, exited } = agent;
    await account.load(random, agent, ACKNOWLEDGED_PER_RUN, () => end && child.kill(end));
    if (end) expect([0, null]).toContain(await exited);
  }
  backend.behave = () => 200;
  const arrived = (): Set<string> =>
    new Set(backend.received.flatMap(({ signal, body }) => hashesIn(signal, body)));
  const missing = (): string[] => {
    const there = arrived();
    return [...account.acknowledged].filter((hash) => !there.has(hash));
  };
  await backend.until(() => missing().length === 0);
  // And nothing arrives that nobody sent.
  expect([...arrived()].filter((hash) => !account.sent.has(hash))).toEqual([]);
  expect(agent!.output()).not.toContain('dead-lettered');
  expect(agent!.output()).not.toContain('request refused');
  expect(await agent!.stop()).toBe(0);
});
