// What is acknowledged is delivered: through kills, an outage, a dead neighbour, a revoked token, a full disk.

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Seeded } from '../../bench/load/payload.ts';
import { AgentProcess } from './agent_process.ts';
import { Backend } from './backend.ts';
import { configuration } from './configuration.ts';
import { idsOf, logsRequest, post } from './requests.ts';
import { removeDirectory, temporaryDirectory } from './temporary.ts';

let directory: string;
let backend: Backend;
const agents: AgentProcess[] = [];

async function start(text: string): Promise<AgentProcess> {
  const agent = await AgentProcess.start(directory, text);
  agents.push(agent);
  return agent;
}

/** What each backend has received; every body is read once, however often a test asks. */
const read = new WeakMap<Backend, { bodies: number; readonly ids: Set<string> }>();

function delivered(from: Backend): ReadonlySet<string> {
  const known = read.get(from) ?? { bodies: 0, ids: new Set() };
  read.set(from, known);
  for (const { body } of from.received.slice(known.bodies)) for (const id of idsOf(body)) known.ids.add(id);
  known.bodies = from.received.length;
  return known.ids;
}

beforeEach(async () => {
  directory = temporaryDirectory();
  backend = await Backend.start();
});

afterEach(async () => {
  await Promise.all(agents.splice(0).map((agent) => agent.kill()));
  await backend.stop();
  removeDirectory(directory);
});

test('SIGKILL at ten random moments loses nothing that was acknowledged', async () => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
  console.log(`SEED=${seed}`);
  const random = new Seeded(seed);
  const text = configuration({ directory, backends: { otlp_http: backend.url } });
  const acknowledged = new Set<string>();
  let next = 0;
  for (let kill = 0; kill < 10; kill++) {
    const agent = await start(text);
    const url = agent.endpoint('http');
    const killAfter = acknowledged.size + 1 + (random.next() % 60);
    let killed: Promise<void> | undefined;
    const client = async (): Promise<void> => {
      while (!killed) {
        const id = `${seed}-${next++}`;
        if (await post(url, logsRequest([id]))) acknowledged.add(id);
        if (acknowledged.size >= killAfter) killed ??= agent.kill();
      }
    };
    await Promise.all(Array.from({ length: 8 }, client));
    await killed;
  }
  const agent = await start(text);
  const missing = (): string[] => {
    const there = delivered(backend);
    return [...acknowledged].filter((id) => !there.has(id));
  };
  await backend.until(() => missing().length === 0);
  expect(missing()).toEqual([]);
  expect(acknowledged.size).toBeGreaterThan(10);
  expect(await agent.stop()).toBe(0);
});

test('an outage of the backend delays and loses nothing, and the agent goes on saying yes', async () => {
  backend.behave = () => 503;
  const agent = await start(configuration({ directory, backends: { otlp_http: backend.url } }));
  const ids = Array.from({ length: 50 }, (_, index) => `outage-${index}`);
  for (const id of ids) expect(await post(agent.endpoint('http'), logsRequest([id]))).toBe(true);
  await backend.until(() => backend.requests > 3);
  expect(backend.received).toEqual([]);
  backend.behave = () => 200;
  await backend.until(() => delivered(backend).size === ids.length);
  expect(backend.received.flatMap(({ body }) => idsOf(body))).toEqual(ids);
});

test('OTLP 41: a dead exporter delays no other', async () => {
  const dead = await Backend.start();
  dead.behave = () => 'hang';
  try {
    const backends = { 'otlp_http/dead': dead.url, 'otlp_http/alive': backend.url };
    const agent = await start(configuration({ directory, backends }));
    const ids = Array.from({ length: 100 }, (_, index) => `two-${index}`);
    for (const id of ids) expect(await post(agent.endpoint('http'), logsRequest([id]))).toBe(true);
    await backend.until(() => delivered(backend).size === ids.length);
    expect(dead.received).toEqual([]);
    dead.behave = () => 200;
    await dead.until(() => delivered(dead).size === ids.length);
  } finally {
    await dead.stop();
  }
});

test('a revoked token holds 1,000 requests and dead-letters none; mended, all arrive', async () => {
  backend.behave = () => 401;
  const agent = await start(configuration({ directory, backends: { otlp_http: backend.url } }));
  const url = agent.endpoint('http');
  const ids = Array.from({ length: 1000 }, (_, index) => `token-${index}`);
  for (let from = 0; from < ids.length; from += 50) {
    const answers = await Promise.all(ids.slice(from, from + 50).map((id) => post(url, logsRequest([id]))));
    expect(answers).not.toContain(false);
  }
  await agent.line((line) => line.level === 'error' && String(line['component']) === 'otlp_http');
  await backend.until(() => backend.requests > 40);
  backend.behave = () => 200;
  await backend.until(() => delivered(backend).size === ids.length);
  expect(agent.output()).not.toContain('dead-lettered');
  expect(await agent.stop()).toBe(0);
});

test('one poisoned request goes to the dead letters, its neighbours arrive', async () => {
  backend.behave = (body) => (body.includes('poison') ? 400 : 200);
  const agent = await start(configuration({ directory, backends: { otlp_http: backend.url } }));
  const ids = Array.from({ length: 60 }, (_, index) => (index === 17 ? 'poison' : `fine-${index}`));
  for (const id of ids) expect(await post(agent.endpoint('http'), logsRequest([id]))).toBe(true);
  await backend.until(() => delivered(backend).size === ids.length - 1);
  expect(delivered(backend).has('poison')).toBe(false);
  await agent.line((line) => line.message === 'dead-lettered');
});

test('a full log answers 503 with Retry-After, loses nothing, and heals when the backend returns', async () => {
  backend.behave = () => 503;
  const buffer = 'max_size: 4MiB, segment_size: 1MiB, retention_interval: 100ms, segment_max_age: 1s';
  const agent = await start(configuration({ directory, backends: { otlp_http: backend.url }, buffer }));
  const url = `${agent.endpoint('http')}/v1/logs`;
  const filler = 'x'.repeat(50_000);
  const acknowledged: string[] = [];
  const send = async (id: string): Promise<Response> => {
    const body = new Uint8Array(logsRequest([id, filler]));
    return fetch(url, { method: 'POST', headers: { 'content-type': 'application/x-protobuf' }, body });
  };
  let refused: Response | undefined;
  for (let index = 0; !refused && index < 200; index++) {
    const response = await send(`full-${index}`);
    if (response.status === 200) acknowledged.push(`full-${index}`);
    else refused = response;
  }
  expect(refused?.status).toBe(503);
  expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0);
  backend.behave = () => 200;
  await backend.until(() => acknowledged.every((id) => delivered(backend).has(id)));
  let healed = 0;
  while (healed !== 200) healed = (await send('after')).status;
  await backend.until(() => delivered(backend).has('after'));
});

test('SIGTERM ends within the deadline even if the backend hangs, and the rest is delivered after a restart', async () => {
  backend.behave = () => 'hang';
  const text = configuration({ directory, backends: { otlp_http: backend.url } });
  const agent = await start(`${text}  shutdown_timeout: 2s\n`);
  expect(await post(agent.endpoint('http'), logsRequest(['kept']))).toBe(true);
  await backend.until(() => backend.requests > 0);
  expect(await agent.stop()).toBe(0);
  backend.behave = () => 200;
  await start(text);
  await backend.until(() => delivered(backend).has('kept'));
});
