// `npm run demo`: a shop sends spans through the agent to a backend. The backend goes away, the agent is killed with
// SIGKILL and started again, the backend returns. Exit code 1 if anything that was acknowledged did not arrive.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DemoBackend } from './backend.ts';
import { Shop } from './shop.ts';

const ACT_MS = 4000;
const GIVE_UP_MS = 15_000;
const launcher = fileURLToPath(new URL('../../bin/holdfast.js', import.meta.url));

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-demo-'));
// However it ends, nothing is left behind; the agent dies with this process, its log is in that folder.
let agent: ChildProcess | undefined;
process.on('exit', () => {
  agent?.kill('SIGKILL');
  fs.rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

const backend = new DemoBackend();
await backend.up();
const port = await freePort();
const config = path.join(directory, 'agent.yaml');
fs.writeFileSync(
  config,
  `receivers:
  otlp: { protocols: { http: { endpoint: 127.0.0.1:${port} } } }
exporters:
  otlp_http:
    endpoint: http://127.0.0.1:${backend.port}
    retry_on_failure: { initial_interval: 200ms, max_interval: 1s }
buffer: { directory: ${directory}/buffer }
service:
  telemetry: { metrics: { level: none }, logs: { encoding: json } }
  pipelines:
    traces: { receivers: [otlp], exporters: [otlp_http] }
`,
);

const shop = new Shop(`http://127.0.0.1:${port}`);
agent = await startAgent();
let agentIsUp = true;
const ticker = setInterval(() => show(), 500);

say('The shop opens: spans go through the agent to the backend.');
shop.open();
await pause(ACT_MS);
await backend.down();
say('The backend goes away. The agent goes on saying yes: it has the disk.');
await pause(ACT_MS);
say('The agent is killed with SIGKILL.');
agentIsUp = false;
agent.kill('SIGKILL');
await once(agent, 'exit');
await pause(1000);
agent = await startAgent();
agentIsUp = true;
say('The agent is started again, the backend is still away.');
await pause(ACT_MS);
await backend.up();
say('The backend returns.');
await pause(ACT_MS / 2);
await shop.closeDoors();
await until(() => shop.allAcknowledged && lost().length === 0);
clearInterval(ticker);
show();
agent.kill('SIGTERM');
await once(agent, 'exit');
await backend.down();

const duplicated = [...backend.spans.values()].reduce((sum, times) => sum + times - 1, 0);
console.log(
  `\nsent ${shop.sent}, acknowledged ${shop.acknowledged.size}, delivered ${backend.spans.size}\nlost ${lost().length}, duplicated ${duplicated}`,
);
process.exit(lost().length === 0 ? 0 : 1);

function lost(): string[] {
  return [...shop.acknowledged].filter((id) => !backend.spans.has(id));
}

async function startAgent(): Promise<ChildProcess> {
  const child = spawn(process.execPath, [launcher, 'run', '--config', config], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr!.setEncoding('utf8');
  for await (const chunk of child.stderr!.iterator({ destroyOnReturn: false })) {
    log += String(chunk);
    if (log.includes('"message":"ready"')) break;
  }
  if (!log.includes('"message":"ready"')) throw new Error(`the agent did not start:\n${log}`);
  child.stderr!.resume();
  return child;
}

function say(text: string): void {
  console.log(`\n${text}`);
}

/** One line that is rewritten on a terminal, and repeated elsewhere. */
function show(): void {
  const waiting = lost().length;
  // 80 columns: a line that wraps cannot be rewritten.
  const line = `  acknowledged ${shop.acknowledged.size} · on disk ${waiting} · delivered ${backend.spans.size} · agent ${agentIsUp ? 'up' : 'DEAD'} · backend ${backend.isUp ? 'up' : 'AWAY'}`;
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${line.slice(0, process.stdout.columns || 80)}`);
  else console.log(`  sent ${shop.sent} ·${line.slice(1)}`);
}

async function until(reached: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + GIVE_UP_MS;
  while (!reached() && performance.now() < giveUpAt) await pause(100);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('no port is free');
  return address.port;
}
