// Several workers as one agent: the same ports, one budget, one page of metrics; one that dies touches no other; and whatever
// their number becomes, what was acknowledged is delivered.

import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Agent } from '../../../agent/agent.ts';
import { readAgentConfig } from '../../../agent/schema.ts';
import { start } from '../../../agent/start.ts';
import { startWorkers } from '../../../agent/workers/supervisor.ts';
import { verifyLog } from '../../../buffer/index.ts';
import type { LogFields } from '../../../config/logger.ts';
import { formatProblem } from '../../../config/problem.ts';
import { loadConfig } from '../../../config/source.ts';
import { tellingLogger } from '../../config/telling_logger.ts';
import { Backend } from '../../e2e/backend.ts';
import { idsOf, logsRequest } from '../../e2e/requests.ts';
import { removeDirectory, temporaryDirectory } from '../../e2e/temporary.ts';
import { DEADLY, dyingComponents } from './dying_components.ts';

const ENTRY = new URL('./dying_worker.ts', import.meta.url);

interface Line {
  readonly message: string;
  readonly fields: LogFields;
}

/** A running agent, with what it said. */
class Running {
  readonly agent: Agent;
  readonly #lines: readonly Line[];
  readonly #watchers: Set<() => void>;

  constructor(agent: Agent, lines: readonly Line[], watchers: Set<() => void>) {
    this.agent = agent;
    this.#lines = lines;
    this.#watchers = watchers;
  }

  get address(): string {
    return this.agent.endpoints.get('otlp')![0]!.address;
  }

  /** Resolves when it has said so. */
  async says(message: string): Promise<void> {
    while (!this.#lines.some((line) => line.message === message)) {
      await new Promise<void>((resolve) => this.#watchers.add(resolve));
    }
  }

  /** The status of one request on a connection of its own, so that the kernel chooses a worker for it; 0: there was none. */
  post(id: string, filler_bytes = 0): Promise<number> {
    const body = logsRequest([id], 'x'.repeat(filler_bytes));
    return new Promise((resolve) => {
      const request = http.request(`http://${this.address}/v1/logs`, {
        method: 'POST',
        agent: false,
        headers: { 'content-type': 'application/x-protobuf', 'content-length': body.length },
      });
      request.on('response', (response) => {
        response.resume().on('end', () => resolve(response.statusCode!));
      });
      request.on('error', () => resolve(0));
      request.end(body);
    });
  }

  /** @returns the ids that were acknowledged */
  async load(prefix: string, count: number, filler_bytes = 0): Promise<string[]> {
    const ids = Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
    const statuses = await Promise.all(ids.map((id) => this.post(id, filler_bytes)));
    return ids.filter((_, index) => statuses[index] === 200);
  }

  async metrics(): Promise<Map<string, number>> {
    const response = await fetch(`http://${this.agent.admin.get('service.telemetry.metrics')}/metrics`);
    const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => {
        const space = line.lastIndexOf(' ');
        return [line.slice(0, space), Number(line.slice(space + 1))];
      }),
    );
  }

  async health(): Promise<{ status: number; body: { problems?: string[]; warnings?: string[] } }> {
    const response = await fetch(`http://${this.agent.admin.get('health_check')}/`);
    return { status: response.status, body: (await response.json()) as { problems?: string[] } };
  }
}

let directory: string;
let backend: Backend;
const running: Agent[] = [];
beforeEach(async () => {
  directory = temporaryDirectory();
  backend = await Backend.start();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((agent) => agent.stop(AbortSignal.abort())));
  await backend.stop();
  removeDirectory(directory);
});

function configurationOf(
  workers: number,
  more: { readonly dying?: 'error' | 'memory'; buffer?: object },
): string {
  const exporters = ['otlp_http', ...(more.dying ? ['dying'] : [])];
  return JSON.stringify({
    receivers: { otlp: { protocols: { http: { endpoint: '127.0.0.1:0' } } } },
    exporters: {
      otlp_http: {
        endpoint: backend.url,
        retry_on_failure: { initial_interval: '10ms', max_interval: '50ms' },
      },
      ...(more.dying ? { dying: { marker: path.join(directory, 'dead'), of: more.dying } } : {}),
    },
    extensions: { health_check: { endpoint: '127.0.0.1:0' } },
    buffer: { directory: path.join(directory, 'buffer'), min_free_space: 0, ...more.buffer },
    service: {
      workers,
      extensions: ['health_check'],
      telemetry: { metrics: { address: '127.0.0.1:0' } },
      pipelines: { logs: { receivers: ['otlp'], exporters } },
    },
  });
}

