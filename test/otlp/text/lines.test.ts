import { describe, expect, it } from '@jest/globals';
import { JsonTranscoder } from '../../../otlp/json/to_protobuf.ts';
import type { Signal } from '../../../otlp/signal.ts';
import { oneLine, requestToLines, severityName } from '../../../otlp/text/lines.ts';

const transcoder = new JsonTranscoder(2 ** 20);

function lines(signal: Signal, request: object): string[] {
  return requestToLines(signal, transcoder.transcode(signal, Buffer.from(JSON.stringify(request))));
}

const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] };

describe('one line per item', () => {
  it('says time, severity, service, body, attributes and trace of a log record', () => {
    const record = {
      timeUnixNano: '1795247090123456789',
      severityNumber: 19,
      body: { kvlistValue: { values: [{ key: 'a', value: { intValue: '9007199254740993' } }] } },
      attributes: [
        { key: 'path', value: { stringValue: '/a b' } },
        { key: 'ok', value: { boolValue: true } },
      ],
      traceId: 'ab'.repeat(16),
    };
    expect(lines('logs', { resourceLogs: [{ resource, scopeLogs: [{ logRecords: [record] }] }] })).toEqual([
      `2026-11-21T07:44:50.123456789Z ERROR3 shop {"a":"9007199254740993"} path="/a b" ok=true trace_id=${'ab'.repeat(16)}`,
    ]);
  });

  it('says a span with how long it took and what went wrong', () => {
    const span = {
      traceId: '01'.repeat(16),
      spanId: '02'.repeat(8),
      name: 'GET /',
      startTimeUnixNano: '1795247090000000000',
      endTimeUnixNano: '1795247090001500000',
      status: { code: 2, message: 'late' },
    };
    expect(lines('traces', { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] })).toEqual([
      `2026-11-21T07:44:50.000000000Z GET / ${'01'.repeat(16)} ${'02'.repeat(8)} 1.5ms ERROR late`,
    ]);
  });

  it('says every kind of point', () => {
    const metrics = [
      {
        name: 'g',
        gauge: {
          dataPoints: [
            { asDouble: 1.5 },
            { asInt: '-3', attributes: [{ key: 'k', value: { stringValue: 'v' } }] },
          ],
        },
      },
      {
        name: 'h',
        histogram: { dataPoints: [{ count: '3', sum: 4, bucketCounts: ['1', '2'], explicitBounds: [10] }] },
      },
      {
        name: 's',
        summary: { dataPoints: [{ count: '2', sum: 1, quantileValues: [{ quantile: 0.5, value: 7 }] }] },
      },
    ];
    expect(lines('metrics', { resourceMetrics: [{ scopeMetrics: [{ metrics }] }] })).toEqual([
      'g{} 1.5',
      'g{k=v} -3',
      'h{} count=3 sum=4 le10=1 leInf=2',
      's{} count=2 sum=1 q0.5=7',
    ]);
  });

  it('is one line and acts on no terminal, whatever stands in it', () => {
    const body = { stringValue: 'a\nb\u001b[31m\u2028' };
    const [line, ...more] = lines('logs', { resourceLogs: [{ scopeLogs: [{ logRecords: [{ body }] }] }] });
    expect(more).toEqual([]);
    expect(line).toBe('- - a\\nb\\u001b[31m\\u2028');
    expect(oneLine('\u0000\u009b')).toBe('\\u0000\\u009b');
  });
});

describe('names of severities', () => {
  it.each([
    [0, '-'],
    [1, 'TRACE'],
    [9, 'INFO'],
    [10, 'INFO2'],
    [24, 'FATAL4'],
    [25, '-'],
  ])('%i is %s', (number, name) => {
    expect(severityName(number)).toBe(name);
  });
});
