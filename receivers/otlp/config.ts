// What a user may say about the OTLP receiver: the Collector's keys where it has them.
// Invariant: without a word it listens on 127.0.0.1 alone, on the ports that OTLP assigns.

import * as z from 'zod';
import { formatAddress } from '../../config/endpoint.ts';
import { durationMs, listenAddress, section, sectionOf } from '../../config/fields.ts';
import { BODY_MIB_MAX, door, httpDoor, urlPath, withTransport } from '../server/config.ts';

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
    ...httpDoor,
    traces_url_path: urlPath().default('/v1/traces'),
    metrics_url_path: urlPath().default('/v1/metrics'),
    logs_url_path: urlPath().default('/v1/logs'),
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
export type HttpConfig = z.output<typeof http>;
