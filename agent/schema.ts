// The whole file: sections composed from what the components own, checked against each other, and resolved into what
// the agent is built from. Invariant: everything that is wrong is found in one pass, with its position.

import * as z from 'zod';
import { type Address, formatAddress, type TcpAddress } from '../config/endpoint.ts';
import { section } from '../config/fields.ts';
import { deepFreeze } from '../config/freeze.ts';
import type { LoadedSource } from '../config/source.ts';
import type { ExporterFactory } from '../exporters/exporter.ts';
import type { ReceiverFactory } from '../receivers/receiver.ts';
import type {
  AgentConfig,
  Components,
  ConfiguredExporter,
  ConfiguredReceiver,
  ReadConfig,
} from './schema/agent_config.ts';
import { type BufferConfig, bufferSchema, DEFAULT_DIRECTORY } from './schema/buffer.ts';
import type { HealthCheckConfig } from './schema/extensions.ts';
import { type CheckedPipeline, checkPipelines } from './schema/pipelines.ts';
import {
  type Extensions,
  logDirectory,
  type Processors,
  readExtensions,
  readProcessors,
  refuseConnectors,
  withBatchLimits,
} from './schema/replaced.ts';
import { Report } from './schema/report.ts';
import { type Resolved, resolveSection, streamName } from './schema/resolve.ts';
import {
  extensionIdsSchema,
  pipelineSchema,
  shutdownTimeoutSchema,
  telemetrySchema,
  workersSchema,
} from './schema/service.ts';
import { checkWorkers } from './schema/workers.ts';

const anything = () => z.record(z.string(), z.unknown()).nullish();

/** Sections only: what stands in them is read by the parts that own it. */
const fileSchema = z.strictObject({
  receivers: anything(),
  processors: anything(),
  exporters: anything(),
  connectors: anything(),
  extensions: anything(),
  service: z.unknown().optional(),
  buffer: z.unknown().optional(),
});

const serviceSchema = section({
  extensions: extensionIdsSchema.prefault([]),
  pipelines: z.preprocess((value) => value ?? {}, z.record(z.string(), pipelineSchema)).prefault({}),
  telemetry: telemetrySchema.prefault({}),
  /** From the first signal until the process is gone, whatever hangs. */
  shutdown_timeout: shutdownTimeoutSchema,
  workers: workersSchema,
});
type ServiceConfig = z.output<typeof serviceSchema>;

export function readAgentConfig(source: LoadedSource, components: Components): ReadConfig {
  const report = new Report(source);
  report.read([], fileSchema);
  const buffer = report.read(['buffer'], bufferSchema);
  const service = report.read(['service'], serviceSchema);
  const receivers = resolveSection(report, 'receivers', components.receivers);
  const exporters = resolveSection(report, 'exporters', components.exporters);
  const processors = readProcessors(report, buffer?.in_flight);
  refuseConnectors(report);
  const extensions = readExtensions(report, service?.extensions ?? []);
  const pipelines = service
    ? checkPipelines(report, service.pipelines, { receivers, exporters, processors })
    : [];
  const guards = extensions.authenticators.filter(({ kind }) => kind === 'bearer' || kind === 'basic');
  const shown = extensions.authenticators.filter(({ kind }) => kind !== 'basic');
  for (const { id, factory, config: own } of receivers.values()) {
    const named = own === undefined ? [] : (factory.authenticators?.(own) ?? []);
    checkNamed(report, ['receivers', id], named, guards, 'that authenticates');
  }
  for (const { id, factory, config: own } of exporters.values()) {
    const named = own === undefined ? [] : (factory.credentials?.(own) ?? []);
    checkNamed(report, ['exporters', id], named, shown, 'with credentials to send');
  }
  for (const check of extensions.healthChecks)
    tcpOnly(report, ['extensions', check.id, 'endpoint'], check.endpoint);
  const metrics = service && metricsAddress(report, service);
  if (service) warnOfWhatMeansNothing(report, service);
  const workers = service ? checkWorkers(report, service.workers) : 1;
  if (buffer) checkBuffer(report, buffer, workers);

  let config: AgentConfig | undefined;
  if (!report.failed() && buffer && service) {
    config = deepFreeze({
      receivers: configuredReceivers(receivers, pipelines),
      exporters: configuredExporters(report, exporters, receivers, pipelines, processors),
      pipelines: pipelines.map(({ id, signal, receivers: from, exporters: to }) => {
        return { id, signal, receivers: from, exporters: to };
      }),
      buffer: {
        ...buffer,
        directory: logDirectory(report, buffer, extensions.storageDirectory, DEFAULT_DIRECTORY),
      },
      authenticators: extensions.authenticators,
      healthChecks: extensions.healthChecks,
      metrics,
      logs: service.telemetry.logs,
      summary_interval_ms: service.telemetry.summary_interval,
      shutdown_timeout_ms: service.shutdown_timeout,
      workers,
    });
    noteHealthChecks(report, extensions.healthChecks);
  }
  return { config: report.failed() ? undefined : config, problems: report.problems(), notes: report.notes };
}

function configuredReceivers(
  receivers: ReadonlyMap<string, Resolved<ReceiverFactory>>,
  pipelines: readonly CheckedPipeline[],
): ConfiguredReceiver[] {
  const used: ConfiguredReceiver[] = [];
  for (const { id, canonicalId, factory, config } of receivers.values()) {
    const mine = pipelines.filter((pipeline) => pipeline.receivers.includes(id));
    const streams = new Map(mine.map(({ signal }) => [signal, streamName(signal, canonicalId)]));
    if (streams.size > 0) used.push({ id, factory, config, streams });
  }
  return used;
}

