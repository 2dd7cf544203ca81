import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Agent, startAgent } from '../../agent/agent.ts';
import { logRequest } from '../../agent/first_steps.ts';
import { readAgentConfig } from '../../agent/schema.ts';
import type { FileSystem } from '../../buffer/index.ts';
import { nodeFileSystem } from '../../buffer/ports/node_file_system.ts';
import type { LogFields } from '../../config/logger.ts';
import { formatProblem } from '../../config/problem.ts';
import { loadConfig } from '../../config/source.ts';
import { otlpReceiver } from '../../receivers/otlp/factory.ts';
import { type Level, tellingLogger } from '../config/telling_logger.ts';
import { FakeBackend } from './fake_exporter.ts';

let directory: string;
const running: Agent[] = [];
beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'holdfast-agent-'));
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((agent) => agent.stop(AbortSignal.abort())));
  await rm(directory, { recursive: true });
});

const base = `
receivers:
  otlp: {protocols: {http: {endpoint: 127.0.0.1:0}}}
exporters: {a: }
extensions: {health_check: {endpoint: 127.0.0.1:0}}
service:
  extensions: [health_check]
  telemetry: {metrics: {address: 127.0.0.1:0}}
  pipelines:
    logs: {receivers: [otlp], exporters: [a]}
`;

interface Told {
  readonly level: Level;
  readonly message: string;
  readonly fields: LogFields | undefined;
}

