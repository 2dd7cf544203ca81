import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  decodeExportResponse,
  encodeExportResponse,
  exportResponseFromJson,
  exportResponseToJson,
} from '../../otlp/response.ts';
import { type Signal, signals } from '../../otlp/signal.ts';
import { encode, responseType } from './proto/types.ts';

const rejectedName: Record<Signal, string> = {
  traces: 'rejectedSpans',
  metrics: 'rejectedDataPoints',
  logs: 'rejectedLogRecords',
};
const partial = { rejectedItems: 7, message: 'seven were too old' };

describe('export responses in protobuf', () => {
  it('are no bytes at all on full success', () => {
    expect(encodeExportResponse({})).toHaveLength(0);
    expect(decodeExportResponse(new Uint8Array(0))).toEqual({});
  });

  it.each(signals)('say of %s what the official definition says', (signal) => {
    const theirs = { partialSuccess: { [rejectedName[signal]]: '7', errorMessage: partial.message } };
    expect(Buffer.from(encodeExportResponse({ partial }))).toEqual(encode(responseType[signal], theirs));
    expect(decodeExportResponse(encode(responseType[signal], theirs))).toEqual({ partial });
  });

  it('survive the way there and back', () => {
    fc.assert(
      fc.property(fc.nat(), fc.string({ unit: 'grapheme', minLength: 1 }), (rejectedItems, message) => {
        const response = { partial: { rejectedItems, message } };
        expect(decodeExportResponse(encodeExportResponse(response))).toEqual(response);
      }),
    );
  });

  it('take a partial success that says nothing for full success', () => {
    expect(decodeExportResponse(Uint8Array.of(10, 0))).toEqual({});
    const negative = encode(responseType.traces, { partialSuccess: { rejectedSpans: '-3' } });
    expect(decodeExportResponse(negative)).toEqual({});
  });

  it('carry a warning without rejections', () => {
    const warning = encode(responseType.logs, { partialSuccess: { errorMessage: 'soon deprecated' } });
    expect(decodeExportResponse(warning)).toEqual({
      partial: { rejectedItems: 0, message: 'soon deprecated' },
    });
  });

  it('are undefined where the bytes are no message, and never throw', () => {
    expect(decodeExportResponse(Buffer.from('<html>502</html>'))).toBeUndefined();
    expect(decodeExportResponse(Uint8Array.of(10, 200))).toBeUndefined();
    expect(decodeExportResponse(Uint8Array.of(8, 1))).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => void decodeExportResponse(bytes)),
      { numRuns: 1000 },
    );
  });
});

describe('export responses in JSON', () => {
  it('are an empty object on full success', () => {
    expect(exportResponseToJson('traces', {})).toBe('{}');
    for (const text of [
      '{}',
      '{"partialSuccess":{}}',
      '{"partialSuccess":null}',
      '{"partialSuccess":{"rejectedSpans":"0"}}',
    ]) {
      expect(exportResponseFromJson('traces', text)).toEqual({});
    }
  });

  it.each(signals)('name the count of %s as the definition does, as a string', (signal) => {
    const text = exportResponseToJson(signal, { partial });
    expect(JSON.parse(text)).toEqual({
      partialSuccess: { [rejectedName[signal]]: '7', errorMessage: partial.message },
    });
    expect(exportResponseFromJson(signal, text)).toEqual({ partial });
  });

  it('take the count as a number too', () => {
    expect(exportResponseFromJson('logs', '{"partialSuccess":{"rejectedLogRecords":2}}')).toEqual({
      partial: { rejectedItems: 2, message: '' },
    });
  });

  it.each([
    'nonsense',
    '[]',
    'null',
    '3',
    '{"partialSuccess":1}',
    '{"partialSuccess":{"rejectedSpans":{}}}',
    '{"partialSuccess":{"errorMessage":5}}',
  ])('are undefined for %s', (text) => {
    expect(exportResponseFromJson('traces', text)).toBeUndefined();
  });
});
