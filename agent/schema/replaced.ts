// The parts of a Collector file that the buffer makes needless, and those that are not there: accepted and said in one
// line each, or refused clearly. Invariant: nothing that changes data is ever ignored in silence.

import { parseId } from '../../config/id.ts';
import { formatSize } from '../../config/size.ts';
import { keysAt } from '../../config/source.ts';
import type { DrainConfig } from '../../exporters/drain/config.ts';
import type { BufferConfig } from './buffer.ts';
import {
  type AuthenticatorConfig,
  basicAuthSchema,
  bearerTokenAuthSchema,
  fileStorageSchema,
  type HealthCheckConfig,
  headersSetterSchema,
  healthCheckSchema,
} from './extensions.ts';
import { type BatchConfig, batchSchema, memoryLimiterSchema } from './processors.ts';
import type { Report } from './report.ts';

export type Processors = ReadonlyMap<
  string,
  { readonly type: string; readonly batch: BatchConfig | undefined }
>;

/** @param inFlight_bytes what bounds memory, for the line about memory_limiter. */
export function readProcessors(report: Report, inFlight_bytes: number | undefined): Processors {
  const found = new Map<string, { type: string; batch: BatchConfig | undefined }>();
  for (const id of keysAt(report.source, ['processors'])) {
    const path = ['processors', id];
    const parsed = parseId(id);
    if (!parsed.ok) {
      report.error(path, parsed.reason);
      continue;
    }
    const { type } = parsed.value;
    if (type === 'batch') {
      found.set(id, { type, batch: report.read(path, batchSchema) });
      report.note(`processors.${id}: not needed, requests are merged when they leave the disk`);
    } else if (type === 'memory_limiter') {
      report.read(path, memoryLimiterSchema);
      found.set(id, { type, batch: undefined });
      const bound = inFlight_bytes === undefined ? '' : ` (${formatSize(inFlight_bytes)})`;
      report.note(`processors.${id}: not needed, memory is bounded by buffer.in_flight${bound}`);
    } else {
      report.unknown(path, `no processor has the type ${JSON.stringify(type)} yet`, type, [
        'batch',
        'memory_limiter',
      ]);
    }
  }
  return found;
}

/** What batch processors ask for explicitly still holds: the exporter's own drain settings, made no larger. */
export function withBatchLimits(
  report: Report,
  exporterId: string,
  drain: DrainConfig,
  processors: readonly (readonly [id: string, batch: BatchConfig])[],
): DrainConfig {
  let { max_items, flush_timeout_ms } = drain.batch;
  for (const [id, { send_batch_max_size, timeout }] of processors) {
    const says: string[] = [];
    if (send_batch_max_size !== undefined && send_batch_max_size > 0) {
      max_items = Math.min(max_items, send_batch_max_size);
      says.push(`send_batch_max_size became batch max_items ${max_items}`);
    }
    if (timeout !== undefined) {
      flush_timeout_ms = timeout;
      says.push(`timeout became batch flush_timeout ${timeout} ms`);
    }
    if (says.length > 0) report.note(`processors.${id}: its ${says.join(', its ')} of ${exporterId}`);
  }
  return { ...drain, batch: { ...drain.batch, max_items, flush_timeout_ms } };
}

export function refuseConnectors(report: Report): void {
  for (const id of keysAt(report.source, ['connectors'])) {
    report.error(
      ['connectors', id],
      'connectors are not supported: a pipeline goes from receivers to exporters',
    );
  }
}

export interface Extensions {
  readonly healthChecks: readonly (HealthCheckConfig & { readonly id: string })[];
  /** Of the first file_storage that runs. */
  readonly storageDirectory: string | undefined;
  /** Those that run, for receivers and exporters to name. */
  readonly authenticators: readonly AuthenticatorConfig[];
}

/** @param running the ids of service.extensions: the others are checked but do nothing, as in the Collector. */
export function readExtensions(report: Report, running: readonly string[]): Extensions {
  const defined = keysAt(report.source, ['extensions']);
  const healthChecks: (HealthCheckConfig & { id: string })[] = [];
  const authenticators: AuthenticatorConfig[] = [];
  let storageDirectory: string | undefined;
  for (const id of defined) {
    const path = ['extensions', id];
    const parsed = parseId(id);
    const type = parsed.ok ? parsed.value.type : '';
    const runs = running.includes(id);
    if (!parsed.ok) report.error(path, parsed.reason);
    else if (type === 'health_check') {
      const config = report.read(path, healthCheckSchema);
      if (config && runs) healthChecks.push({ ...config, id });
    } else if (type === 'file_storage') {
      const config = report.read(path, fileStorageSchema);
      if (config && runs) storageDirectory ??= config.directory;
    } else if (type === 'bearertokenauth') {
      const config = report.read(path, bearerTokenAuthSchema);
      if (config && runs) authenticators.push({ id, kind: 'bearer', config });
    } else if (type === 'basicauth') {
      const config = report.read(path, basicAuthSchema);
      const { htpasswd, client_auth } = config ?? {};
      if (htpasswd && runs) authenticators.push({ id, kind: 'basic', config: htpasswd });
      if (client_auth && runs) authenticators.push({ id, kind: 'basic_client', config: client_auth });
    } else if (type === 'headers_setter') {
      const config = report.read(path, headersSetterSchema);
      if (config && runs) authenticators.push({ id, kind: 'headers', config });
    } else {
      report.unknown(path, `no extension has the type ${JSON.stringify(type)} yet`, type, [
        'health_check',
        'file_storage',
        'bearertokenauth',
        'basicauth',
        'headers_setter',
      ]);
    }
    if (!runs && parsed.ok) report.warn(path, 'not listed in service.extensions, so it does nothing');
  }
  for (const [index, id] of running.entries()) {
    if (!defined.includes(id)) {
      report.unknown(
        ['service', 'extensions', index],
        `no extension ${JSON.stringify(id)} is configured`,
        id,
        defined,
      );
    }
  }
  return { healthChecks, storageDirectory, authenticators };
}

/** Where the log lives: what `buffer` says, else a folder of our own in what file_storage says, else the default. */
export function logDirectory(
  report: Report,
  buffer: BufferConfig,
  storageDirectory: string | undefined,
  fallback: string,
): string {
  if (storageDirectory === undefined) return buffer.directory ?? fallback;
  if (buffer.directory !== undefined) {
    report.note(`extensions.file_storage: not needed, buffer.directory is ${buffer.directory}`);
    return buffer.directory;
  }
  // A Collector's own files may lie there; a log shares its folder with nobody.
  const directory = `${storageDirectory.replace(/\/+$/, '')}/holdfast`;
  report.note(`extensions.file_storage: became buffer.directory ${directory}, for all exporters at once`);
  return directory;
}
