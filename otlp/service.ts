// The names of OTLP's three Export services, as they stand in a gRPC path. Source: opentelemetry-proto,
// collector/*/v1/*_service.proto.

import type { Signal } from './signal.ts';

const serviceOf: Readonly<Record<Signal, string>> = {
  traces: 'opentelemetry.proto.collector.trace.v1.TraceService',
  metrics: 'opentelemetry.proto.collector.metrics.v1.MetricsService',
  logs: 'opentelemetry.proto.collector.logs.v1.LogsService',
};

export function exportPathOf(signal: Signal): string {
  return `/${serviceOf[signal]}/Export`;
}
