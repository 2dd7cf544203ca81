import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { runCommandLine } from '../../../agent/command_line.ts';
import { recordingTerminal } from '../recording_terminal.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'holdfast-commands-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

async function call(args: string[], env: Record<string, string> = {}) {
  const terminal = recordingTerminal({ env });
  const code = await runCommandLine(args, terminal);
  return { code, out: terminal.outText(), err: terminal.errText() };
}

async function file(text: string, name = 'agent.yaml'): Promise<string> {
  const at = path.join(directory, name);
  await writeFile(at, text);
  return at;
}

const good = `
receivers: {otlp: }
exporters:
  otlp_http:
    endpoint: https://backend.example:4318
    headers: {authorization: "Bearer \${env:TOKEN}"}
    timeout: 7s
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [otlp_http]}
`;

describe('holdfast validate', () => {
  it('is content with the built-in configuration', async () => {
    expect(await call(['validate'])).toEqual({
      code: 0,
      out: 'the built-in configuration: valid\n',
      err: 'note: extensions.health_check: served at http://127.0.0.1:13133/, 503 while a shard cannot write\n',
    });
  });

  it('says that a file is valid, on stdout', async () => {
    const at = await file(good);
    expect(await call(['validate', '--config', at], { TOKEN: 'x' })).toEqual({
      code: 0,
      out: `${at}: valid\n`,
      err: '',
    });
  });

  it('reports five different mistakes with their positions in one go, exit code 1', async () => {
    const at = await file(`receivers:
  otlp:
    protocols:
      http: {endpoint: "nonsense"}
exporters:
  otlp_http:
    endpoint: https://backend.example:4318
    timeout: 7
    compresion: gzip
buffer:
  max_size: 1 parsec
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [otlp_htp]}
`);
    const { code, out, err } = await call(['validate', '--config', at]);
    expect([code, out]).toEqual([1, '']);
    const positions = err
      .split('\n')
      .map((line) => /^.*agent\.yaml:(\d+):\d+: ([^:]+): /.exec(line)?.slice(1).join(' '));
    expect(positions).toEqual(
      expect.arrayContaining([
        '4 receivers.otlp.protocols.http.endpoint',
        '8 exporters.otlp_http.timeout',
        '9 exporters.otlp_http.compresion',
        '11 buffer.max_size',
        '14 service.pipelines.traces.exporters[0]',
      ]),
    );
    expect(err).toContain('5 errors');
  });

  it('gives the same as JSON', async () => {
    const at = await file('receivers: {otlp: {x: 1}}');
    const { code, out } = await call(['validate', '--config', at, '--json']);
    const result = JSON.parse(out);
    expect([code, result.valid]).toEqual([1, false]);
    expect(result.problems).toContainEqual(
      expect.objectContaining({ severity: 'error', line: 1, column: 20, path: 'receivers.otlp.x' }),
    );
  });

  it.each([
    ['a file that is not there', ['--config', '/nonexistent/agent.yaml'], 'does not exist'],
    ['a setting without a value', ['--set', 'buffer'], 'the = is missing'],
  ])('reports %s', async (_name, args, says) => {
    const { code, err } = await call(['validate', ...args]);
    expect(code).toBe(1);
    expect(err).toContain(says);
  });

  it('reports a file that is no YAML', async () => {
    const { code, err } = await call(['validate', '--config', await file('a: [1')]);
    expect(code).toBe(1);
    expect(err).toMatch(/agent\.yaml:1:\d+: /);
  });
});

