import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import * as z from 'zod';
import { readAgentConfig } from '../../agent/schema.ts';
import { section } from '../../config/fields.ts';
import { formatProblem } from '../../config/problem.ts';
import { loadConfig } from '../../config/source.ts';
import type { DrainConfig } from '../../exporters/drain/config.ts';
import { type DrainSection, drainNotes } from '../../exporters/drain/config.ts';
import type { ExporterFactory } from '../../exporters/exporter.ts';
import type { Signal } from '../../otlp/signal.ts';
import type { ReceiverFactory } from '../../receivers/receiver.ts';

const drain: DrainConfig = {
  retry: {
    initial_interval_ms: 1,
    max_interval_ms: 1,
    multiplier: 1,
    randomization_factor: 0,
    max_elapsed_time_ms: 0,
  },
  timeout_ms: 1,
  batch: { max_bytes: 1, max_items: 1000, passthrough_bytes: 1, flush_timeout_ms: 200 },
  max_in_flight: 1,
  rate_limit_bytes_per_s: 0,
  on_rejected: 'auto',
  protect: true,
  max_lag: {},
};
const all: readonly Signal[] = ['traces', 'metrics', 'logs'];
const never = () => {
  throw new Error('nothing is loaded while a configuration is read');
};
const receiver = (type: string, signals = all): ReceiverFactory => ({
  type,
  description: '',
  signals,
  schema: section({ endpoint: z.string().default('here') }),
  load: never,
});
const exporter = (type: string, aliases: string[] = [], signals = all): ExporterFactory => ({
  type,
  aliases,
  description: '',
  signals,
  schema: section({ endpoint: z.string().optional(), sending_queue: z.unknown().optional() }),
  drain: () => drain,
  notes: (config) => drainNotes(config as DrainSection),
  load: never,
});
const components = {
  receivers: [receiver('otlp'), receiver('statsd', ['metrics'])],
  exporters: [exporter('otlp_http', ['otlphttp']), exporter('file'), exporter('debug')],
};

function read(text: string, sets: string[] = []) {
  const { config, problems, notes } = readAgentConfig(
    loadConfig({ files: [{ name: 'f.yaml', text }], sets, env: {} }),
    components,
  );
  const told = problems.map(formatProblem);
  return { config, told, notes, errors: problems.filter((problem) => problem.severity === 'error') };
}

const minimal = `
receivers: {otlp: }
exporters: {file: }
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [file]}
`;

describe('a minimal configuration', () => {
  it('has all defaults: local addresses, a bounded log, nothing lost unasked', () => {
    const { config, told, notes } = read(minimal);
    expect([told, notes]).toEqual([[], []]);
    expect(config).toMatchObject({
      buffer: {
        directory: './holdfast-data/buffer',
        shards: 1,
        segment_size: 64 * 2 ** 20,
        max_size: 2 ** 30,
        when_full: 'reject',
        protect_unconsumed: true,
        compression: 'none',
        durability: 'fsync',
        offsets_interval: 1000,
      },
      metrics: { host: '127.0.0.1', port: 8888 },
      healthChecks: [],
      logs: { level: 'info' },
      shutdown_timeout_ms: 20_000,
    });
  });

  it('is frozen', () => {
    const { config } = read(minimal);
    expect(Object.isFrozen(config) && Object.isFrozen(config?.buffer)).toBe(true);
  });

  it('has one stream per receiver and signal, and one group per exporter on all that its pipelines name', () => {
    const { config } = read(`
receivers: {otlp: , otlp/edge: }
exporters: {file: , otlphttp/cloud: }
service:
  pipelines:
    traces: {receivers: [otlp, otlp/edge], exporters: [file, otlphttp/cloud]}
    traces/2: {receivers: [otlp], exporters: [file]}
    logs: {receivers: [otlp/edge], exporters: [otlphttp/cloud]}
`);
    expect(config?.receivers.map(({ id, streams }) => [id, Object.fromEntries(streams)])).toEqual([
      ['otlp', { traces: 'traces.otlp' }],
      ['otlp/edge', { traces: 'traces.otlp.edge', logs: 'logs.otlp.edge' }],
    ]);
    expect(config?.exporters).toMatchObject([
      {
        group: 'file',
        deadLetterStream: 'dead-letter.file',
        streams: [{ name: 'traces.otlp' }, { name: 'traces.otlp.edge' }],
      },
      {
        id: 'otlphttp/cloud',
        group: 'otlp_http/cloud',
        deadLetterStream: 'dead-letter.otlp_http.cloud',
        streams: [
          { name: 'traces.otlp' },
          { name: 'traces.otlp.edge' },
          { name: 'logs.otlp.edge', signal: 'logs' },
        ],
      },
    ]);
  });
});

