// The OpenTelemetry SDK for JavaScript in front of Holdfast: what its exporters were given, turned into protobuf by its own
// serialisers, is what the backend has to get.

import { SeverityNumber } from '@opentelemetry/api-logs';
import { OTLPLogExporter as GrpcLogs } from '@opentelemetry/exporter-logs-otlp-grpc';
import { OTLPLogExporter as HttpLogs } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter as GrpcMetrics } from '@opentelemetry/exporter-metrics-otlp-grpc';
import { OTLPMetricExporter as HttpMetrics } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter as GrpcTraces } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as HttpTraces } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider, type LogRecordExporter } from '@opentelemetry/sdk-logs';
import {
  MeterProvider,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { Signal } from '../../../otlp/signal.ts';
import type { Request } from '../items.ts';
import type { Held, Peer } from '../peer.ts';

const ITEMS = 200;

interface Exporters {
  readonly traces: SpanExporter;
  readonly metrics: PushMetricExporter;
  readonly logs: LogRecordExporter;
}

type Done = Parameters<SpanExporter['export']>[1];
interface Exports<Given> {
  export(given: Given, done: Done): void;
}

/** From now on what `exporter` is given goes to `sent` too, as `serialize` puts it. */
function record<Given>(
  exporter: Exports<Given>,
  signal: Signal,
  serialize: (given: Given) => Uint8Array | undefined,
  sent: Request[],
): void {
  const send = exporter.export.bind(exporter);
  exporter.export = (given, done) => {
    const body = serialize(given);
    if (body) sent.push({ signal, body });
    send(given, done);
  };
}

async function emit(mark: string, { traces, metrics, logs }: Exporters): Promise<Request[]> {
  const sent: Request[] = [];
  record(traces, 'traces', (spans) => ProtobufTraceSerializer.serializeRequest(spans), sent);
  record(metrics, 'metrics', (found) => ProtobufMetricsSerializer.serializeRequest(found), sent);
  record(logs, 'logs', (records) => ProtobufLogsSerializer.serializeRequest(records), sent);
  const resource = resourceFromAttributes({ 'service.name': mark, 'host.cores': 2 });
  const tracing = new BasicTracerProvider({
    resource,
    spanProcessors: [new BatchSpanProcessor(traces)],
  });
  const tracer = tracing.getTracer('till', '1.2');
  for (let index = 0; index < ITEMS; index += 1) {
    const span = tracer.startSpan(`pay ${mark} ${index}`, {
      attributes: { 'order.id': index, 'order.total': 12.5, paid: true, items: ['bread', 'milk'] },
    });
    span.addEvent('authorised', { terminal: 'T7' });
    span.setStatus({ code: index % 3, message: index % 3 === 2 ? 'no money' : '' });
    span.end();
  }
  await tracing.forceFlush();
  const reader = new PeriodicExportingMetricReader({
    exporter: metrics,
    exportIntervalMillis: 3_600_000,
  });
  const metering = new MeterProvider({ resource, readers: [reader] });
  const meter = metering.getMeter('stock');
  const sold = meter.createCounter(`sold ${mark}`, { unit: '{item}' });
  const time = meter.createHistogram(`scan time ${mark}`, { unit: 'ms' });
  const level = meter.createUpDownCounter(`level ${mark}`);
  for (let index = 0; index < ITEMS; index += 1) {
    sold.add(index, { shelf: `A${index % 5}` });
    time.record(index);
    level.add(-index / 2);
  }
  await metering.forceFlush();
  const logging = new LoggerProvider({
    resource,
    processors: [new BatchLogRecordProcessor({ exporter: logs })],
  });
  const logger = logging.getLogger('door');
  for (let index = 0; index < ITEMS; index += 1) {
    logger.emit({
      body: index % 2 === 0 ? `opened ${mark} ${index}` : { mark, index },
      severityNumber: SeverityNumber.WARN,
      severityText: 'WARN',
      attributes: { 'door.id': index },
    });
  }
  await logging.forceFlush();
  await Promise.all([tracing.shutdown(), metering.shutdown(), logging.shutdown()]);
  return sent;
}

export const sdkJavaScript: Peer = {
  name: 'sdk-javascript',
  summary: 'the OpenTelemetry SDK for JavaScript, in front',
  missing: () => undefined,
  async run(stage) {
    const agent = await stage.simpleAgent();
    const http = agent.endpoint('http');
    const grpc = { url: `http://${agent.endpoint('grpc')}` };
    // The SDK has the enumeration in a package that none of ours depends on.
    const gzip = { compression: 'gzip' as never };
    const over = (signal: Signal, more: object) => ({ url: `${http}/v1/${signal}`, ...more });
    const httpExporters = (more: object): Exporters => ({
      traces: new HttpTraces(over('traces', more)),
      metrics: new HttpMetrics(over('metrics', more)),
      logs: new HttpLogs(over('logs', more)),
    });
    const grpcExporters = (more: object): Exporters => ({
      traces: new GrpcTraces({ ...grpc, ...more }),
      metrics: new GrpcMetrics({ ...grpc, ...more }),
      logs: new GrpcLogs({ ...grpc, ...more }),
    });
    const held: Held[] = [];
    for (const [way, exporters] of [
      ['http/protobuf', httpExporters({})],
      ['http/protobuf, gzip', httpExporters(gzip)],
      ['grpc', grpcExporters({})],
      ['grpc, gzip', grpcExporters(gzip)],
    ] as const) {
      const mark = `js-${held.length}x`;
      const sent = await emit(mark, exporters);
      held.push({ way, compared: await stage.arrived(way, sent, mark) });
    }
    return held;
  },
};
