// Where one peer plays: a folder, a backend that keeps what comes, the agent, and the processes of others. Invariant: whatever
// happened, `clear` leaves no process behind.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { AgentProcess } from '../e2e/agent_process.ts';
import { Backend } from '../e2e/backend.ts';
import { compare, isComplete, type Request } from './items.ts';
import { Differs } from './peer.ts';

/** For what would never come; nothing here waits that long when all is well. */
const PATIENCE_MS = 60_000;
const ASK_AGAIN_MS = 100;
const LAST_WORDS_CHARACTERS = 4000;

export class Stage {
  /** Empty at the beginning. */
  readonly directory: string;
  readonly backend: Backend;
  readonly #children: ChildProcess[] = [];
  #agent: AgentProcess | undefined;

  private constructor(directory: string, backend: Backend) {
    this.directory = directory;
    this.backend = backend;
  }

  static async set(directory: string): Promise<Stage> {
    return new Stage(directory, await Backend.start());
  }

  /** @param components YAML of the receivers, exporters, service.pipelines, extensions, and which of those run. */
  async agent(components: {
    receivers: string;
    exporters: string;
    pipelines: string;
    extensions?: string;
    running?: string;
  }): Promise<AgentProcess> {
    const { receivers, exporters, pipelines, extensions = '{}', running = '[]' } = components;
    const configuration = `receivers:
${receivers}
exporters:
${exporters}
extensions: ${extensions}
buffer: { directory: ${this.directory}/buffer }
service:
  extensions: ${running}
  telemetry: { metrics: { level: none }, logs: { encoding: json } }
  pipelines:
${pipelines}
`;
    this.#agent = await AgentProcess.start(this.directory, configuration);
    return this.#agent;
  }

  /** An agent with one receiver of every protocol and one exporter, by default to `backend`. */
  simpleAgent(
    exporter = `otlp_http: { endpoint: ${this.backend.url}, ${QUICK} }`,
    signals: readonly string[] = ['traces', 'metrics', 'logs'],
  ): Promise<AgentProcess> {
    const id = exporter.slice(0, exporter.indexOf(': '));
    return this.agent({
      receivers: `  otlp: ${ANY_PORT}`,
      exporters: `  ${exporter}`,
      pipelines: signals
        .map((signal) => `    ${signal}: { receivers: [otlp], exporters: [${id}] }`)
        .join('\n'),
    });
  }

  write(name: string, text: string): string {
    const file = path.join(this.directory, name);
    fs.writeFileSync(file, text);
    return file;
  }

  /** Starts a server that stays until the stage is cleared; what it says goes to a file. */
  start(command: string, args: readonly string[]): ChildProcess {
    const output = fs.openSync(path.join(this.directory, `${path.basename(command)}.txt`), 'a');
    const child = spawn(command, args, { cwd: this.directory, stdio: ['ignore', output, output] });
    fs.closeSync(output);
    // A server that does not come up is missed by whoever waits for it.
    child.on('error', () => {});
    this.#children.push(child);
    return child;
  }

  /** Runs a client to its end. @returns what it wrote to stdout. @throws Differs where it failed */
  async complete(command: string, args: readonly string[], cwd = this.directory): Promise<string> {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#children.push(child);
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    const [code] = await once(child, 'close');
    if (code !== 0) {
      const words = Buffer.concat(err).toString('utf8');
      throw new Differs(`${path.basename(command)} ended with ${code}`, words.slice(-LAST_WORDS_CHARACTERS));
    }
    return Buffer.concat(out).toString('utf8');
  }

  /** Waits until the backend has all that was sent, and compares. @returns how many items */
  async arrived(what: string, sent: readonly Request[], carries = ''): Promise<number> {
    const mine = (): readonly Request[] => this.backend.received.filter(({ body }) => body.includes(carries));
    await this.until(`${what} arrive`, async () => isComplete(sent, mine())).catch(() => {
      // What is missing says more than that something is.
      compare(what, sent, mine());
    });
    return compare(what, sent, mine());
  }

  /** Asks again and again: a server of somebody else gives no notice. @throws Differs when it takes too long */
  async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const end_ms = performance.now() + PATIENCE_MS;
    while (!(await holds().catch(() => false))) {
      if (performance.now() > end_ms)
        throw new Differs(`not within ${PATIENCE_MS} ms: ${what}`, this.#words());
      await pause(ASK_AGAIN_MS);
    }
  }

  async clear(): Promise<void> {
    await this.#agent?.kill();
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await this.backend.stop();
  }

  #words(): string {
    const files = fs.readdirSync(this.directory).filter((name) => name.endsWith('.txt'));
    const words = files.map((name) => fs.readFileSync(path.join(this.directory, name), 'utf8'));
    return [...words, this.#agent?.output() ?? '']
      .map((text) => text.slice(-LAST_WORDS_CHARACTERS))
      .join('\n');
  }
}

/** OTLP on ports that the system chooses. */
export const ANY_PORT =
  '{ protocols: { http: { endpoint: "127.0.0.1:0" }, grpc: { endpoint: "127.0.0.1:0" } } }';
/** Destinations come up while the agent runs already. */
export const QUICK = 'retry_on_failure: { initial_interval: 50ms, max_interval: 500ms }';

/** A port that was free a moment ago, for programs that cannot say which they took. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Sends each request by itself. @throws Differs where one is not taken */
export async function post(url: string, requests: readonly Request[], gzip = false): Promise<void> {
  for (const { signal, body } of requests) {
    const response = await fetch(`${url}/v1/${signal}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-protobuf',
        ...(gzip && { 'content-encoding': 'gzip' }),
      },
      body: gzip ? gzipSync(body) : body.slice(),
    });
    const answer = await response.text();
    if (response.status !== 200) throw new Differs(`${url} answers ${response.status}`, answer);
  }
}