async function start(
  backends: Readonly<Record<string, FakeBackend>>,
  sets: string[] = [],
  text = base,
  fileSystem = nodeFileSystem,
) {
  const { config, problems } = readAgentConfig(
    loadConfig({
      files: [{ name: 'test.yaml', text }],
      sets: [`buffer.directory=${directory}/buffer`, 'buffer.min_free_space=1MiB', ...sets],
      env: {},
    }),
    {
      receivers: [otlpReceiver],
      exporters: Object.entries(backends).map(([type, backend]) => backend.factory(type)),
    },
  );
  if (!config) throw new Error(problems.map(formatProblem).join('\n'));
  const told: Told[] = [];
  const logger = tellingLogger((level, message, fields) => told.push({ level, message, fields }));
  const agent = await startAgent({ config, version: '0.0.0', logger, fileSystem });
  running.push(agent);
  const address = [...agent.endpoints.values()].flat()[0]!.address;
  const post = async (text: string, signal = 'logs'): Promise<number> => {
    const response = await fetch(`http://${address}/v1/${signal}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf' },
      body: logRequest(text),
    });
    await response.arrayBuffer();
    return response.status;
  };
  return { agent, post, told, address };
}

async function page(agent: Agent, name: string, route = ''): Promise<{ status: number; text: string }> {
  const response = await fetch(`http://${agent.admin.get(name)}${route}`);
  return { status: response.status, text: await response.text() };
}

const stopped = (agent: Agent): Promise<void> => agent.stop(AbortSignal.timeout(20_000));

describe('an agent', () => {
  it('delivers what was posted to it, byte for byte, and counts it', async () => {
    const a = new FakeBackend();
    const { agent, post } = await start({ a });
    expect(await post('one')).toBe(200);
    await a.received(1);
    expect(a.sent).toMatchObject([{ signal: 'logs', items: 1 }]);
    expect(a.sent[0]?.payloads[0]).toEqual(Buffer.from(logRequest('one')));
    const metrics = (await page(agent, 'service.telemetry.metrics', '/metrics')).text;
    expect(metrics).toContain('otelcol_receiver_accepted_log_records{receiver="otlp",transport="http"} 1');
    expect(metrics).toContain('otelcol_receiver_refused_log_records{receiver="otlp",transport="http"} 0');
    expect(metrics).toContain('otelcol_exporter_queue_size{exporter="a",data_type="logs"}');
    expect(metrics).toContain('otelcol_exporter_queue_capacity{exporter="a",data_type="logs"}');
    expect(metrics).toContain('holdfast_buffer_appended_entries_total{stream="logs.otlp",shard="0"} 1');
    expect(metrics).toContain('holdfast_buffer_lag_entries{exporter="a",stream="logs.otlp",shard="0"}');
    const shard = 'stream="logs.otlp",shard="0"';
    expect(metrics).toContain(`holdfast_buffer_appends_total{${shard},result="accepted"} 1`);
    expect(metrics).toContain(`holdfast_buffer_switches_total{${shard},reason="idle"} 1`);
    expect(metrics).toContain(`holdfast_buffer_reads_total{${shard},result="batch"} 1`);
    expect(metrics).toMatch(/^holdfast_buffer_pool_bytes\{state="in_use"\} \d+$/m);
    expect(metrics).toMatch(/^holdfast_buffer_leaked_leases_total 0$/m);
    expect(metrics).toContain('holdfast_buffer_oldest_unconsumed_age_seconds{stream="logs.otlp",shard="0"}');
    // The room did not shrink for half a minute: nothing is foretold.
    expect(metrics).not.toMatch(/^holdfast_buffer_time_to_full_seconds/m);
    await stopped(agent);
    expect(agent.totals()).toMatchObject({ received_items: 1, refused_items: 0 });
    expect(agent.totals().exporters).toMatchObject([{ id: 'a', delivered_items: 1, held: false }]);
  });

  it('says that it is well while it runs', async () => {
    const { agent } = await start({ a: new FakeBackend() });
    const { status, text } = await page(agent, 'health_check');
    expect([status, JSON.parse(text)]).toEqual([
      200,
      expect.objectContaining({ status: 'Server available' }),
    ]);
  });

  it('refuses a signal that no pipeline takes', async () => {
    const { post } = await start({ a: new FakeBackend() });
    expect(await post('x', 'traces')).toBeGreaterThanOrEqual(400);
  });

  it('keeps what was acknowledged while the backend is away, and delivers it after a restart', async () => {
    const a = new FakeBackend();
    a.answer = async () => ({ kind: 'retry', reason: 'away' });
    const first = await start({ a });
    for (const text of ['one', 'two', 'three']) expect(await first.post(text)).toBe(200);
    expect(first.agent.totals().exporters).toMatchObject([{ delivered_items: 0, lag_entries: 3 }]);
    await stopped(first.agent);
    a.answer = async () => ({ kind: 'delivered' });
    await start({ a });
    await a.received(3);
    expect(a.sent.flatMap(({ payloads }) => payloads)).toEqual(
      ['one', 'two', 'three'].map((text) => Buffer.from(logRequest(text))),
    );
  });

  it('does not deliver again after a restart what was delivered', async () => {
    const a = new FakeBackend();
    const first = await start({ a });
    await first.post('one');
    await a.received(1);
    await stopped(first.agent);
    const second = await start({ a });
    await second.post('two');
    await a.received(2);
    expect(a.sent.map(({ payloads }) => payloads)).toEqual(
      ['one', 'two'].map((text) => [Buffer.from(logRequest(text))]),
    );
  });

  it('OTLP 41: lets no exporter wait for another that is dead, and stops although its request hangs', async () => {
    const [a, b] = [new FakeBackend(), new FakeBackend()];
    a.answer = (_batch, abort) =>
      new Promise((resolve) => {
        abort.addEventListener('abort', () => resolve({ kind: 'retry', reason: 'hangs' }));
      });
    const text = base.replace('{a: }', '{a: , b: }').replace('[a]', '[a, b]');
    const { post, agent } = await start({ a, b }, [], text);
    for (let i = 0; i < 10; i += 1) expect(await post(`${i}`)).toBe(200);
    await b.received(10);
    expect(a.items).toBe(0);
    await agent.stop(AbortSignal.abort());
  });

  it('OTLP 41: stores one copy however many exporters there are', async () => {
    const backends = { a: new FakeBackend(), b: new FakeBackend(), c: new FakeBackend() };
    const text = base.replace('{a: }', '{a: , b: , c: }').replace('[a]', '[a, b, c]');
    const { post, agent } = await start(backends, [], text);
    await post('one');
    await Promise.all(Object.values(backends).map((backend) => backend.received(1)));
    const metrics = (await page(agent, 'service.telemetry.metrics', '/metrics')).text;
    const appended = metrics.match(/^holdfast_buffer_appended_entries_total\{.*\} 1$/gm);
    expect(appended).toEqual(['holdfast_buffer_appended_entries_total{stream="logs.otlp",shard="0"} 1']);
  });
});

describe('a full disk', () => {
  it('answers 503 with Retry-After, says so, keeps what it has, and takes again when there is room', async () => {
    const a = new FakeBackend();
    a.answer = async () => ({ kind: 'retry', reason: 'away' });
    const sets = ['buffer.max_size=4MiB', 'buffer.segment_size=1MiB', 'buffer.retention_interval=100ms'];
    const { agent, address } = await start({ a }, sets);
    // A known field with a large text: 1 MiB each, so four fill the log.
    const large = largeRequest(2 ** 20);
    const post = () =>
      fetch(`http://${address}/v1/logs`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-protobuf' },
        body: large,
      });
    let accepted = 0;
    let refused: Response | undefined;
    while (!refused) {
      const response = await post();
      if (response.status === 200) accepted += 1;
      else refused = response;
      expect(accepted).toBeLessThan(10);
    }
    expect([429, 503]).toContain(refused.status);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(accepted).toBeGreaterThan(0);
    a.answer = async () => ({ kind: 'delivered' });
    await a.received(accepted);
    await settled(post, ({ status }) => status === 200);
    await a.received(accepted + 1);
    await stopped(agent);
  });
});

describe('a failing disk', () => {
  it('answers 503, turns the health check red with the reason, and both heal with the disk', async () => {
    let broken = false;
    const fileSystem: FileSystem = {
      ...nodeFileSystem,
      async open(file, mode) {
        const opened = await nodeFileSystem.open(file, mode);
        const fail = (): void => {
          if (broken && file.endsWith('.log'))
            throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
        };
        const { sync, write } = opened;
        opened.sync = async () => {
          fail();
          return sync.call(opened);
        };
        // Where the folder takes direct writes there is no sync.
        opened.write = async (...args) => {
          fail();
          return write.apply(opened, args);
        };
        return opened;
      },
    };
    const a = new FakeBackend();
    const { agent, post } = await start({ a }, [], base, fileSystem);
    expect(await post('before')).toBe(200);
    broken = true;
    expect(await post('during')).toBe(503);
    const sick = await page(agent, 'health_check');
    expect(sick.status).toBe(503);
    expect(JSON.parse(sick.text)).toMatchObject({
      status: 'Server not available',
      problems: [expect.stringContaining('logs.otlp/0')],
    });
    broken = false;
    await settled(
      () => post('after'),
      (status) => status === 200,
    );
    expect((await page(agent, 'health_check')).status).toBe(200);
    await a.received(2);
    expect(agent.totals().received_items).toBe(2);
    expect(agent.totals().refused_items).toBeGreaterThanOrEqual(1);
  });
});

describe('a poisoned request', () => {
  it('goes to the dead letters when its neighbours are taken, and stays there over a restart', async () => {
    const a = new FakeBackend();
    a.answer = async (batch) => {
      const poisoned = batch.entries.some(({ payload }) => Buffer.from(payload).includes('poison'));
      return poisoned ? { kind: 'rejected', reason: '400' } : { kind: 'delivered' };
    };
    const { agent, post } = await start({ a });
    const neighbours = Array.from({ length: 20 }, (_, i) => `neighbour ${i}`);
    for (const text of ['poison', ...neighbours]) expect(await post(text)).toBe(200);
    await a.received(neighbours.length);
    await settled(
      async () => (await page(agent, 'service.telemetry.metrics', '/metrics')).text,
      (text) =>
        text.includes('holdfast_exporter_dead_lettered_entries_total{exporter="a",data_type="logs"} 1'),
    );
    expect(agent.totals().exporters).toMatchObject([{ delivered_items: 20, failed_items: 1 }]);
    await stopped(agent);
    const second = await start({ a });
    const metrics = (await page(second.agent, 'service.telemetry.metrics', '/metrics')).text;
    expect(metrics).toContain('holdfast_buffer_retained_entries{stream="dead-letter.a",shard="0"} 1');
  });
});

/** Asks until the answer is as expected; the time-out of the test is the limit. */
async function settled<T>(ask: () => Promise<T>, enough: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (enough(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function largeRequest(bytes: number): Uint8Array {
  let message: Uint8Array = new Uint8Array(bytes).fill(0x61);
  for (const field of [1, 5, 2, 2, 1]) {
    const length: number[] = [];
    for (let rest = message.length; ; rest >>>= 7) {
      length.push(rest > 127 ? (rest & 127) | 128 : rest);
      if (rest <= 127) break;
    }
    message = Buffer.concat([Uint8Array.from([(field << 3) | 2, ...length]), message]);
  }
  return message;
}

describe('a start that cannot be', () => {
  it('names the port that is taken, and leaves nothing behind', async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => blocker.once('listening', resolve));
    const { port } = blocker.address() as { port: number };
    try {
      const sets = [`receivers.otlp.protocols.http.endpoint=127.0.0.1:${port}`];
      await expect(start({ a: new FakeBackend() }, sets)).rejects.toThrow(String(port));
    } finally {
      blocker.close();
    }
    await start({ a: new FakeBackend() });
  });

  it('is refused while another agent owns the directory', async () => {
    await start({ a: new FakeBackend() });
    await expect(start({ a: new FakeBackend() })).rejects.toMatchObject({ code: 'HF_BUFFER_OWNER_PRESENT' });
  });
});

describe('a configuration that changed between two runs', () => {
  const away: FakeBackend['answer'] = async () => ({ kind: 'retry', reason: 'away' });

  async function runWithLag(text = base): Promise<void> {
    const a = new FakeBackend();
    a.answer = away;
    const { agent, post } = await start({ a }, [], text);
    await post('owed');
    await stopped(agent);
  }

  it('delivers what a receiver took that has another name now', async () => {
    await runWithLag();
    const a = new FakeBackend();
    const { told } = await start({ a }, [], base.replaceAll('otlp', 'otlp/edge'));
    await a.received(1);
    expect(told).toContainEqual(
      expect.objectContaining({ message: expect.stringContaining('no receiver feeds any more') }),
    );
  });

  it('keeps what an exporter owes that is gone, says so, and gives it to the exporter when it is back', async () => {
    await runWithLag();
    const b = new FakeBackend();
    const second = await start({ b }, [], base.replace('{a: }', '{b: }').replace('[a]', '[b]'));
    await second.post('for b');
    await b.received(2);
    expect(second.told).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        message: expect.stringContaining('keeps its data'),
        fields: expect.objectContaining({ group: 'a', stream: 'logs.otlp', lag_entries: 1 }),
      }),
    );
    await stopped(second.agent);
    const a = new FakeBackend();
    await start({ a });
    await a.received(2);
  });

  it('releases what is owed to an exporter that is gone when the user says so', async () => {
    await runWithLag();
    const b = new FakeBackend();
    const text = base.replace('{a: }', '{b: }').replace('[a]', '[b]');
    const { told } = await start({ b }, ['buffer.orphans=release'], text);
    expect(told).toContainEqual(expect.objectContaining({ message: expect.stringContaining('released') }));
  });
});
