// What a user may say about an OTLP/HTTP destination, with the Collector's keys. Where a key of the Collector has no
// meaning here it is accepted and listed as such, so that its files run unchanged.

import * as z from 'zod';
import { durationMs, headers, httpUrl, sectionOf, sizeBytes } from '../../config/fields.ts';
import { clientTlsSchema } from '../../config/tls.ts';
import { type Signal, signals } from '../../otlp/signal.ts';
import { drainShape } from '../drain/config.ts';
import { authShape, bodyShape, checkBody, FAILOVERS_MAX } from '../otlp/config.ts';

const shape = {
  /** Base URL; `/v1/traces`, `/v1/metrics` and `/v1/logs` are put behind it. */
  endpoint: httpUrl().optional(),
  /** Base URLs that are asked, in this order, while those before them fail. */
  failover_endpoints: z.array(httpUrl()).max(FAILOVERS_MAX).default([]),
  /** Used as they are. */
  traces_endpoint: httpUrl().optional(),
  metrics_endpoint: httpUrl().optional(),
  logs_endpoint: httpUrl().optional(),
  headers: headers().prefault({}),
  ...authShape,
  ...bodyShape,
  encoding: z.enum(['proto', 'json']).default('proto'),
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
  checkBody(config, context);
  if (config.endpoint === undefined && config.failover_endpoints.length > 0) {
    const message = 'they stand in for `endpoint`, which is missing';
    context.addIssue({ code: 'custom', path: ['failover_endpoints'], message });
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

/** Where a signal goes, best first; none when only other signals have an endpoint. */
export function urlsOf(config: OtlpHttpConfig, signal: Signal): URL[] {
  const own = config[`${signal}_endpoint`];
  if (own !== undefined) return [new URL(own)];
  if (config.endpoint === undefined) return [];
  return [config.endpoint, ...config.failover_endpoints].map((base) => {
    const url = new URL(base);
    // A query stays behind the path.
    url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/${signal}`;
    return url;
  });
}