async function begin(
  workers: number,
  more: { readonly dying?: 'error' | 'memory'; buffer?: object } = {},
): Promise<Running> {
  const text = configurationOf(workers, more);
  const source = loadConfig({ files: [{ name: 'test.yaml', text }], env: {} });
  const { config, problems } = readAgentConfig(source, dyingComponents);
  if (!config) throw new Error(problems.map(formatProblem).join('\n'));
  const lines: Line[] = [];
  const watchers = new Set<() => void>();
  const logger = tellingLogger((_, message, fields) => {
    lines.push({ message, fields });
    for (const look of [...watchers]) look();
  });
  const options = { config, source, version: '0.0.0', logger };
  const agent = await (workers > 1
    ? startWorkers({ ...options, entry: ENTRY, heapMax_mb: 64 })
    : start(options));
  running.push(agent);
  return new Running(agent, lines, watchers);
}

async function end({ agent }: Running): Promise<void> {
  running.splice(running.indexOf(agent), 1);
  await agent.stop(AbortSignal.timeout(10_000));
}

/** How often each id has arrived. */
function arrivals(): Map<string, number> {
  const found = new Map<string, number>();
  for (const id of backend.received.flatMap(({ body }) => idsOf(body)))
    found.set(id, (found.get(id) ?? 0) + 1);
  return found;
}

const arrived = (ids: readonly string[]): Promise<void> =>
  backend.until(() => {
    const found = arrivals();
    return ids.every((id) => found.has(id));
  });