describe('a Collector file', () => {
  it('is valid as it is, and each part that became something else is said in one line', async () => {
    const at = await file(`receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 0.0.0.0:4317
      http:
        endpoint: 0.0.0.0:4318
processors:
  memory_limiter:
    check_interval: 1s
    limit_percentage: 80
    spike_limit_percentage: 20
  batch:
exporters:
  otlphttp:
    endpoint: https://backend.example:4318
    headers:
      x-token: \${env:TOKEN}
    compression: gzip
    retry_on_failure:
      enabled: true
      initial_interval: 5s
      max_elapsed_time: 0
    sending_queue:
      enabled: true
      num_consumers: 4
      queue_size: 5000
      storage: file_storage
  debug:
    verbosity: basic
extensions:
  health_check:
    endpoint: 0.0.0.0:13133
  file_storage:
    directory: /var/lib/otelcol/storage
    timeout: 10s
    create_directory: true
service:
  extensions: [health_check, file_storage]
  telemetry:
    logs: {level: info}
    metrics:
      readers:
        - pull:
            exporter:
              prometheus: {host: 0.0.0.0, port: 8888}
  pipelines:
    traces:
      receivers: [otlp]
      processors: [memory_limiter, batch]
      exporters: [otlphttp]
    metrics:
      receivers: [otlp]
      processors: [memory_limiter, batch]
      exporters: [otlphttp]
    logs:
      receivers: [otlp]
      processors: [memory_limiter, batch]
      exporters: [otlphttp, debug]
`);
    const { code, out, err } = await call(['validate', '--config', at], { TOKEN: 'x' });
    expect([code, out]).toEqual([0, `${at}: valid\n`]);
    const notes = err.trim().split('\n');
    for (const part of [
      'exporters.otlphttp: otlphttp is read as otlp_http',
      'processors.batch: not needed',
      'processors.memory_limiter: not needed',
      'extensions.file_storage: became buffer.directory /var/lib/otelcol/storage/holdfast',
      'extensions.health_check: served at',
      'exporters.otlphttp: sending_queue.storage',
    ]) {
      expect(notes.filter((note) => note.startsWith(`note: ${part}`))).toHaveLength(1);
    }
    expect(err).not.toContain('warning');
  });
});

describe('holdfast components', () => {
  it('lists everything that a configuration can name', async () => {
    const { code, out } = await call(['components', '--json']);
    const listed = JSON.parse(out);
    const types = (section: string) => listed[section].map(({ type }: { type: string }) => type);
    expect(code).toBe(0);
    expect(types('receivers').toSorted()).toEqual(['nop', 'otlp', 'syslog']);
    expect(types('processors')).toEqual(['batch', 'memory_limiter']);
    expect(types('exporters').toSorted()).toEqual(['debug', 'file', 'nop', 'otlp_grpc', 'otlp_http']);
    expect(types('extensions').toSorted()).toEqual([
      'basicauth',
      'bearertokenauth',
      'file_storage',
      'headers_setter',
      'health_check',
    ]);
  });

  it('lists it for people too', async () => {
    const { out } = await call(['components']);
    expect(out).toMatch(/^ {2}otlp_http \(also otlphttp\) +traces metrics logs +\S/m);
  });
});

describe('holdfast print-config', () => {
  it('prints what it would run, defaults filled in, no secret shown', async () => {
    const at = await file(good);
    const { code, out, err } = await call(['print-config', '--config', at], { TOKEN: 'tell-nobody' });
    expect([code, err]).toEqual([0, '']);
    expect(out).not.toContain('tell-nobody');
    expect(parse(out)).toMatchObject({
      receivers: { otlp: { protocols: { http: { endpoint: '127.0.0.1:4318' } } } },
      exporters: { otlp_http: { timeout: '7s', headers: { authorization: '[redacted]' } } },
      buffer: { directory: './holdfast-data/buffer', max_size: '1GiB', offsets_interval: '1s' },
      service: { shutdown_timeout: '20s', telemetry: { summary_interval: '10s' } },
    });
  });

  it('prints what reads back to the same', async () => {
    const first = await call(['print-config']);
    const at = await file(first.out);
    const second = await call(['print-config', '--config', at]);
    expect(second).toEqual(first);
  });

  it('gives JSON too, and the merged result of several files and settings', async () => {
    const base = await file(good);
    const over = await file('buffer: {shards: 3}', 'site.yaml');
    const args = ['--config', base, '--config', over, '--set', 'buffer.max_size=2GiB', '--json'];
    const { out } = await call(['print-config', ...args], { TOKEN: 'x' });
    expect(JSON.parse(out).buffer).toMatchObject({ shards: 3, max_size: '2GiB' });
  });

  it('prints nothing but the problems of a configuration that is wrong', async () => {
    const { code, out, err } = await call(['print-config', '--set', 'buffer.shards=0']);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('buffer.shards');
  });

  it('never prints a secret, whatever else is wrong', async () => {
    const at = await file(good.replace('timeout: 7s', 'timeout: 7'));
    for (const verb of ['print-config', 'validate']) {
      const { out, err } = await call([verb, '--config', at, '--json'], { TOKEN: 'tell-nobody' });
      expect(out + err).not.toContain('tell-nobody');
    }
  });
});