function configuredExporters(
  report: Report,
  exporters: ReadonlyMap<string, Resolved<ExporterFactory>>,
  receivers: ReadonlyMap<string, Resolved<ReceiverFactory>>,
  pipelines: readonly CheckedPipeline[],
  processors: Processors,
): ConfiguredExporter[] {
  const used: ConfiguredExporter[] = [];
  for (const { id, canonicalId, factory, config } of exporters.values()) {
    const mine = pipelines.filter((pipeline) => pipeline.exporters.includes(id));
    if (mine.length === 0) continue;
    const streams = new Map<string, ConfiguredExporter['streams'][number]>();
    const batches = new Map<string, NonNullable<ReturnType<Processors['get']>>['batch']>();
    for (const { signal, receivers: from, processors: through } of mine) {
      for (const receiver of from) {
        const name = streamName(signal, receivers.get(receiver)!.canonicalId);
        streams.set(name, { name, signal });
      }
      for (const processor of through) batches.set(processor, processors.get(processor)?.batch);
    }
    for (const note of factory.notes(config)) report.note(`exporters.${id}: ${note}`);
    const limits = [...batches].flatMap(([name, batch]) => (batch ? [[name, batch] as const] : []));
    used.push({
      id,
      group: canonicalId,
      deadLetterStream: streamName('dead-letter', canonicalId),
      factory,
      config,
      drain: withBatchLimits(report, id, factory.drain(config), limits),
      streams: [...streams.values()],
    });
  }
  return used;
}

/** A receiver that names a guard which does not stand there must not open, nor an exporter send without its name. */
function checkNamed(
  report: Report,
  where: readonly string[],
  named: readonly { readonly path: readonly (string | number)[]; readonly id: string }[],
  running: Extensions['authenticators'],
  what: string,
): void {
  const known = running.map(({ id }) => id);
  for (const { path, id } of named) {
    if (known.includes(id) || report.failedAt(['extensions', id])) continue;
    const message = `no extension ${JSON.stringify(id)} ${what} runs (service.extensions)`;
    report.unknown([...where, ...path], message, id, known);
  }
}

function checkBuffer(report: Report, buffer: BufferConfig, workers: number): void {
  if (buffer.segment_size * 2 > buffer.max_size) {
    report.error(['buffer', 'segment_size'], 'the log needs room for at least two segments', {
      expected: 'half of buffer.max_size at most',
    });
  }
  const { force_delete_after, max_shard_size, min_segments } = buffer.retention;
  // Each worker has shards of its own under one budget.
  const each_bytes = buffer.max_size / workers;
  const least = Math.min(each_bytes, max_shard_size ?? each_bytes);
  if (min_segments * buffer.segment_size >= least) {
    report.error(
      ['buffer', 'retention', 'min_segments'],
      'segments that stay would leave no room to append',
      {
        expected: `min_segments × segment_size below ${least === max_shard_size ? 'max_shard_size' : workers > 1 ? `max_size / ${workers} workers` : 'max_size'}`,
      },
    );
  }
  if (force_delete_after !== undefined) {
    report.warn(['buffer', 'retention', 'force_delete_after'], 'it removes what was never delivered');
  }
  if (buffer.max_age !== undefined && !buffer.protect_unconsumed) {
    report.warn(['buffer', 'max_age'], 'with protect_unconsumed: false it removes what was never delivered');
  }
}

/** level: none → nowhere; the older `address`; the first Prometheus reader; else the Collector's default. */
function metricsAddress(report: Report, service: ServiceConfig): TcpAddress | undefined {
  const path = ['service', 'telemetry', 'metrics'];
  const { level, address, readers } = service.telemetry.metrics;
  if (level === 'none') return undefined;
  if (address) return tcpOnly(report, [...path, 'address'], address);
  if (!readers) return { kind: 'tcp', host: '127.0.0.1', port: 8888 };
  let found: TcpAddress | undefined;
  for (const [index, { pull }] of readers.entries()) {
    const prometheus = pull?.exporter.prometheus;
    if (prometheus && !found) found = { kind: 'tcp', host: prometheus.host, port: prometheus.port };
    else {
      const why = prometheus
        ? 'one Prometheus page is served, this one is not'
        : 'only pull.exporter.prometheus is served';
      report.warn([...path, 'readers', index], `does nothing: ${why}`);
    }
  }
  return found;
}

function tcpOnly(report: Report, path: (string | number)[], address: Address): TcpAddress | undefined {
  if (address.kind === 'tcp') return address;
  report.error(path, 'a unix socket is not served here', { expected: 'host:port' });
  return undefined;
}

const meaningless = {
  logs: [
    'development',
    'disable_caller',
    'disable_stacktrace',
    'sampling',
    'output_paths',
    'error_output_paths',
    'initial_fields',
    'processors',
  ],
  metrics: ['views'],
} as const;

function warnOfWhatMeansNothing(report: Report, { telemetry }: ServiceConfig): void {
  const warn = (...path: string[]): void =>
    report.warn(['service', 'telemetry', ...path], 'accepted, but does nothing here');
  for (const key of meaningless.logs) if (telemetry.logs[key] !== undefined) warn('logs', key);
  for (const key of meaningless.metrics) if (telemetry.metrics[key] !== undefined) warn('metrics', key);
  for (const key of ['traces', 'resource'] as const) if (telemetry[key] !== undefined) warn(key);
}

function noteHealthChecks(report: Report, checks: readonly (HealthCheckConfig & { id: string })[]): void {
  for (const { id, endpoint, path } of checks) {
    report.note(
      `extensions.${id}: served at http://${formatAddress(endpoint)}${path}, 503 while a shard cannot write`,
    );
  }
}
