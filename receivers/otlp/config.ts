// What a user may say about the OTLP receiver: the Collector's keys where it has them.
// Invariant: without a word it listens on 127.0.0.1 alone, on the ports that OTLP assigns.

import { z } from 'zod';
import { formatAddress } from '../../config/endpoint.ts';
import { durationMs, listenAddress, section, sectionOf, sizeBytes } from '../../config/fields.ts';
import { serverTlsSchema } from '../../config/tls.ts';

const MIB = 2 ** 20;
/** Larger messages cannot be stored as one entry, nor would any backend take them. */
const BODY_MIB_MAX = 1024;

const urlPath = () =>
  z.string().regex(/^\/[^\s?#]*$/, 'a path that begins with / and has no query, such as /v1/traces');

/** Connections beyond it are closed as they come. */
const maxConnections = () => z.number().int().min(1).max(100_000).default(1000);

/** Permissions of a unix socket, in octal digits: who may connect. */
const socketMode = () =>
  z
    .string()
    .regex(/^0?[0-7]{3}$/, 'octal permissions such as "0660"')
    .default('0600');

/** What both protocols say about where they listen and who may come. */
const door = {
  /** The Collector's key. Without it the address says which it is; `unix` lets the address be a bare path. */
  transport: z.enum(['tcp', 'tcp4', 'tcp6', 'unix']).optional(),
  socket_mode: socketMode(),
  max_connections: maxConnections(),
  tls: sectionOf(serverTlsSchema).optional(),
  /** The id of the extension that says who may come: `bearertokenauth`, `basicauth/edge`. */
  auth: section({ authenticator: z.string().min(1) }).optional(),
};

const cors = section({
  /** With one `*` at most in each. */
  allowed_origins: z.array(z.string().regex(/^[^*]+$|^[^*]*\*[^*]*$/, 'one * at most')).default([]),
  /** Beyond those that every browser may send; `*` is all. */
  allowed_headers: z.array(z.string().min(1)).default([]),
  /** How long a browser remembers the answer, seconds; 0: as it likes. */
  max_age: z.number().int().min(0).default(0),
});

/** The Collector writes `transport: unix, endpoint: /run/otlp.sock`. */
function withTransport<Output>(schema: z.ZodType<Output>): z.ZodType<Output, unknown> {
  return sectionOf(
    z.preprocess((value) => {
      const { transport, endpoint } = (value ?? {}) as { transport?: unknown; endpoint?: unknown };
      const bare = transport === 'unix' && typeof endpoint === 'string' && !endpoint.startsWith('unix:');
      return bare ? { ...(value as object), endpoint: `unix:${endpoint}` } : value;
    }, schema),
  );
}

/** gRPC's own limits on connections, under the Collector's keys. 0 is for ever. */
const keepalive = section({
  server_parameters: section({
    max_connection_idle: durationMs().default(0),
    max_connection_age: durationMs().default(0),
    max_connection_age_grace: durationMs().default(0),
    /** Silence until a client is asked whether it is still there; two hours are gRPC's default and long for a half-open connection. */
    time: durationMs({ min: 1000 }).prefault('2m'),
    timeout: durationMs({ min: 100 }).prefault('20s'),
  }).prefault({}),
  enforcement_policy: section({
    min_time: durationMs().prefault('5m'),
    permit_without_stream: z.boolean().default(false),
  }).prefault({}),
});

const grpc = withTransport(
  section({
    endpoint: listenAddress().prefault('127.0.0.1:4317'),
    ...door,
    /** A message may have this many MiB, before and after decompression. */
    max_recv_msg_size_mib: z.number().int().min(1).max(BODY_MIB_MAX).default(64),
    /** Calls under way on one connection. */
    max_concurrent_streams: z.number().int().min(1).max(10_000).default(100),
    /** A message must have come by then. */
    read_timeout: durationMs({ min: 100 }).prefault('60s'),
    keepalive: keepalive.prefault({}),
  }),
);

const http = withTransport(
  section({
    endpoint: listenAddress().prefault('127.0.0.1:4318'),
    ...door,
    /** A body may have this many bytes, before and after decompression. */
    max_request_body_size: sizeBytes({ min: 1024, max: BODY_MIB_MAX * MIB }).prefault('64MiB'),
    traces_url_path: urlPath().default('/v1/traces'),
    metrics_url_path: urlPath().default('/v1/metrics'),
    logs_url_path: urlPath().default('/v1/logs'),
    /** Browsers of which pages may send; unset: of none. */
    cors: cors.optional(),
    /** All headers must have come by then. */
    read_header_timeout: durationMs({ min: 100 }).prefault('10s'),
    /** Headers and body must have come by then. */
    read_timeout: durationMs({ min: 100 }).prefault('60s'),
    /** A connection without a request is closed after it. */
    idle_timeout: durationMs({ min: 100 }).prefault('65s'),
  }),
);

/** Which protocols are on: those that are named; both where none is. */
const protocols = sectionOf(
  z.preprocess(
    (value) => (isEmpty(value) ? { grpc: {}, http: {} } : value),
    z.strictObject({ grpc: grpc.optional(), http: http.optional() }).superRefine(checkTogether),
  ),
);

function checkTogether(
  protocols: { grpc?: z.output<typeof grpc> | undefined; http?: z.output<typeof http> | undefined },
  context: z.core.$RefinementCtx,
): void {
  if (!protocols.http) return;
  const {
    traces_url_path: traces,
    metrics_url_path: metrics,
    logs_url_path: logs,
    endpoint,
  } = protocols.http;
  const twice = new Set([traces, metrics, logs]).size < 3;
  if (twice) context.addIssue({ code: 'custom', path: ['http'], message: 'two signals have the same path' });
  const taken = protocols.grpc && formatAddress(protocols.grpc.endpoint) === formatAddress(endpoint);
  if (taken && !(endpoint.kind === 'tcp' && endpoint.port === 0)) {
    context.addIssue({ code: 'custom', path: ['http', 'endpoint'], message: 'grpc has the same endpoint' });
  }
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

export const otlpReceiverSchema = section({ protocols: protocols.prefault({}) });

export type OtlpReceiverConfig = z.output<typeof otlpReceiverSchema>;
export type GrpcConfig = z.output<typeof grpc>;
export type CorsConfig = z.output<typeof cors>;
export type HttpConfig = z.output<typeof http>;
