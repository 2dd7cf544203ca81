import { expect, test } from '@jest/globals';
import { JsonTranscoder } from '../../../otlp/json/to_protobuf.ts';
import type { Signal } from '../../../otlp/signal.ts';
import { requestToDetails } from '../../../otlp/text/details.ts';

const transcoder = new JsonTranscoder(2 ** 20);

function details(signal: Signal, request: object): string {
  return requestToDetails(signal, transcoder.transcode(signal, Buffer.from(JSON.stringify(request)))).join(
    '\n',
  );
}

const attributes = [{ key: 'service.name', value: { stringValue: 'shop' } }];
const scope = { name: 'lib', version: '1.2' };

test('a log record is shown as the Collector shows it', () => {
  const record = {
    timeUnixNano: '1795247090123456789',
    severityNumber: 9,
    severityText: 'Info',
    body: { stringValue: 'two\nlines' },
    attributes: [
      { key: 'n', value: { intValue: '5' } },
      { key: 'none', value: {} },
    ],
  };
  const scopeLogs = [{ scope, logRecords: [record] }];
  expect(details('logs', { resourceLogs: [{ resource: { attributes }, scopeLogs }] })).toBe(`ResourceLog #0
Resource SchemaURL: 
Resource attributes:
     -> service.name: Str(shop)
ScopeLogs #0
ScopeLogs SchemaURL: 
InstrumentationScope lib 1.2
LogRecord #0
ObservedTimestamp: 
Timestamp: 2026-11-21T07:44:50.123456789Z
SeverityText: Info
SeverityNumber: INFO(9)
Body: Str(two\\nlines)
Attributes:
     -> n: Int(5)
     -> none: Empty()
Trace ID: 
Span ID: 
Flags: 0`);
});

test('a span is shown with its events and links', () => {
  const span = {
    traceId: '01'.repeat(16),
    spanId: '02'.repeat(8),
    name: 'GET /',
    kind: 2,
    events: [{ name: 'retry', attributes }],
    links: [{ traceId: '03'.repeat(16), spanId: '04'.repeat(8) }],
  };
  const text = details('traces', { resourceSpans: [{ scopeSpans: [{ scope, spans: [span] }] }] });
  for (const line of [
    '    Trace ID       : 01010101010101010101010101010101',
    '    Kind           : Server',
    '    Status code    : Unset',
    'SpanEvent #0',
    '     -> Name: retry',
    '          -> service.name: Str(shop)',
    'SpanLink #0',
    '     -> ID: 0404040404040404',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
});

test('points of every kind are shown with their values', () => {
  const metrics = [
    {
      name: 'sum',
      unit: 'By',
      sum: { isMonotonic: true, aggregationTemporality: 2, dataPoints: [{ asInt: '7', attributes }] },
    },
    {
      name: 'exp',
      exponentialHistogram: {
        dataPoints: [{ count: '3', scale: 1, positive: { offset: 2, bucketCounts: ['1', '2'] } }],
      },
    },
    { name: 'old', summary: { dataPoints: [{ quantileValues: [{ quantile: 0.9, value: 4 }] }] } },
  ];
  const lines = details('metrics', { resourceMetrics: [{ scopeMetrics: [{ metrics }] }] }).split('\n');
  for (const line of [
    '     -> DataType: Sum',
    '     -> IsMonotonic: true',
    '     -> AggregationTemporality: Cumulative',
    'NumberDataPoints #0',
    'Value: 7',
    'ExponentialHistogramDataPoints #0',
    'positive buckets from 2, Count #1: 2',
    'QuantileValue #0: Quantile 0.9, Value 4',
  ]) {
    expect(lines).toContain(line);
  }
});
