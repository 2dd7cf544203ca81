// What a user may say about an OTLP/HTTP destination, with the Collector's keys. Where a key of the Collector has no
// meaning here it is accepted and listed as such, so that its files run unchanged.

import { z } from 'zod';
import { durationMs, headers, httpUrl, section, sectionOf, sizeBytes } from '../../config/fields.ts';
import { clientTlsSchema } from '../../config/tls.ts';
import { type Signal, signals } from '../../otlp/signal.ts';
import { drainShape } from '../drain/config.ts';

const GZIP_LEVEL_DEFAULT = 1;

const shape = {
  /** Base URL; `/v1/traces`, `/v1/metrics` and `/v1/logs` are put behind it. */
  endpoint: httpUrl().optional(),
  /** Used as they are. */
  traces_endpoint: httpUrl().optional(),
  metrics_endpoint: httpUrl().optional(),
  logs_endpoint: httpUrl().optional(),
  headers: headers().prefault({}),
  compression: z.enum(['gzip', 'none', '']).default('gzip'),
  compression_params: section({
    /** 1 costs a third of 6 and sends about a tenth more. */
    level: z.int().min(1).max(9).default(GZIP_LEVEL_DEFAULT),
  }).prefault({}),
  encoding: z.enum(['proto']).default('proto'),
  tls: sectionOf(clientTlsSchema).prefault({}),
  /** An idle connection is closed after this; the destination may ask for less. */
  idle_conn_timeout: durationMs({ min: 1 }).prefault('30s'),
  /** 0 is as many as are needed. */
  max_conns_per_host: z.int().min(0).default(0),
  /** Without a meaning here. */
  max_idle_conns: z.int().optional(),
  max_idle_conns_per_host: z.int().optional(),
  read_buffer_size: sizeBytes().optional(),
  write_buffer_size: sizeBytes().optional(),
  ...drainShape,
};

/** What the body is, and how the connection is kept, is not the user's to say. */
const OURS: ReadonlySet<string> = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const object = z.strictObject(shape).superRefine((config, context) => {
  for (const name of Object.keys(config.headers)) {
    if (!OURS.has(name.toLowerCase())) continue;
    context.addIssue({ code: 'custom', path: ['headers', name], message: 'set by the exporter itself' });
  }
  if (config.endpoint !== undefined) return;
  if (signals.some((signal) => config[`${signal}_endpoint`] !== undefined)) return;
  context.addIssue({
    code: 'custom',
    path: ['endpoint'],
    message: 'missing: where to send to, such as https://host:4318',
  });
});

export const otlpHttpSchema = sectionOf(object);
export type OtlpHttpConfig = Readonly<z.output<typeof object>>;

/** Where a signal goes; undefined when only other signals have an endpoint. */
export function urlOf(config: OtlpHttpConfig, signal: Signal): URL | undefined {
  const own = config[`${signal}_endpoint`];
  if (own !== undefined) return new URL(own);
  if (config.endpoint === undefined) return undefined;
  const url = new URL(config.endpoint);
  // A query stays behind the path.
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/${signal}`;
  return url;
}
