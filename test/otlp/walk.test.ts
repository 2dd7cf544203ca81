import { crc32 } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { MalformedOtlp } from '../../otlp/malformed.ts';
import { requestOf } from '../../otlp/schema.ts';
import { type Signal, signals } from '../../otlp/signal.ts';
import { walk } from '../../otlp/walk.ts';
import { mutationArbitrary, requestArbitrary } from './arbitrary.ts';
import { encode, requestType, typeNamed } from './proto/types.ts';
import { referenceWalk } from './reference_walk.ts';

/** Bytes of one message put together by hand. */
function wire(build: (writer: protobuf.Writer) => unknown): Buffer {
  const writer = protobuf.Writer.create();
  build(writer);
  return Buffer.from(writer.finish());
}

/** A traces request whose only span has exactly these bytes. */
function withSpan(span: Uint8Array): Buffer {
  const scope = wire((w) => w.uint32(18).bytes(span));
  const resource = wire((w) => w.uint32(18).bytes(scope));
  return wire((w) => w.uint32(10).bytes(resource));
}

function fault(signal: Signal, bytes: Uint8Array): MalformedOtlp {
  try {
    walk(signal, bytes);
  } catch (error) {
    if (error instanceof MalformedOtlp) return error;
    throw error;
  }
  throw new Error('the walk found nothing wrong');
}

const spanPath = 'resource_spans[0].scope_spans[0].spans[0]';
const random = { seed: 20_240_607, numRuns: 300 };

describe('walk', () => {
  it('finds nothing in an empty request', () => {
    for (const signal of signals) expect(walk(signal, new Uint8Array(0))).toEqual({ items: 0, shardKey: 0 });
  });

  it('counts the spans of all resources and scopes', () => {
    const scope = { spans: [{ name: 'a' }, {}] };
    const bytes = encode(requestType.traces, {
      resourceSpans: [{ scopeSpans: [scope, scope] }, {}, { scopeSpans: [{ spans: [{}] }] }],
    });
    expect(walk('traces', bytes).items).toBe(5);
  });

  it('counts data points, not metrics, for every kind of metric', () => {
    const dataPoints = [{}, { flags: 1 }];
    const metrics = [
      { name: 'none' },
      { gauge: { dataPoints } },
      { sum: { dataPoints } },
      { histogram: { dataPoints } },
      { exponentialHistogram: { dataPoints } },
      { summary: { dataPoints } },
    ];
    const bytes = encode(requestType.metrics, { resourceMetrics: [{ scopeMetrics: [{ metrics }] }] });
    expect(walk('metrics', bytes).items).toBe(10);
  });

  it('counts log records', () => {
    const bytes = encode(requestType.logs, {
      resourceLogs: [{ scopeLogs: [{ logRecords: [{ severityText: 'INFO' }, {}, {}] }] }],
    });
    expect(walk('logs', bytes).items).toBe(3);
  });

  it('takes the checksum of the first resource for the shard key, whatever follows', () => {
    const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'checkout' } }] };
    const other = { attributes: [{ key: 'service.name', value: { stringValue: 'cart' } }] };
    const own = encode(typeNamed('opentelemetry.proto.resource.v1.Resource'), resource);
    const bytes = encode(requestType.logs, { resourceLogs: [{}, { resource }, { resource: other }] });
    expect(walk('logs', bytes).shardKey).toBe(crc32(own));
    expect(walk('logs', bytes).shardKey).toBeGreaterThan(0);
  });

  it('reads a view in the middle of a larger buffer', () => {
    const bytes = encode(requestType.traces, {
      resourceSpans: [{ scopeSpans: [{ spans: [{ name: 'a' }] }] }],
    });
    const around = Buffer.concat([Buffer.alloc(3, 0xff), bytes, Buffer.alloc(3, 0xff)]);
    expect(walk('traces', new Uint8Array(around).subarray(3, 3 + bytes.length)).items).toBe(1);
  });

  it.each(signals)('agrees with a slow reference on random %s requests', (signal) => {
    fc.assert(
      fc.property(requestArbitrary(signal), (request) => {
        const bytes = encode(requestType[signal], request);
        expect(walk(signal, bytes).items).toBe(referenceWalk(requestOf[signal], bytes));
      }),
      random,
    );
  });

  it.each(signals)('refuses of mutated %s requests exactly what the slow reference refuses', (signal) => {
    const mutated = requestArbitrary(signal).chain((r) => mutationArbitrary(encode(requestType[signal], r)));
    let refused = 0;
    fc.assert(
      fc.property(mutated, (bytes) => {
        let expected: number | undefined;
        try {
          expected = referenceWalk(requestOf[signal], bytes);
        } catch {
          expected = undefined;
        }
        if (expected === undefined) {
          refused++;
          expect(fault(signal, bytes).position).toBeLessThanOrEqual(bytes.length);
        } else expect(walk(signal, bytes).items).toBe(expected);
      }),
      { seed: random.seed, numRuns: 1500 },
    );
    expect(refused).toBeGreaterThan(100);
  });

  it('throws nothing but MalformedOtlp on random bytes', () => {
    fc.assert(
      fc.property(fc.constantFrom(...signals), fc.uint8Array({ maxLength: 64 }), (signal, bytes) => {
        try {
          walk(signal, bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedOtlp);
        }
      }),
      { seed: random.seed, numRuns: 3000 },
    );
  });
});

