// The real OpenTelemetry JS SDK sends the three signals over HTTP and gRPC; what the backend decodes is what was sent.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SeverityNumber } from '@opentelemetry/api-logs';
import { OTLPLogExporter as GrpcLogs } from '@opentelemetry/exporter-logs-otlp-grpc';
import { OTLPLogExporter as HttpLogs } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter as GrpcMetrics } from '@opentelemetry/exporter-metrics-otlp-grpc';
import { OTLPMetricExporter as HttpMetrics } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter as GrpcTraces } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as HttpTraces } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { LoggerProvider, type LogRecordExporter, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import {
  MeterProvider,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, SimpleSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { Signal } from '../../otlp/signal.ts';
import { requestType } from '../otlp/proto/types.ts';
import { AgentProcess } from './agent_process.ts';
import { Backend } from './backend.ts';
import { configuration } from './configuration.ts';
import { removeDirectory, temporaryDirectory } from './temporary.ts';

let directory: string;
let backend: Backend;
let agent: AgentProcess;

beforeAll(async () => {
  directory = temporaryDirectory();
  backend = await Backend.start();
  agent = await AgentProcess.start(
    directory,
    configuration({ directory, backends: { otlp_http: backend.url } }),
  );
});

afterAll(async () => {
  await agent.stop();
  await backend.stop();
  removeDirectory(directory);
});

/** What the backend has of a signal, decoded, once it contains `marker`. */
async function arrived(signal: Signal, marker: string): Promise<string> {
  const mine = (): Backend['received'] =>
    backend.received.filter((each) => each.signal === signal && each.body.includes(marker));
  await backend.until(() => mine().length > 0);
  const type = requestType[signal];
  return JSON.stringify(
    mine().map(({ body }) => type.toObject(type.decode(body), { longs: String, bytes: String })),
  );
}

interface Exporters {
  readonly traces: () => SpanExporter;
  readonly metrics: () => PushMetricExporter;
  readonly logs: () => LogRecordExporter;
}

const protocols: Record<string, Exporters> = {
  http: {
    traces: () => new HttpTraces({ url: `${agent.endpoint('http')}/v1/traces` }),
    metrics: () => new HttpMetrics({ url: `${agent.endpoint('http')}/v1/metrics` }),
    logs: () => new HttpLogs({ url: `${agent.endpoint('http')}/v1/logs` }),
  },
  grpc: {
    traces: () => new GrpcTraces({ url: `http://${agent.endpoint('grpc')}` }),
    metrics: () => new GrpcMetrics({ url: `http://${agent.endpoint('grpc')}` }),
    logs: () => new GrpcLogs({ url: `http://${agent.endpoint('grpc')}` }),
  },
};

describe.each(Object.keys(protocols))('over %s', (protocol) => {
  const exporters = protocols[protocol]!;
  const resource = resourceFromAttributes({ 'service.name': `shop-${protocol}` });

  test('traces arrive as they were sent', async () => {
    const provider = new BasicTracerProvider({
      resource,
      spanProcessors: [new SimpleSpanProcessor(exporters.traces())],
    });
    const span = provider.getTracer('till', '1.2').startSpan(`pay-${protocol}`, {
      attributes: { 'order.id': 4711, 'order.total': 12.5, paid: true, items: ['bread', 'milk'] },
    });
    span.addEvent('authorised', { terminal: 'T7' });
    span.end();
    await provider.forceFlush();
    const text = await arrived('traces', `pay-${protocol}`);
    const { traceId, spanId } = span.spanContext();
    for (const id of [traceId, spanId]) expect(text).toContain(Buffer.from(id, 'hex').toString('base64'));
    for (const part of [`shop-${protocol}`, 'till', '4711', '12.5', 'bread', 'milk', 'authorised', 'T7']) {
      expect(text).toContain(part);
    }
    await provider.shutdown();
  });

  test('metrics arrive as they were sent', async () => {
    const exporter = exporters.metrics();
    const provider = new MeterProvider({
      resource,
      readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })],
    });
    const meter = provider.getMeter('stock');
    meter.createCounter(`sold-${protocol}`, { unit: '{item}' }).add(42, { shelf: 'A' });
    meter.createHistogram(`scan-time-${protocol}`, { unit: 'ms' }).record(17);
    await provider.forceFlush();
    const text = await arrived('metrics', `sold-${protocol}`);
    for (const part of [`"asInt":"42"`, 'shelf', `scan-time-${protocol}`, '"sum":17', '{item}']) {
      expect(text.replace('"asDouble":42', '"asInt":"42"')).toContain(part);
    }
    await provider.shutdown();
  });

  test('logs arrive as they were sent', async () => {
    const provider = new LoggerProvider({
      resource,
      processors: [new SimpleLogRecordProcessor({ exporter: exporters.logs() })],
    });
    provider.getLogger('door').emit({
      body: `opened-${protocol}`,
      severityNumber: SeverityNumber.WARN,
      severityText: 'WARN',
      attributes: { 'door.id': 3 },
    });
    await provider.forceFlush();
    const text = await arrived('logs', `opened-${protocol}`);
    for (const part of [`shop-${protocol}`, '"severityNumber":13', 'door.id']) expect(text).toContain(part);
    await provider.shutdown();
  });
});