describe('a Collector file', () => {
  const collector = `
receivers:
  otlp:
    endpoint: x
processors:
  batch:
    timeout: 5s
    send_batch_size: 100
    send_batch_max_size: 500
  memory_limiter: {check_interval: 1s, limit_mib: 512}
extensions:
  health_check: {endpoint: 0.0.0.0:13133}
  file_storage: {directory: /var/lib/otelcol, timeout: 1s, compaction: {on_start: true}}
exporters:
  otlphttp:
    sending_queue: {storage: file_storage}
service:
  extensions: [health_check, file_storage]
  telemetry:
    logs: {level: DEBUG, encoding: json}
    metrics:
      level: detailed
      readers: [{pull: {exporter: {prometheus: {host: 0.0.0.0, port: 9999, without_units: true}}}}]
  pipelines:
    traces: {receivers: [otlp], processors: [memory_limiter, batch], exporters: [otlphttp]}
`;

  it('is taken as it is, with one line for each part that became something else', () => {
    const { config, told, notes } = read(collector);
    expect(told).toEqual([]);
    expect(notes).toEqual([
      'exporters.otlphttp: otlphttp is read as otlp_http',
      'processors.batch: not needed, requests are merged when they leave the disk',
      'processors.memory_limiter: not needed, memory is bounded by buffer.in_flight (64MiB)',
      'exporters.otlphttp: sending_queue.storage is needless, the log is on disk',
      'processors.batch: its send_batch_max_size became batch max_items 500, its timeout became batch flush_timeout 5000 ms of otlphttp',
      'extensions.file_storage: became buffer.directory /var/lib/otelcol/holdfast, for all exporters at once',
      'extensions.health_check: served at http://0.0.0.0:13133/, 503 while a shard cannot write',
    ]);
    expect(config).toMatchObject({
      buffer: { directory: '/var/lib/otelcol/holdfast' },
      logs: { level: 'debug', encoding: 'json' },
      metrics: { host: '0.0.0.0', port: 9999 },
      healthChecks: [{ endpoint: { host: '0.0.0.0', port: 13133 } }],
    });
    expect(config?.exporters[0]?.drain.batch).toMatchObject({ max_items: 500, flush_timeout_ms: 5000 });
  });

  it('keeps the buffer directory that was written over that of file_storage', () => {
    const { config } = read(collector, ['buffer.directory=/data']);
    expect(config?.buffer.directory).toBe('/data');
  });

  it('does not run extensions that service.extensions does not list, and says so', () => {
    const { config, told } = read(collector, ['service.extensions=[]']);
    expect(config).toMatchObject({ healthChecks: [], buffer: { directory: './holdfast-data/buffer' } });
    expect(told.filter((line) => line.includes('does nothing'))).toHaveLength(2);
  });

  it.each([
    ['level=none', undefined],
    ['address=0.0.0.0:1234', { kind: 'tcp', host: '0.0.0.0', port: 1234 }],
  ])('has its metrics where service.telemetry.metrics.%s says', (set, address) => {
    expect(read(minimal, [`service.telemetry.metrics.${set}`]).config?.metrics).toEqual(address);
  });

  it('is warned of what is accepted and means nothing', () => {
    const { config, told } = read(minimal, [
      'service.telemetry.metrics.readers=[{periodic: {exporter: {otlp: {}}}}]',
      'service.telemetry.logs.sampling={enabled: true}',
      'service.telemetry.traces={}',
      'service.telemetry.resource={a: b}',
    ]);
    expect(config?.metrics).toBeUndefined();
    expect(told).toHaveLength(4);
    for (const line of told) expect(line).toContain('warning');
  });
});

