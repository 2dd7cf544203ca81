// Requests in wire format, right ones of every signal, and mutations that know what a field is.

import { tracesRequest } from '../../../bench/load/payload.ts';
import { type Signal, signals } from '../../../otlp/signal.ts';
import { FieldReader, lengthField, textField, varintField } from '../../../otlp/wire.ts';
import { requestType } from '../../otlp/proto/types.ts';
import type { SeededRandom } from '../../sim/random.ts';

const DEPTH_MAX = 8;

/** The first byte chooses the signal, the rest is the request. */
export function signalOf(input: Buffer): Signal {
  return signals[(input[0] ?? 0) % signals.length]!;
}

const attributes = [
  { key: 'service.name', value: { stringValue: 'é' } },
  { key: 'a', value: { arrayValue: { values: [{ intValue: -1 }, { kvlistValue: { values: [] } }] } } },
  { key: 'b', value: { bytesValue: Buffer.from([0, 255]) } },
  { key: 'c', value: { doubleValue: Number.NaN } },
];

function encoded(signal: Signal, message: object): Buffer {
  const type = requestType[signal];
  const bytes = type.encode(type.fromObject(message)).finish();
  return Buffer.concat([Buffer.from([signals.indexOf(signal)]), bytes]);
}

const point = { attributes, asInt: '-9223372036854775808', timeUnixNano: '1', exemplars: [{ asDouble: -0 }] };

export const requestSeeds: readonly Buffer[] = [
  Buffer.concat([Buffer.from([signals.indexOf('traces')]), tracesRequest(1, 2)]),
  encoded('logs', {
    resourceLogs: [
      {
        resource: { attributes, droppedAttributesCount: 7 },
        scopeLogs: [
          {
            scope: { name: 's' },
            logRecords: [{ body: { stringValue: 'x' }, traceId: Buffer.alloc(16, 1) }],
          },
        ],
      },
    ],
  }),
  encoded('metrics', {
    resourceMetrics: [
      {
        scopeMetrics: [
          {
            metrics: [
              { name: 'g', gauge: { dataPoints: [point] } },
              { name: 's', sum: { dataPoints: [point], isMonotonic: true, aggregationTemporality: 2 } },
              {
                name: 'h',
                histogram: { dataPoints: [{ bucketCounts: [1, 2], explicitBounds: [0.5], sum: 1 }] },
              },
              {
                name: 'e',
                exponentialHistogram: {
                  dataPoints: [{ scale: -3, positive: { offset: -1, bucketCounts: [1] } }],
                },
              },
              { name: 'q', summary: { dataPoints: [{ quantileValues: [{ quantile: 0.9, value: 1 }] }] } },
            ],
          },
        ],
      },
    ],
  }),
  Buffer.from([0]),
];

/** Wraps, repeats, retags or pads a field, or makes a length lie. */
export function mutateRequest(input: Buffer, random: SeededRandom): Buffer {
  const head = input.subarray(0, 1);
  const body = input.subarray(1);
  const [start, stop] = someField(body, random);
  const before = body.subarray(0, start);
  const field = body.subarray(start, stop);
  const after = body.subarray(stop);
  const number = random.pick([0, 1, 2, 3, 15, 16, 31, 32, 536_870_911]);
  const changed = random.pick<() => Uint8Array>([
    () => lengthField(number, field),
    () => Buffer.concat([field, field]),
    () => Buffer.concat([field, varintField(number, 2n ** 64n - 1n)]),
    () => Buffer.concat([field, textField(number, '\ud800\0')]),
    () => Buffer.concat([Buffer.from([number * 8 + 3]), field, Buffer.from([number * 8 + 4])]),
    () => nested(number, random.pick([3, 99, 101, 400]), field),
    () =>
      Buffer.concat([field.subarray(0, 1), Buffer.alloc(random.pick([1, 9, 10]), 0x80), field.subarray(1)]),
  ])();
  return Buffer.concat([head, before, changed, after]);
}

function nested(number: number, times: number, innermost: Uint8Array): Uint8Array {
  let field = innermost;
  for (let depth = 0; depth < times; depth++) field = lengthField(number, field);
  return field;
}

/** Bounds of a field, at any depth as far as the bytes can be read; of everything where they cannot. */
function someField(body: Buffer, random: SeededRandom): [start: number, stop: number] {
  let [from, to] = [0, body.length];
  for (let depth = 0; depth < DEPTH_MAX; depth++) {
    const fields: [start: number, valueAt: number, stop: number][] = [];
    try {
      const reader = new FieldReader(body, from, to);
      for (let at = from; reader.next(); at = reader.stop) fields.push([at, reader.start, reader.stop]);
    } catch {
      // As far as it could be read.
    }
    if (fields.length === 0) break;
    const [start, valueAt, stop] = random.pick(fields);
    if (random.chance(0.4)) return [start, stop];
    [from, to] = [valueAt, stop];
  }
  return [from, to];
}
