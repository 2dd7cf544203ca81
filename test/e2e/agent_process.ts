// The whole agent as a process of its own, as a user runs it: configured by a file, watched through its log lines, ended
// by signals. Invariant: every wait ends with an event (a log line, an exit), never with a guess about time.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** How the process is started. */
export interface Launch {
  /** What Node runs, from the root of the checkout: the launcher by default. */
  readonly entry?: string;
  /** A command that runs its further arguments, such as strace; the agent may then be a child of it. */
  readonly through?: readonly string[];
}

export class AgentProcess {
  readonly child: ChildProcess;
  readonly lines: LogLine[] = [];
  /** What was written to stderr and is no JSON line. */
  readonly text: string[] = [];
  readonly exited: Promise<number | null>;
  readonly #waiting = new Set<(line: LogLine) => void>();
  #ended = false;

  /** Starts it and waits for nothing. */
  constructor(directory: string, configuration: string, args: readonly string[] = [], how: Launch = {}) {
    const file = path.join(directory, 'agent.yaml');
    fs.writeFileSync(file, configuration);
    const entry = path.join(root, how.entry ?? 'bin/holdfast.js');
    const [command, ...rest] = [
      ...(how.through ?? []),
      process.execPath,
      entry,
      'run',
      '--config',
      file,
      ...args,
    ];
    this.child = spawn(command!, rest, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
    this.exited = once(this.child, 'exit').then(([code]) => {
      this.#ended = true;
      return code as number | null;
    });
    createInterface({ input: this.child.stderr! }).on('line', (line) => this.#take(line));
  }

  /** Starts it and waits until it says that it is ready. */
  static async start(
    directory: string,
    configuration: string,
    args: readonly string[] = [],
    how: Launch = {},
  ): Promise<AgentProcess> {
    const agent = new AgentProcess(directory, configuration, args, how);
    await agent.ready();
    return agent;
  }

  /** Until it takes requests. Rejects where it ends before. */
  async ready(): Promise<void> {
    const ended = this.exited.then((code) => {
      throw new Error(`the agent ended with ${code}:\n${this.output()}`);
    });
    ended.catch(() => {});
    await Promise.race([this.line((line) => line.message === 'ready'), ended]);
  }

  /** Whether it was heard saying so. */
  said(message: string): boolean {
    return this.lines.some((line) => line.message === message);
  }

  /** Of the agent itself; known once it says that it starts. */
  get pid(): number {
    return Number(this.lines.find((line) => line.message === 'starting')?.['pid'] ?? this.child.pid);
  }

  signal(name: NodeJS.Signals): void {
    if (this.#ended) return;
    if (this.pid === this.child.pid) this.child.kill(name);
    else endedAnyway(() => process.kill(this.pid, name));
  }

  /** The first line, past or to come, for which `wanted` holds. */
  line(wanted: (line: LogLine) => boolean): Promise<LogLine> {
    const found = this.lines.find(wanted);
    if (found) return Promise.resolve(found);
    return new Promise((resolve) => {
      const check = (line: LogLine): void => {
        if (!wanted(line)) return;
        this.#waiting.delete(check);
        resolve(line);
      };
      this.#waiting.add(check);
    });
  }

  /** Base URL of OTLP/HTTP, or host:port of another protocol. */
  endpoint(protocol: 'http' | 'grpc' | 'tcp' | 'tls' | 'udp'): string {
    const line = this.lines.find((each) => each.message === 'listening' && each['protocol'] === protocol);
    if (!line) throw new Error(`nothing listens for ${protocol}:\n${this.output()}`);
    const address = String(line['address']);
    return protocol === 'http' && !address.startsWith('http') ? `http://${address}` : address;
  }

  /** SIGKILL: what was not on disk is gone. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.exited;
  }

  async stop(): Promise<number | null> {
    this.signal('SIGTERM');
    return this.exited;
  }

  output(): string {
    return [...this.lines.map((line) => JSON.stringify(line)), ...this.text].join('\n');
  }

  #take(line: string): void {
    let parsed: LogLine;
    try {
      parsed = JSON.parse(line) as LogLine;
    } catch {
      this.text.push(line);
      return;
    }
    this.lines.push(parsed);
    for (const check of [...this.#waiting]) check(parsed);
  }
}

/** What runs an agent hears of its end later than the system does. */
function endedAnyway(signal: () => void): void {
  try {
    signal();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
