// The processes of a benchmark: contestant, load and backends, each apart, so that CPU is counted for the contestant alone.
// Invariant: whoever starts one ends it, also when a measurement throws.

import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Command } from './contestants/contestant.ts';
import type { Load, LoadResult } from './load/generator.ts';
import type { SyslogLoad } from './load/syslog.ts';

/** Filling a backlog of ten million takes the slowest some minutes. */
const PATIENCE_MS = 600_000;
const READY_WITHIN_MS = 60_000;
const ASK_AGAIN_MS = 5;

interface ChildMessage {
  readonly port?: number;
  readonly linesPort?: number;
  readonly ready?: object;
  readonly arrived?: number;
  readonly result?: LoadResult;
  readonly sentLines?: number;
  readonly failed?: string;
}

/** A forked script of bench/load that talks in messages. */
class Script {
  readonly #child: ChildProcess;
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
    this.#child = fork(fileURLToPath(new URL(`load/${name}.ts`, import.meta.url)), {
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
  }

  send(message: object): void {
    this.#child.send(message);
  }

  async message(): Promise<ChildMessage> {
    const late = AbortSignal.timeout(PATIENCE_MS);
    const [message] = (await once(this.#child, 'message', { signal: late }).catch((cause: unknown) => {
      throw new Error(`${this.#name}: nothing within ${PATIENCE_MS / 1000} s`, { cause });
    })) as [ChildMessage];
    if (message.failed) throw new Error(`${this.#name}: ${message.failed}`);
    return message;
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }
}

export class Generator {
  readonly #script = new Script('generator');
  readonly ready = this.#script.message();

  async load(load: Load): Promise<LoadResult> {
    await this.ready;
    this.#script.send(load);
    const { result } = await this.#script.message();
    if (!result) throw new Error('the generator sent no result');
    if (result.refused > 0) throw new Error(`${result.refused} of ${load.requests} requests were refused`);
    return result;
  }

  stop(): void {
    this.#script.stop();
  }
}

export class SyslogSender {
  readonly #script = new Script('syslog');
  readonly ready = this.#script.message();

  /** @returns how many lines it sent */
  async send(load: SyslogLoad): Promise<number> {
    await this.ready;
    this.#script.send(load);
    const { sentLines } = await this.#script.message();
    if (sentLines === undefined) throw new Error('the sender did not say what it sent');
    return sentLines;
  }

  stop(): void {
    this.#script.stop();
  }
}

export class Sink {
  readonly #script = new Script('sink');
  readonly #listening = this.#script.message();

  async url(): Promise<string> {
    return `http://127.0.0.1:${(await this.#listening).port}`;
  }

  /** For lines over TCP. */
  async linesPort(): Promise<number> {
    const { linesPort } = await this.#listening;
    if (linesPort === undefined) throw new Error('the backend did not say where it takes lines');
    return linesPort;
  }

  reset(): void {
    this.#script.send({ reset: true });
  }

  /** Resolves when `items` have come since the last reset. */
  async arrived(items: number): Promise<void> {
    const done = this.#script.message();
    this.#script.send({ waitFor: items });
    await done;
  }

  stop(): void {
    this.#script.stop();
  }
}

/** Ports that were free a moment ago, no two the same. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => {
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('no port');
    return address.port;
  });
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

export interface Running {
  readonly pid: number;
  /** From spawn until its port answered, ms. */
  readonly ready_ms: number;
  /** Asks it to end, as a service manager does. */
  stop(): Promise<void>;
  /** What is left of it is not looked at. */
  kill(): Promise<void>;
}

/** Starts a contestant and waits until `url` (http or tcp) answers, whatever it says. @throws Error where it ends before that */
export async function startContestant(command: Command, url: string, logTo: number): Promise<Running> {
  const started_ms = performance.now();
  const child = spawn(command.file, command.args, {
    stdio: ['ignore', logTo, logTo],
    env: { ...process.env, ...command.env },
  });
  const ended = once(child, 'exit');
  ended.catch(() => {});
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  const endBy = async (signal: NodeJS.Signals): Promise<void> => {
    if (!isRunning()) return;
    child.kill(signal);
    await ended;
  };
  while (!(await answers(url))) {
    if (child.pid === undefined || !isRunning()) throw new Error('it ended before it was ready');
    if (performance.now() - started_ms > READY_WITHIN_MS) {
      await endBy('SIGKILL');
      throw new Error(`it was not ready within ${READY_WITHIN_MS / 1000} s`);
    }
    await pause(ASK_AGAIN_MS);
  }
  return {
    pid: child.pid!,
    ready_ms: performance.now() - started_ms,
    stop: () => endBy('SIGTERM'),
    kill: () => endBy('SIGKILL'),
  };
}

async function answers(url: string): Promise<boolean> {
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== 'tcp:') {
    return fetch(url).then(
      () => true,
      () => false,
    );
  }
  const socket = connect(Number(port), hostname);
  const isThere = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return isThere;
}
