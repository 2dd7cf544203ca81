import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { curlLine } from '../../../agent/first_steps.ts';

const execute = promisify(execFile);
const main = path.resolve(import.meta.dirname, '../../../agent/main.ts');

let directory: string;
interface Started {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly exited: Promise<[number | null, NodeJS.Signals | null]>;
  readonly printed: { out: string; err: string };
  /** Resolves with the match once stderr holds it; rejects if the process ends before. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
}
const children: Started[] = [];
beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'holdfast-run-'));
});
afterEach(async () => {
  for (const { child, exited } of children.splice(0)) {
    child.kill('SIGKILL');
    await exited;
  }
  await rm(directory, { recursive: true });
});

/** The built-in configuration with free ports. */
const freePorts = [
  'receivers.otlp.protocols.grpc.endpoint=127.0.0.1:0',
  'receivers.otlp.protocols.http.endpoint=127.0.0.1:0',
  'receivers.http.endpoint=127.0.0.1:0',
  'receivers.syslog.tcp.listen_address=127.0.0.1:0',
  'receivers.syslog.udp.listen_address=127.0.0.1:0',
  'extensions.health_check.endpoint=127.0.0.1:0',
  'service.telemetry.metrics.address=127.0.0.1:0',
].flatMap((set) => ['--set', set]);

function begin(args: readonly string[]): Started {
  const child = spawn(process.execPath, [main, ...args], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit') as Started['exited'];
  const printed = { out: '', err: '' };
  const watchers = new Set<() => void>();
  for (const name of ['out', 'err'] as const) {
    child[`std${name}`].setEncoding('utf8').on('data', (text) => {
      printed[name] += text;
      for (const look of watchers) look();
    });
  }
  const says = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(printed.err);
        if (match) resolve(match);
      };
      watchers.add(look);
      look();
      void exited.then(() => reject(new Error(`ended without ${pattern}:\n${printed.err}`)));
    });
  const started = { child, exited, printed, says };
  children.push(started);
  return started;
}

const file = (): string => path.join(directory, 'holdfast-data/export/telemetry.jsonl');

async function untilFileHolds(text: string): Promise<string> {
  for (;;) {
    const content = await readFile(file(), 'utf8').catch(() => '');
    if (content.includes(text)) return content;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('holdfast without any argument but free ports', () => {
  it('prints a line that works: what curl sends is found in the file; SIGTERM ends it in good order', async () => {
    const { child, exited, printed, says } = begin(freePorts);
    const [, line] = await says(/^ +(printf .*curl.*)$/m);
    await execute('sh', ['-c', line!]);
    const [first] = (await untilFileHolds('hello from curl')).trim().split('\n');
    expect(JSON.parse(first!)).toHaveProperty('resourceLogs');
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    expect(printed.out).toBe('');
    expect(printed.err).toContain('"message":"stopped"');
  });

  it('logs one JSON object a line when stderr is no terminal, the greeting aside', async () => {
    const { child, exited, printed, says } = begin(freePorts);
    await says(/Send something/);
    child.kill('SIGINT');
    await exited;
    const lines = printed.err.split('\n').filter((line) => line.startsWith('{'));
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines)
      expect(JSON.parse(line)).toMatchObject({ time: expect.any(String), level: 'info' });
  });

  it('writes a summary line while something happens', async () => {
    const { says } = begin([...freePorts, '--set', 'service.telemetry.summary_interval=100ms']);
    const [, line] = await says(/^ +(printf .*curl.*)$/m);
    await execute('sh', ['-c', line!]);
    const [summary] = await says(/^\{.*"message":"summary".*"received_items":1,.*\}$/m);
    expect(JSON.parse(summary)).toMatchObject({ received_items: 1, disk_bytes: expect.any(Number) });
  });

  it('keeps what it stores to its user', async () => {
    const { says } = begin(freePorts);
    await says(/Send something/);
    for (const folder of ['holdfast-data', 'holdfast-data/buffer']) {
      expect((await stat(path.join(directory, folder))).mode & 0o777).toBe(0o700);
    }
  });

  it('starts again on what it left behind after SIGKILL', async () => {
    const first = begin(freePorts);
    const [, line] = await first.says(/^ +(printf .*curl.*)$/m);
    await execute('sh', ['-c', line!]);
    first.child.kill('SIGKILL');
    await first.exited;
    await begin(freePorts).says(/Send something/);
    await untilFileHolds('hello from curl');
  });

  it('lives on after SIGHUP', async () => {
    const { child, exited, says } = begin(freePorts);
    await says(/Send something/);
    child.kill('SIGHUP');
    await says(/reloading the configuration is not there yet/);
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
  });
});

describe('holdfast with a backend that never answers', () => {
  async function withHangingBackend(
    timeout: string,
    use: (started: Started) => Promise<void>,
  ): Promise<void> {
    const backend = createServer().listen(0, '127.0.0.1');
    await once(backend, 'listening');
    const { port } = backend.address() as AddressInfo;
    const config = path.join(directory, 'hang.yaml');
    await writeFile(
      config,
      `receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}}}}
exporters: {otlp_http: {endpoint: "http://127.0.0.1:${port}", timeout: 5m}}
service:
  shutdown_timeout: ${timeout}
  telemetry: {metrics: {level: none}}
  pipelines: {logs: {receivers: [otlp], exporters: [otlp_http]}}
`,
    );
    const started = begin(['--config', config]);
    const [, address] = await started.says(/"message":"listening".*"address":"([^"]+)"/);
    await started.says(/"message":"ready"/);
    const asked = once(backend, 'connection') as Promise<[Socket]>;
    await execute('sh', ['-c', curlLine(address!)]);
    const [connection] = await asked;
    await once(connection, 'data');
    try {
      await use(started);
    } finally {
      connection.destroy();
      backend.close();
    }
  }

  it('ends within its deadline all the same, exit code 0', async () => {
    await withHangingBackend('1s', async ({ child, exited }) => {
      child.kill('SIGTERM');
      expect(await exited).toEqual([0, null]);
    });
  });

  it('ends at once with a second signal', async () => {
    await withHangingBackend('5m', async ({ child, exited, says }) => {
      child.kill('SIGTERM');
      await says(/"message":"stopping"/);
      child.kill('SIGINT');
      expect(await exited).toEqual([130, null]);
    });
  });
});

describe('holdfast that cannot run', () => {
  it('prints every problem of its configuration and ends with 1', async () => {
    const { exited, printed } = begin(['--set', 'receivers.otlp.x=1', '--set', 'srvice.x=2']);
    expect(await exited).toEqual([1, null]);
    expect(printed.err).toContain('receivers.otlp.x: unknown key');
    expect(printed.err).toContain('srvice: unknown key');
    expect(printed.err).toContain('2 errors');
  });

  it('says who owns the directory and ends with 1', async () => {
    await begin(freePorts).says(/Send something/);
    const second = begin(freePorts);
    expect(await second.exited).toEqual([1, null]);
    expect(second.printed.err).toMatch(/is in use by .*HF_BUFFER_OWNER_PRESENT/);
  });

  it('names the port that is taken and ends with 1', async () => {
    const first = begin(freePorts);
    const [, port] = await first.says(/http:\/\/127\.0\.0\.1:(\d+)\/v1\/logs/);
    const taken = freePorts.map((arg) =>
      arg.replace('http.endpoint=127.0.0.1:0', `http.endpoint=127.0.0.1:${port}`),
    );
    const second = begin([...taken, '--set', 'buffer.directory=./other']);
    expect(await second.exited).toEqual([1, null]);
    expect(second.printed.err).toContain(`127.0.0.1:${port}`);
  });
});
