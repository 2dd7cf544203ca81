// A request as text for people, everything that it says: the layout of the Collector's debug exporter at `detailed`.
// Invariant: nothing that the tables of schema.ts know is left out, and what stands in a request never breaks the layout.

import type { JsonObject, JsonValue } from '../json/from_protobuf.ts';
import type { Signal } from '../signal.ts';
import { oneLine, severityName } from './lines.ts';
import { itemsOf, objectOf, objectsOf, plainValue, textOf, timeText } from './shape.ts';

const titles: Readonly<Record<Signal, readonly [resource: string, scope: string]>> = {
  traces: ['ResourceSpans', 'ScopeSpans'],
  metrics: ['ResourceMetrics', 'ScopeMetrics'],
  logs: ['ResourceLog', 'ScopeLogs'],
};

/** @throws MalformedOtlp */
export function requestToDetails(signal: Signal, bytes: Uint8Array): string[] {
  const out: string[] = [];
  const [resourceTitle, scopeTitle] = titles[signal];
  for (const [index, { resource, schemaUrl, scopes }] of itemsOf(signal, bytes).entries()) {
    out.push(`${resourceTitle} #${index}`, `Resource SchemaURL: ${oneLine(schemaUrl)}`);
    addAttributes(out, 'Resource attributes', resource);
    for (const [scopeIndex, { scope, schemaUrl: scopeUrl, items }] of scopes.entries()) {
      out.push(`${scopeTitle} #${scopeIndex}`, `${scopeTitle} SchemaURL: ${oneLine(scopeUrl)}`);
      out.push(oneLine(`InstrumentationScope ${textOf(scope['name'])} ${textOf(scope['version'])}`));
      addAttributes(out, 'InstrumentationScope attributes', scope);
      for (const [itemIndex, item] of items.entries()) addItem[signal](out, itemIndex, item);
    }
  }
  return out;
}

const addItem: Readonly<Record<Signal, (out: string[], index: number, item: JsonObject) => void>> = {
  traces: addSpan,
  metrics: addMetric,
  logs: addRecord,
};

function addRecord(out: string[], index: number, record: JsonObject): void {
  const severity = Number(record['severityNumber'] ?? 0);
  out.push(
    `LogRecord #${index}`,
    `ObservedTimestamp: ${timeText(record['observedTimeUnixNano'])}`,
    `Timestamp: ${timeText(record['timeUnixNano'])}`,
    `SeverityText: ${oneLine(textOf(record['severityText']))}`,
    `SeverityNumber: ${severityName(severity)}(${severity})`,
  );
  if (record['eventName'] !== undefined) out.push(`EventName: ${oneLine(textOf(record['eventName']))}`);
  out.push(`Body: ${typed(record['body'])}`);
  addAttributes(out, 'Attributes', record);
  out.push(
    `Trace ID: ${textOf(record['traceId'])}`,
    `Span ID: ${textOf(record['spanId'])}`,
    `Flags: ${textOf(record['flags']) || 0}`,
  );
}

const spanKinds = ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'];
const statusCodes = ['Unset', 'Ok', 'Error'];

function addSpan(out: string[], index: number, span: JsonObject): void {
  const { code, message } = objectOf(span['status']);
  const rows: [string, string][] = [
    ['Trace ID', textOf(span['traceId'])],
    ['Parent ID', textOf(span['parentSpanId'])],
    ['ID', textOf(span['spanId'])],
    ['Name', textOf(span['name'])],
    ['Kind', spanKinds[Number(span['kind'] ?? 0)] ?? textOf(span['kind'])],
    ['TraceState', textOf(span['traceState'])],
    ['Start time', timeText(span['startTimeUnixNano'])],
    ['End time', timeText(span['endTimeUnixNano'])],
    ['Status code', statusCodes[Number(code ?? 0)] ?? textOf(code)],
    ['Status message', textOf(message)],
  ];
  out.push(`Span #${index}`);
  for (const [label, value] of rows) out.push(`    ${label.padEnd(14)} : ${oneLine(value)}`);
  addAttributes(out, 'Attributes', span);
  for (const [at, event] of objectsOf(span['events']).entries()) {
    if (at === 0) out.push('Events:');
    out.push(`SpanEvent #${at}`, `     -> Name: ${oneLine(textOf(event['name']))}`);
    out.push(`     -> Timestamp: ${timeText(event['timeUnixNano'])}`);
    addAttributes(out, '     -> Attributes', event, '          ');
  }
  for (const [at, link] of objectsOf(span['links']).entries()) {
    if (at === 0) out.push('Links:');
    out.push(`SpanLink #${at}`, `     -> Trace ID: ${textOf(link['traceId'])}`);
    out.push(
      `     -> ID: ${textOf(link['spanId'])}`,
      `     -> TraceState: ${oneLine(textOf(link['traceState']))}`,
    );
    addAttributes(out, '     -> Attributes', link, '          ');
  }
}

