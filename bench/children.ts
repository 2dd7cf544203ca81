// The processes of a benchmark: agent, load and sink, each apart, so that CPU is counted for the contestant alone.

import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Load, LoadResult } from './load/generator.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const QUIET = '--disable-warning=ExperimentalWarning';

interface ChildMessage {
  readonly port?: number;
  readonly ready?: object;
  readonly arrived?: { requests: number; bytes: number };
  readonly result?: LoadResult;
  readonly failed?: string;
}

/** A forked script of bench/load that talks in messages. */
export class Script {
  readonly child: ChildProcess;
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
    this.child = fork(fileURLToPath(new URL(`load/${name}.ts`, import.meta.url)), { execArgv: [QUIET] });
  }

  send(message: object): void {
    this.child.send(message);
  }

  async message(timeout_ms = 120_000): Promise<ChildMessage> {
    const late = AbortSignal.timeout(timeout_ms);
    const [message] = (await once(this.child, 'message', { signal: late })) as [ChildMessage];
    if (message.failed) throw new Error(`${this.#name}: ${message.failed}`);
    return message;
  }

  async load(load: Load): Promise<LoadResult> {
    this.send(load);
    const { result } = await this.message();
    if (!result) throw new Error('the generator sent no result');
    return result;
  }

  stop(): void {
    this.child.kill('SIGKILL');
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}

export interface RunningAgent {
  readonly child: ChildProcess;
  readonly pid: number;
  /** From spawn until the health check said yes, ms. */
  readonly ready_ms: number;
  stop(): Promise<void>;
}

/** Starts the agent as it is shipped (dist/) on the Node that runs this, and waits until `healthUrl` answers 200. */
export async function startAgent(
  configFile: string,
  healthUrl: string,
  logTo: number,
): Promise<RunningAgent> {
  const started = performance.now();
  const child = spawn(process.execPath, [QUIET, 'dist/agent/main.js', 'run', '--config', configFile], {
    cwd: root,
    stdio: ['ignore', 'ignore', logTo],
    env: { ...process.env, UV_THREADPOOL_SIZE: '8' },
  });
  let exited: number | null | undefined;
  child.once('exit', (code) => {
    exited = code;
  });
  for (;;) {
    if (exited !== undefined) throw new Error(`the agent ended with ${exited} before it was ready`);
    const healthy = await fetch(healthUrl).then(
      (response) => response.ok,
      () => false,
    );
    if (healthy) break;
    if (performance.now() - started > 20_000) throw new Error('the agent was not ready within 20 s');
  }
  return {
    child,
    pid: child.pid!,
    ready_ms: performance.now() - started,
    async stop() {
      if (exited !== undefined) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}
