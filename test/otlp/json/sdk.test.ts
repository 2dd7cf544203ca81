// The JSON of the OpenTelemetry JS SDK, made by its own encoder, says after transcoding what its protobuf says.

import { describe, expect, it } from '@jest/globals';
import {
  JsonLogsSerializer,
  JsonMetricsSerializer,
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { AggregationType, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { JsonTranscoder } from '../../../otlp/json/to_protobuf.ts';
import type { Signal } from '../../../otlp/signal.ts';
import { walk } from '../../../otlp/walk.ts';
import { requestType } from '../proto/types.ts';

const transcoder = new JsonTranscoder(2 ** 22);
const resource = resourceFromAttributes({
  'service.name': 'till',
  'host.cpus': 4,
  ratio: 0.5,
  tags: ['a', 'b'],
});
const attributes = { text: 'ä"\\/\n😀', count: 4711, share: 12.5, paid: true, items: ['bread', 'milk'] };

class OnDemand extends MetricReader {
  override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }
  override onShutdown(): Promise<void> {
    return Promise.resolve();
  }
}

function meaning(signal: Signal, bytes: Uint8Array): unknown {
  const type = requestType[signal];
  return type.toObject(type.decode(bytes), { longs: String, bytes: String });
}

function expectSame(signal: Signal, items: number, json?: Uint8Array, protobuf?: Uint8Array): void {
  const transcoded = transcoder.transcode(signal, Buffer.from(json!));
  expect(walk(signal, transcoded).items).toBe(items);
  expect(meaning(signal, transcoded)).toEqual(meaning(signal, protobuf!));
}

describe('the JSON of the JS SDK', () => {
  it('holds the same spans as its protobuf', async () => {
    const exporter = new InMemorySpanExporter();
    const provider = new BasicTracerProvider({
      resource,
      spanProcessors: [new SimpleSpanProcessor(exporter)],
    });
    const tracer = provider.getTracer('till', '1.2');
    const first = tracer.startSpan('pay', { attributes, kind: 2 });
    first.addEvent('authorised', { terminal: 'T7' }).setStatus({ code: 2, message: 'no' }).end();
    tracer.startSpan('refund', { links: [{ context: first.spanContext(), attributes }] }).end();
    await provider.forceFlush();
    const spans = exporter.getFinishedSpans();
    expectSame(
      'traces',
      2,
      JsonTraceSerializer.serializeRequest(spans),
      ProtobufTraceSerializer.serializeRequest(spans),
    );
    await provider.shutdown();
  });

  it('holds the same points as its protobuf', async () => {
    const reader = new OnDemand({
      aggregationSelector: (type) =>
        type === 'HISTOGRAM'
          ? { type: AggregationType.EXPONENTIAL_HISTOGRAM }
          : { type: AggregationType.DEFAULT },
    });
    const provider = new MeterProvider({ resource, readers: [reader] });
    const meter = provider.getMeter('stock');
    meter.createCounter('sold', { unit: '{item}', description: 'd' }).add(42, { shelf: 'A' });
    meter.createUpDownCounter('open').add(-2.25);
    meter.createGauge('temperature').record(Number.MIN_VALUE, attributes);
    for (const value of [0, 1, 17, 1e9]) meter.createHistogram('scan').record(value);
    const { resourceMetrics } = await reader.collect();
    const [json, protobuf] = [JsonMetricsSerializer, ProtobufMetricsSerializer].map((each) =>
      each.serializeRequest(resourceMetrics),
    );
    expectSame('metrics', 4, json, protobuf);
    await provider.shutdown();
  });

  it('holds the same log records as its protobuf', async () => {
    const exporter = new InMemoryLogRecordExporter();
    const provider = new LoggerProvider({
      resource,
      processors: [new SimpleLogRecordProcessor({ exporter })],
    });
    const logger = provider.getLogger('door');
    logger.emit({ body: 'opened', severityNumber: 13, severityText: 'WARN', attributes });
    logger.emit({ body: { nested: { list: [1, 'two', null, { deep: true }] } }, eventName: 'door.opened' });
    logger.emit({ body: new Uint8Array([0xfb, 0xff, 0xbe]) });
    await provider.forceFlush();
    const records = exporter.getFinishedLogRecords();
    expectSame(
      'logs',
      3,
      JsonLogsSerializer.serializeRequest(records),
      ProtobufLogsSerializer.serializeRequest(records),
    );
    await provider.shutdown();
  });
});