describe('what walk refuses', () => {
  it('names the field whose length passes the end, and the byte', () => {
    const spans = [{ name: 'a' }, { name: 'b' }, { name: 'c' }, { name: 'x'.repeat(100) }];
    const bytes = encode(requestType.traces, { resourceSpans: [{ scopeSpans: [{}, { spans }] }] });
    const nameAt = bytes.indexOf('xxx') - 2;
    bytes[nameAt + 1] = 120;
    const error = fault('traces', bytes);
    expect(error.code).toBe('HF_OTLP_MALFORMED');
    expect(error.message).toBe(
      `resource_spans[0].scope_spans[1].spans[3].name: length 120 passes the end at byte ${nameAt}`,
    );
  });

  it.each([1, 7, 15, 17, 32])('refuses a trace id of %i bytes', (length) => {
    const error = fault('traces', withSpan(wire((w) => w.uint32(10).bytes(Buffer.alloc(length)))));
    expect(error.message).toMatch(`${spanPath}.trace_id: length ${length} instead of 16 bytes or none`);
  });

  it.each([
    ['span_id', 18],
    ['parent_span_id', 34],
  ])('refuses a %s that has not 8 bytes', (name, tag) => {
    const error = fault('traces', withSpan(wire((w) => w.uint32(tag).bytes(Buffer.alloc(9)))));
    expect(error.message).toMatch(`${spanPath}.${name}: length 9 instead of 8 bytes or none`);
  });

  it('takes ids of no bytes at all', () => {
    const empty = Buffer.alloc(0);
    const span = wire((w) => w.uint32(10).bytes(empty).uint32(18).bytes(empty).uint32(34).bytes(empty));
    expect(walk('traces', withSpan(span)).items).toBe(1);
  });

  it('refuses wrong ids within links and log records too', () => {
    const link = wire((w) => w.uint32(10).bytes(Buffer.alloc(8)));
    expect(fault('traces', withSpan(wire((w) => w.uint32(106).bytes(link)))).message).toMatch(
      `${spanPath}.links[0].trace_id`,
    );
    const logRecords = [{ spanId: Buffer.alloc(4) }];
    const bytes = encode(requestType.logs, { resourceLogs: [{ scopeLogs: [{ logRecords }] }] });
    expect(fault('logs', bytes).message).toMatch('resource_logs[0].scope_logs[0].log_records[0].span_id');
  });

  it('refuses a known field with another wire type', () => {
    const error = fault('traces', withSpan(wire((w) => w.uint32((5 << 3) | 0).uint32(1))));
    expect(error.message).toMatch(`${spanPath}.name: wire type 0 is not the one of this field`);
  });

  it('refuses field number 0, wire types 6 and 7, and the end of a group that never began', () => {
    expect(fault('traces', Uint8Array.of(0x02, 0x00)).reason).toBe('field number 0');
    expect(fault('traces', Uint8Array.of(0xa6, 0x06)).reason).toBe('wire type 6 does not exist');
    expect(fault('traces', Uint8Array.of(0x7f)).reason).toBe('wire type 7 does not exist');
    expect(fault('traces', Uint8Array.of(0xa4, 0x06)).reason).toBe('the end of a group that never began');
  });

  it('refuses field numbers above 2^29 - 1', () => {
    const error = fault('traces', Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x10, 0x00));
    expect(error.reason).toBe('field number 536870912 is above 536870911');
  });

  it('refuses varints of more than 64 bits and takes those of exactly 64', () => {
    const kind = (...varint: number[]) => withSpan(Uint8Array.of(48, ...varint));
    const nine = new Array<number>(9).fill(0xff);
    expect(walk('traces', kind(...nine, 0x01)).items).toBe(1);
    expect(fault('traces', kind(...nine, 0x02)).reason).toBe('a varint of more than 64 bits');
    expect(fault('traces', kind(...nine, 0x80, 0x01)).reason).toBe('a varint of more than 64 bits');
  });

  it('refuses lengths far beyond what can be addressed', () => {
    const nine = new Array<number>(9).fill(0xff);
    expect(fault('traces', Uint8Array.of(10, ...nine, 0x01)).reason).toMatch('passes the end');
  });

  it('refuses packed 8-byte values that do not fill their length', () => {
    const point = wire((w) => w.uint32((6 << 3) | 2).bytes(Buffer.alloc(12)));
    const histogram = wire((w) => w.uint32(10).bytes(point));
    const metric = wire((w) => w.uint32((9 << 3) | 2).bytes(histogram));
    const scope = wire((w) => w.uint32(18).bytes(metric));
    const bytes = wire((w) => w.uint32(10).bytes(wire((r) => r.uint32(18).bytes(scope))));
    expect(fault('metrics', bytes).message).toMatch(
      /bucket_counts\[0\]: length 12 instead of a multiple of 8/,
    );
  });

  it('takes bucket counts packed and unpacked', () => {
    const counts = wire((w) =>
      w
        .uint32((6 << 3) | 1)
        .fixed64(3)
        .uint32((6 << 3) | 2)
        .bytes(Buffer.alloc(16)),
    );
    const histogram = wire((w) => w.uint32(10).bytes(counts));
    const metric = wire((w) => w.uint32((9 << 3) | 2).bytes(histogram));
    const scope = wire((w) => w.uint32(18).bytes(metric));
    const bytes = wire((w) => w.uint32(10).bytes(wire((r) => r.uint32(18).bytes(scope))));
    expect(walk('metrics', bytes).items).toBe(1);
  });

  it('finds a truncation at whatever byte', () => {
    const spans = [{ traceId: Buffer.alloc(16, 1), name: 'a', startTimeUnixNano: '12', kind: 300 }];
    const bytes = encode(requestType.traces, { resourceSpans: [{ scopeSpans: [{ spans }] }] });
    for (let length = 1; length < bytes.length; length++) {
      expect(() => walk('traces', bytes.subarray(0, length))).toThrow(MalformedOtlp);
    }
  });
});