describe('mistakes', () => {
  it('are all told at once, each with its place and what was meant', () => {
    const { config, told } = read(`receivers:
  otlp:
    endpiont: x
exporters:
  fiel:
    path: x
  otlp/cloud:
    endpoint: x:4317
buffer:
  max_sise: 1GiB
  when_full: dropoldest
service:
  extensions: [health_chek]
  pipelines:
    traces: {receivers: [otpl], exporters: [file]}
    spans: {receivers: [otlp], exporters: [fiel]}
conectors: {}
`);
    expect(config).toBeUndefined();
    const text = told.join('\n');
    expect(text).toMatch(/^f\.yaml:3:5: receivers\.otlp\.endpiont: .*"endpoint"/m);
    expect(text).toMatch(/^f\.yaml:5:3: exporters\.fiel: .*did you mean "file"/m);
    expect(text).toMatch(
      /^f\.yaml:7:3: exporters\.otlp\/cloud: no exporter has the type "otlp"; expected one of otlp_http/m,
    );
    expect(text).toMatch(/^f\.yaml:10:3: buffer\.max_sise: .*"max_size"/m);
    expect(text).toMatch(/^f\.yaml:11:3: buffer\.when_full: .*drop_oldest/m);
    expect(text).toMatch(
      /^f\.yaml:13:16: service\.extensions\[0\]: no extension "health_chek" is configured/m,
    );
    expect(text).toMatch(
      /^f\.yaml:15:26: service\.pipelines\.traces\.receivers\[0\]: .*did you mean "otlp"/m,
    );
    expect(text).toMatch(/^f\.yaml:15:45: service\.pipelines\.traces\.exporters\[0\]: .*no exporter "file"/m);
    expect(text).toMatch(/^f\.yaml:16:5: service\.pipelines\.spans: a pipeline cannot carry "spans"/m);
    expect(text).toMatch(/^f\.yaml:17:1: conectors: .*"connectors"/m);
  });

  it.each([
    ['no pipelines', 'receivers: {otlp: }', 'no pipeline'],
    [
      'a pipeline without exporters',
      minimal.replace('exporters: [file]', 'exporters: []'),
      'at least one exporter',
    ],
    [
      'a pipeline without receivers',
      minimal.replace('receivers: [otlp]', 'receivers: '),
      'at least one receiver',
    ],
    ['a name twice', minimal.replace('[file]', '[file, file]'), 'named twice'],
    ['a connector', `${minimal}\nconnectors: {forward: }`, 'connectors are not supported'],
    [
      'a processor of another kind',
      `${minimal}\nprocessors: {transform: }`,
      'no processor has the type "transform"',
    ],
    [
      'an extension of another kind',
      `${minimal}\nextensions: {zpages: }`,
      'no extension has the type "zpages"',
    ],
    ['profiles', minimal.replace('traces:', 'profiles:'), 'profiles are not taken'],
    [
      'a signal that the component has not',
      minimal.replaceAll('otlp', 'statsd'),
      '"statsd" cannot carry traces; expected metrics',
    ],
    [
      'a name that no stream can have',
      minimal.replaceAll('otlp', 'otlp/Edge.1'),
      "cannot be part of a stream's name",
    ],
    ['a path as a name', minimal.replaceAll('otlp', '"otlp/../x"'), "cannot be part of a stream's name"],
    [
      'one component by two names',
      `${minimal.replace('{file: }', '{file: , otlphttp: , otlp_http: }')}`,
      'the same as',
    ],
    ['segments larger than the log', `${minimal}\nbuffer: {max_size: 64MiB}`, 'at least two segments'],
    [
      'a unix socket for health',
      `${minimal}\nextensions: {health_check: {endpoint: "unix:/x"}}`,
      'does nothing',
    ],
    ['sections that are lists', 'receivers: [otlp]', 'receivers'],
    [
      'segments that stay and leave no room',
      `${minimal}\nbuffer: {retention: {min_segments: 16}}`,
      'buffer.retention.min_segments',
    ],
    [
      'a deadline for what was never delivered',
      `${minimal}\nbuffer: {retention: {force_delete_after: 7d}}`,
      'it removes what was never delivered',
    ],
    [
      'a priority for what can be no stream',
      `${minimal}\nbuffer: {retention: {priority: {"Logs/*": 1}}}`,
      'a pattern of stream names',
    ],
    ['a codec that frames do not have', `${minimal}\nbuffer: {compression: gzip}`, 'buffer.compression'],
    ['a durability that there is not', `${minimal}\nbuffer: {durability: maybe}`, 'buffer.durability'],
  ])('such as %s are told', (_name, text, says) => {
    expect(read(text).told.join('\n')).toContain(says);
  });

  it('in a component that no pipeline uses are told too, and that it is unused', () => {
    const { told } = read(`${minimal.replace('{file: }', '{file: , debug: {x: 1}}')}`);
    expect(told.join('\n')).toMatch(/exporters\.debug\.x: unknown/);
    expect(told.join('\n')).toMatch(/exporters\.debug: warning: no pipeline uses it/);
  });

  it('never end in an exception, whatever the tree', () => {
    const scalar = fc.oneof(
      fc.constantFrom('otlp', 'file', 'traces', 'batch', '', 'x'),
      fc.integer(),
      fc.constant(null),
    );
    const key = fc.constantFrom(
      'receivers',
      'exporters',
      'processors',
      'service',
      'pipelines',
      'buffer',
      'extensions',
      'telemetry',
      'metrics',
      'otlp',
      'file',
      'traces',
      'batch',
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: 'medium' },
        scalar,
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(key, tie('tree'), { maxKeys: 6 }),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(key, tree, { maxKeys: 7 }), (value) => {
        const { config, errors } = read(JSON.stringify(value));
        expect(config === undefined).toBe(errors.length > 0);
      }),
      { numRuns: 300 },
    );
  });
});