const dataTypes = {
  gauge: ['Gauge', 'NumberDataPoints'],
  sum: ['Sum', 'NumberDataPoints'],
  histogram: ['Histogram', 'HistogramDataPoints'],
  exponentialHistogram: ['ExponentialHistogram', 'ExponentialHistogramDataPoints'],
  summary: ['Summary', 'SummaryDataPoints'],
} as const;
const temporalities = ['Unspecified', 'Delta', 'Cumulative'];

function addMetric(out: string[], index: number, metric: JsonObject): void {
  const kind = (Object.keys(dataTypes) as (keyof typeof dataTypes)[]).find(
    (each) => metric[each] !== undefined,
  );
  const [type, points] = kind ? dataTypes[kind] : ['Empty', ''];
  const data = kind ? objectOf(metric[kind]) : {};
  out.push(`Metric #${index}`, 'Descriptor:', `     -> Name: ${oneLine(textOf(metric['name']))}`);
  out.push(`     -> Description: ${oneLine(textOf(metric['description']))}`);
  out.push(`     -> Unit: ${oneLine(textOf(metric['unit']))}`, `     -> DataType: ${type}`);
  if (kind === 'sum') out.push(`     -> IsMonotonic: ${data['isMonotonic'] === true}`);
  const temporality = data['aggregationTemporality'];
  if (temporality !== undefined) {
    out.push(`     -> AggregationTemporality: ${temporalities[Number(temporality)] ?? textOf(temporality)}`);
  }
  for (const [at, point] of objectsOf(data['dataPoints']).entries()) {
    out.push(`${points} #${at}`);
    addAttributes(out, 'Data point attributes', point);
    addPoint(out, point);
  }
}

/** What a point says beyond its attributes and times, in the order in which it is shown. */
const pointFields: readonly [key: string, label: string][] = [
  ['asInt', 'Value'],
  ['asDouble', 'Value'],
  ['count', 'Count'],
  ['sum', 'Sum'],
  ['min', 'Min'],
  ['max', 'Max'],
  ['scale', 'Scale'],
  ['zeroCount', 'ZeroCount'],
  ['zeroThreshold', 'ZeroThreshold'],
  ['flags', 'Flags'],
];

function addPoint(out: string[], point: JsonObject): void {
  out.push(`StartTimestamp: ${timeText(point['startTimeUnixNano'])}`);
  out.push(`Timestamp: ${timeText(point['timeUnixNano'])}`);
  for (const [key, label] of pointFields) {
    if (point[key] !== undefined) out.push(`${label}: ${textOf(point[key])}`);
  }
  addList(out, 'ExplicitBounds', point['explicitBounds']);
  addList(out, 'Buckets', point['bucketCounts']);
  for (const [at, { quantile, value }] of objectsOf(point['quantileValues']).entries()) {
    out.push(`QuantileValue #${at}: Quantile ${textOf(quantile) || 0}, Value ${textOf(value) || 0}`);
  }
  for (const side of ['positive', 'negative']) {
    const { offset, bucketCounts } = objectOf(point[side]);
    if (bucketCounts !== undefined)
      addList(out, `${side} buckets from ${textOf(offset) || 0}, Count`, bucketCounts);
  }
  for (const [at, exemplar] of objectsOf(point['exemplars']).entries()) {
    out.push(`Exemplar #${at}`, `     -> Timestamp: ${timeText(exemplar['timeUnixNano'])}`);
    out.push(`     -> Value: ${textOf(exemplar['asInt'] ?? exemplar['asDouble'])}`);
    out.push(
      `     -> Trace ID: ${textOf(exemplar['traceId'])}`,
      `     -> Span ID: ${textOf(exemplar['spanId'])}`,
    );
  }
}

function addList(out: string[], label: string, values: JsonValue | undefined): void {
  for (const [index, value] of ((values ?? []) as JsonValue[]).entries())
    out.push(`${label} #${index}: ${textOf(value)}`);
}

function addAttributes(out: string[], title: string, holder: JsonObject, indent = '     '): void {
  const attributes = objectsOf(holder['attributes']);
  if (attributes.length === 0) return;
  out.push(`${title}:`);
  for (const { key, value } of attributes) out.push(`${indent}-> ${oneLine(textOf(key))}: ${typed(value)}`);
  const dropped = textOf(holder['droppedAttributesCount']);
  if (dropped !== '') out.push(`${indent}-> (${dropped} dropped)`);
}

const typeNames: Readonly<Record<string, string>> = {
  stringValue: 'Str',
  boolValue: 'Bool',
  intValue: 'Int',
  doubleValue: 'Double',
  arrayValue: 'Slice',
  kvlistValue: 'Map',
  bytesValue: 'Bytes',
};

/** `Str(text)`, `Int(5)`, `Map({"a":1})`, `Empty()`. */
function typed(value: JsonValue | undefined): string {
  const any = objectOf(value);
  const [kind] = Object.keys(any);
  if (kind === undefined) return 'Empty()';
  const held = plainValue(any);
  return `${typeNames[kind]}(${oneLine(typeof held === 'object' ? JSON.stringify(held) : String(held))})`;
}