describe('unknown fields', () => {
  it('pass in every wire type and at every level', () => {
    const unknown = wire((w) =>
      w
        .uint32((100 << 3) | 0)
        .uint64('18446744073709551615')
        .uint32((101 << 3) | 1)
        .fixed64(1)
        .uint32((14_000 << 3) | 2)
        .string('later')
        .uint32((31 << 3) | 5)
        .fixed32(1),
    );
    const span = Buffer.concat([unknown, wire((w) => w.uint32(42).string('name')), unknown]);
    expect(walk('traces', Buffer.concat([unknown, withSpan(span), unknown])).items).toBe(1);
  });

  it('may be groups, which end where their number says', () => {
    const inner = [0xab, 0x06, 0x08, 0x01, 0xac, 0x06];
    const group = Uint8Array.of(0xa3, 0x06, ...inner, 0x12, 0x01, 0x41, 0xa4, 0x06);
    expect(walk('traces', withSpan(group)).items).toBe(1);
    expect(fault('traces', withSpan(group.subarray(0, -2))).reason).toBe('the message ends within a group');
    const crossed = Uint8Array.of(0xa3, 0x06, 0xab, 0x06, 0xa4, 0x06, 0xac, 0x06);
    expect(fault('traces', withSpan(crossed)).reason).toBe('the end of a group that never began');
  });

  it('may not nest groups without bound', () => {
    const depth = 50_000;
    const nested = Buffer.concat([
      Buffer.alloc(depth * 2, 'a306', 'hex'),
      Buffer.alloc(depth * 2, 'a406', 'hex'),
    ]);
    expect(fault('traces', nested).reason).toBe('groups nested too deeply');
  });

  it('do not count as items, even where an old version had its own', () => {
    const resource = wire((w) => w.uint32((1000 << 3) | 2).bytes(Buffer.alloc(20, 0xff)));
    expect(
      walk(
        'traces',
        wire((w) => w.uint32(10).bytes(resource)),
      ).items,
    ).toBe(0);
  });
});
