// Telemetry in which every field that OTLP has is used at least once. Invariant: each item of each mark is unlike every other.

import { type Signal, signals } from '../../otlp/signal.ts';
import { encode, requestType } from '../otlp/proto/types.ts';
import type { Request } from './items.ts';

const NS_PER_MS = 1_000_000n;
/** One time for all of a run: backends refuse samples that are old. */
const begun_ns = BigInt(Date.now()) * NS_PER_MS;

/** All signals, `count` requests of each. @param mark a word that all items carry */
export function everySignal(mark: string, count: number): Request[] {
  return signals.flatMap((signal) =>
    Array.from({ length: count }, (_, index) => requestOf(signal, mark, index)),
  );
}

export function requestOf(signal: Signal, mark: string, index: number): Request {
  return { signal, body: encode(requestType[signal], messages[signal](mark, index)) };
}

const messages: Readonly<Record<Signal, (mark: string, index: number) => object>> = {
  traces: (mark, index) => ({
    resourceSpans: [
      {
        resource: resource(mark, index),
        scopeSpans: [{ scope: scope(mark), spans: [0, 1, 2].map((nth) => span(mark, index, nth)) }],
        schemaUrl: 'https://opentelemetry.io/schemas/1.27.0',
      },
    ],
  }),
  metrics: (mark, index) => ({
    resourceMetrics: [
      {
        resource: resource(mark, index),
        scopeMetrics: [{ scope: scope(mark), metrics: metrics(mark, index) }],
      },
    ],
  }),
  logs: (mark, index) => ({
    resourceLogs: [
      {
        resource: resource(mark, index),
        scopeLogs: [
          {
            scope: scope(mark),
            logRecords: [0, 1, 2].map((nth) => record(mark, index, nth)),
            schemaUrl: 'https://opentelemetry.io/schemas/1.27.0',
          },
        ],
      },
    ],
  }),
};

function resource(mark: string, index: number): object {
  return {
    attributes: [
      text('service.name', `shop-${mark}`),
      text('service.instance.id', `${mark}-${index}`),
      { key: 'host.cores', value: { intValue: '9007199254740993' } },
    ],
    droppedAttributesCount: 1,
  };
}

function scope(mark: string): object {
  return {
    name: `till-${mark}`,
    version: '1.2.3',
    attributes: [text('scope.kind', 'library')],
    droppedAttributesCount: 2,
  };
}

function span(mark: string, index: number, nth: number): object {
  const start_ns = begun_ns + BigInt(index);
  return {
    traceId: Buffer.from(`${mark}-trace-${index}`.padEnd(16, '.').slice(-16)),
    spanId: Buffer.from(`s${index}.${nth}`.padEnd(8, '.').slice(-8)),
    parentSpanId: nth === 0 ? Buffer.alloc(0) : Buffer.from(`s${index}.0`.padEnd(8, '.').slice(-8)),
    traceState: 'shop=1,till=2',
    flags: 0x101,
    name: `pay ${mark} ${index} ${nth}: größer 買い物 🛒`,
    kind: 1 + nth,
    startTimeUnixNano: String(start_ns),
    endTimeUnixNano: String(start_ns + 1_234_567n),
    attributes: everyKind(),
    droppedAttributesCount: 3,
    events: [
      { timeUnixNano: String(start_ns + 5n), name: 'authorised', attributes: [text('terminal', 'T7')] },
    ],
    droppedEventsCount: 4,
    links: [
      {
        traceId: Buffer.alloc(16, 7),
        spanId: Buffer.alloc(8, 9),
        traceState: 'a=b',
        attributes: [text('why', 'batch')],
        droppedAttributesCount: 1,
        flags: 0x100,
      },
    ],
    droppedLinksCount: 5,
    status: nth === 2 ? { code: 2, message: 'no money' } : { code: nth },
  };
}

function metrics(mark: string, index: number): object[] {
  const times = {
    startTimeUnixNano: String(begun_ns - 60_000n * NS_PER_MS),
    timeUnixNano: String(begun_ns + BigInt(index)),
  };
  const attributes = [text('shelf', `${mark}-${index}`)];
  const exemplars = [
    {
      timeUnixNano: times.timeUnixNano,
      asDouble: 17.25,
      spanId: Buffer.alloc(8, 3),
      traceId: Buffer.alloc(16, 4),
      filteredAttributes: [text('till', 'two')],
    },
  ];
  const histogram = {
    count: 6,
    sum: 100.5,
    min: 1,
    max: 80,
    bucketCounts: [1, 2, 3],
    explicitBounds: [5, 50],
  };
  return [
    {
      name: `temperature_${mark}`,
      unit: 'Cel',
      description: 'of the shelf',
      gauge: { dataPoints: [{ ...times, attributes, asDouble: 20.5 + index, exemplars, flags: 0 }] },
    },
    {
      name: `sold_${mark}`,
      unit: '{item}',
      sum: {
        dataPoints: [{ ...times, attributes, asInt: String(42 + index) }],
        aggregationTemporality: 2,
        isMonotonic: true,
      },
    },
    {
      name: `scan_time_${mark}`,
      unit: 'ms',
      histogram: {
        dataPoints: [{ ...times, attributes, ...histogram, exemplars }],
        aggregationTemporality: 2,
      },
    },
    {
      name: `weight_${mark}`,
      unit: 'g',
      exponentialHistogram: {
        dataPoints: [
          {
            ...times,
            attributes,
            count: 10,
            sum: 99.5,
            scale: 3,
            zeroCount: 1,
            zeroThreshold: 0.001,
            min: 0,
            max: 40,
            positive: { offset: 2, bucketCounts: [1, 2, 3] },
            negative: { offset: -1, bucketCounts: [1, 2] },
          },
        ],
        aggregationTemporality: 2,
      },
    },
    {
      name: `wait_${mark}`,
      summary: {
        dataPoints: [
          { ...times, attributes, count: 3, sum: 1.5, quantileValues: [{ quantile: 0.5, value: 0.25 }] },
        ],
      },
    },
  ];
}

function record(mark: string, index: number, nth: number): object {
  const time_ns = begun_ns + BigInt(1000 * index + nth);
  const structured = {
    kvlistValue: { values: [text('mark', mark), { key: 'nth', value: { intValue: nth } }] },
  };
  return {
    timeUnixNano: String(time_ns),
    observedTimeUnixNano: String(time_ns + 1n),
    severityNumber: 9 + 4 * nth,
    severityText: ['INFO', 'WARN', 'ERROR'][nth],
    body: nth === 1 ? structured : { stringValue: `opened ${mark} ${index} ${nth}: größer 買い物 🛒` },
    attributes: everyKind(),
    droppedAttributesCount: 6,
    flags: 1,
    traceId: Buffer.alloc(16, 1 + nth),
    spanId: Buffer.alloc(8, 1 + nth),
    eventName: `door.opened.${nth}`,
  };
}

function everyKind(): object[] {
  return [
    text('text', 'größer 買い物 🛒'),
    { key: 'yes', value: { boolValue: true } },
    { key: 'beyond 2^53', value: { intValue: '-9007199254740993' } },
    { key: 'fraction', value: { doubleValue: 0.1 } },
    { key: 'bytes', value: { bytesValue: Buffer.from([0, 1, 254, 255]) } },
    { key: 'list', value: { arrayValue: { values: [{ stringValue: 'bread' }, { intValue: 3 }] } } },
    { key: 'map', value: { kvlistValue: { values: [text('inner', 'milk')] } } },
  ];
}

function text(key: string, value: string): { key: string; value: { stringValue: string } } {
  return { key, value: { stringValue: value } };
}