describe('two workers', () => {
  it('take connections on one port, each into a log of its own, and everything arrives once', async () => {
    const site = await begin(2);
    const ids = await site.load('a', 60);
    expect(ids).toHaveLength(60);
    await arrived(ids);
    expect([...arrivals().values()]).toEqual(ids.map(() => 1));
    const metrics = await site.metrics();
    const [first, second] = [0, 1].map((worker) =>
      metrics.get(`holdfast_buffer_appended_entries_total{worker="${worker}",stream="logs.otlp",shard="0"}`),
    );
    expect(first! + second!).toBe(60);
    expect(Math.min(first!, second!)).toBeGreaterThan(0);
  });

  it('are one agent to who asks: counters are summed, health and totals are of both', async () => {
    const site = await begin(2);
    const ids = await site.load('a', 30);
    await arrived(ids);
    const metrics = await site.metrics();
    expect(metrics.get('otelcol_receiver_accepted_log_records{receiver="otlp",transport="http"}')).toBe(30);
    expect(metrics.get('holdfast_buffer_max_bytes')).toBe(2 ** 30);
    expect(metrics.get('holdfast_worker_up{worker="1"}')).toBe(1);
    expect([...metrics.keys()].filter((name) => name.startsWith('target_info'))).toHaveLength(1);
    expect(await site.health()).toMatchObject({ status: 200 });
    expect(await site.agent.totals()).toMatchObject({
      received_items: 30,
      exporters: [{ id: 'otlp_http', held: false }],
    });
  });

  it('refuse a port that somebody else listens on, shared or not', async () => {
    const stranger = http.createServer();
    await new Promise<void>((resolve) => {
      stranger.listen({ port: 0, host: '127.0.0.1', reusePort: true }, resolve);
    });
    const { port } = stranger.address() as { port: number };
    const text = configurationOf(2, {}).replace('127.0.0.1:0', `127.0.0.1:${port}`);
    const source = loadConfig({ files: [{ name: 'test.yaml', text }], env: {} });
    const { config } = readAgentConfig(source, dyingComponents);
    const logger = tellingLogger(() => {});
    const started = startWorkers({ config: config!, source, version: '0', logger, entry: ENTRY });
    await expect(started).rejects.toMatchObject({ code: 'HF_RECEIVER_BIND' });
    stranger.close();
    // Nothing is left behind: the same agent starts once the port is free.
    await begin(2);
  });

  it.each(['error', 'memory'] as const)(
    'go on where one dies of an %s: it comes back with all that it had acknowledged, and the other never stops',
    async (dying) => {
      const site = await begin(2, { dying });
      const before = await site.load('before', 20);
      expect(before).toHaveLength(20);
      await site.metrics();
      const deadly = await site.load(DEADLY, 1);
      await site.says('the worker died and is started again; what it acknowledged is on disk');
      expect(await site.health()).toMatchObject({
        status: 503,
        body: { problems: [expect.stringMatching(/^worker \d: /)] },
      });
      const meanwhile = await site.load('meanwhile', 20);
      expect(meanwhile).toHaveLength(20);
      await site.says('the worker runs again');
      expect(await site.health()).toMatchObject({ status: 200 });
      const after = await site.load('after', 30);
      expect(after).toHaveLength(30);
      await arrived([...before, ...deadly, ...meanwhile, ...after]);
      const metrics = await site.metrics();
      expect(
        [...metrics]
          .filter(([name]) => name.startsWith('holdfast_worker_restarts_total'))
          .map(([, n]) => n)
          .toSorted(),
      ).toEqual([0, 1]);
      // What the dead one had counted when it was last asked is still in the sum.
      expect(
        metrics.get('otelcol_receiver_accepted_log_records{receiver="otlp",transport="http"}'),
      ).toBeGreaterThanOrEqual(70);
    },
  );

  it('keep one disk budget', async () => {
    backend.behave = () => 503;
    const max_bytes = 8 * 2 ** 20;
    const site = await begin(2, {
      buffer: { max_size: max_bytes, segment_size: '1MiB', retention_interval: '100ms' },
    });
    const taken: string[] = [];
    for (let round = 0; ; round++) {
      const ids = await site.load(`r${round}`, 16, 60_000);
      taken.push(...ids);
      if (ids.length === 0) break;
    }
    const onDisk_bytes = fs
      .readdirSync(path.join(directory, 'buffer'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.log'))
      .reduce((sum, name) => sum + fs.statSync(path.join(directory, 'buffer', name)).size, 0);
    // Each worker may admit one more in the instant in which both look.
    expect(onDisk_bytes).toBeLessThanOrEqual(max_bytes + 2 * 64 * 1024);
    expect(onDisk_bytes).toBeGreaterThan(max_bytes - 4 * 64 * 1024);
    const { body } = await site.health();
    expect(body.problems).toBeUndefined();
    backend.behave = () => 200;
    await arrived(taken);
    while ((await site.post('again', 60_000)) !== 200)
      await new Promise((resolve) => setTimeout(resolve, 50));
  });
});

describe('their number', () => {
  it('may become less and more with a backlog: 2, 1, 3; all is delivered, once', async () => {
    backend.behave = () => 503;
    const acknowledged: string[] = [];
    for (const workers of [2, 1, 3]) {
      const site = await begin(workers);
      const ids = await site.load(`of${workers}`, 40);
      expect(ids).toHaveLength(40);
      acknowledged.push(...ids);
      if (workers === 3) {
        backend.behave = () => 200;
        await arrived(acknowledged);
      }
      await end(site);
    }
    expect([...arrivals().values()]).toEqual(acknowledged.map(() => 1));
    for (const log of ['', '/_workers/1', '/_workers/2']) {
      expect(await verifyLog({ directory: `${directory}/buffer${log}` })).toMatchObject({ damage: [] });
    }
  });

  it.each([1, 2])('may become %i: who stays drains the logs of those that are gone', async (workers) => {
    backend.behave = () => 503;
    const before = await begin(4);
    const ids = await before.load('a', 80);
    expect(ids).toHaveLength(80);
    await end(before);
    expect(fs.existsSync(`${directory}/buffer/_workers/3`)).toBe(true);
    backend.behave = () => 200;
    const after = await begin(workers);
    await arrived(ids);
    const metrics = await after.metrics();
    expect(
      metrics.get('holdfast_buffer_appended_entries_total{worker="3",stream="logs.otlp",shard="0"}'),
    ).toBeGreaterThan(0);
    expect([...arrivals().values()]).toEqual(ids.map(() => 1));
  });

  it('is 1 without a word, and nothing but the log of before is on disk then', async () => {
    const site = await begin(1);
    await arrived(await site.load('a', 3));
    expect(fs.existsSync(`${directory}/buffer/_workers`)).toBe(false);
    expect([...(await site.metrics()).keys()].filter((name) => name.includes('worker'))).toEqual([]);
  });
});
