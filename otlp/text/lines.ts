// A request as text for people, one line per item: spans, points and log records. Invariant: an item is one line whatever
// stands in it; line breaks and other control characters are written as escapes.

import type { JsonObject } from '../json/from_protobuf.ts';
import type { Signal } from '../signal.ts';
import { itemsOf, objectOf, objectsOf, textOf, timeText, valueText } from './shape.ts';

/** @throws MalformedOtlp */
export function requestToLines(signal: Signal, bytes: Uint8Array): string[] {
  const lines: string[] = [];
  for (const { resource, scopes } of itemsOf(signal, bytes)) {
    const service = serviceOf(resource);
    for (const { items } of scopes) {
      for (const item of items) lines.push(...linesOf[signal](item, service));
    }
  }
  return lines;
}

const linesOf: Readonly<Record<Signal, (item: JsonObject, service: string) => string[]>> = {
  traces: (span, service) => [spanLine(span, service)],
  metrics: metricLines,
  logs: (record, service) => [recordLine(record, service)],
};

/** Ranges of four: TRACE, TRACE2, … (OpenTelemetry, "Log and Event Record Definition", SeverityNumber). */
const severities = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];
const SEVERITY_MAX = 24;

/** `INFO`, `ERROR3`; `-` where it is not said. */
export function severityName(number: number): string {
  if (number < 1 || number > SEVERITY_MAX) return '-';
  const step = (number - 1) % 4;
  return `${severities[Math.floor((number - 1) / 4)]}${step === 0 ? '' : step + 1}`;
}

function recordLine(record: JsonObject, service: string): string {
  const time = timeText(record['timeUnixNano']) || timeText(record['observedTimeUnixNano']) || '-';
  const severity = textOf(record['severityText']) || severityName(Number(record['severityNumber'] ?? 0));
  const ids = (['traceId', 'spanId'] as const)
    .filter((key) => textOf(record[key]) !== '')
    .map((key) => `${key === 'traceId' ? 'trace_id' : 'span_id'}=${textOf(record[key])}`);
  return joined([
    time,
    oneLine(severity),
    oneLine(service),
    oneLine(valueText(record['body'])),
    ...attributes(record),
    ...ids,
  ]);
}

function spanLine(span: JsonObject, service: string): string {
  const start = BigInt(textOf(span['startTimeUnixNano']) || 0);
  const end = BigInt(textOf(span['endTimeUnixNano']) || 0);
  const took_ms = Number(end - start) / 1e6;
  const { code, message } = objectOf(span['status']);
  const failed = code === 2 ? `ERROR ${oneLine(textOf(message))}` : '';
  return joined([
    timeText(span['startTimeUnixNano']) || '-',
    oneLine(textOf(span['name'])),
    oneLine(service),
    textOf(span['traceId']),
    textOf(span['spanId']),
    end > 0n ? `${took_ms}ms` : '',
    failed,
    ...attributes(span),
  ]);
}

function metricLines(metric: JsonObject): string[] {
  const name = oneLine(textOf(metric['name']));
  const data = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'].map((kind) =>
    objectOf(metric[kind]),
  );
  return data
    .flatMap((each) => objectsOf(each['dataPoints']))
    .map((point) => `${name}{${attributes(point).join(',')}} ${pointText(point)}`);
}

function pointText(point: JsonObject): string {
  if (point['asInt'] !== undefined) return textOf(point['asInt']);
  if (point['asDouble'] !== undefined) return textOf(point['asDouble']);
  const parts = ['count', 'sum', 'min', 'max', 'zeroCount']
    .filter((key) => point[key] !== undefined)
    .map((key) => `${key}=${textOf(point[key])}`);
  const bounds = (point['explicitBounds'] ?? []) as number[];
  const counts = (point['bucketCounts'] ?? []) as string[];
  const buckets = counts.map((count, index) => `le${bounds[index] ?? 'Inf'}=${count}`);
  const quantiles = objectsOf(point['quantileValues']).map(
    ({ quantile, value }) => `q${textOf(quantile) || 0}=${textOf(value) || 0}`,
  );
  return [...parts, ...buckets, ...quantiles].join(' ');
}

function serviceOf(resource: JsonObject): string {
  const found = objectsOf(resource['attributes']).find(({ key }) => key === 'service.name');
  return found ? valueText(found['value']) : '';
}

/** `key=value`, quoted where a space would tear it. */
function attributes(item: JsonObject): string[] {
  return objectsOf(item['attributes']).map(({ key, value }) => {
    const text = oneLine(valueText(value));
    return `${oneLine(textOf(key))}=${/[\s"=]/.test(text) || text === '' ? JSON.stringify(text) : text}`;
  });
}

function joined(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(' ');
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not reach a terminal
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/** Terminals act on control characters, and a line break would make two items of one. */
export function oneLine(text: string): string {
  return text.replace(control, (character) => {
    if (character === '\n') return '\\n';
    if (character === '\t') return '\\t';
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
