import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeStatus, encodeStatus, rpcCode, statusFromJson, statusToJson } from '../../otlp/status.ts';
import { encode, retryInfoType, statusType } from './proto/types.ts';

const statuses = fc.record(
  {
    code: fc.nat(16),
    message: fc.string({ unit: 'grapheme' }),
    retryDelay_ms: fc.nat(1_000_000_000),
  },
  { requiredKeys: ['code', 'message'] },
);

const retryInfo = (seconds: number, nanos: number) => ({
  typeUrl: 'type.googleapis.com/google.rpc.RetryInfo',
  value: encode(retryInfoType, { retryDelay: { seconds, nanos } }),
});

describe('google.rpc.Status in protobuf', () => {
  it('is what the official definition makes of it', () => {
    const status = { code: rpcCode.UNAVAILABLE, message: 'disk full', retryDelay_ms: 1500 };
    const theirs = { code: 14, message: 'disk full', details: [retryInfo(1, 500_000_000)] };
    expect(Buffer.from(encodeStatus(status))).toEqual(encode(statusType, theirs));
    expect(decodeStatus(encode(statusType, theirs))).toEqual(status);
  });

  it('survives the way there and back', () => {
    fc.assert(fc.property(statuses, (status) => expect(decodeStatus(encodeStatus(status))).toEqual(status)));
  });

  it('has no retry delay without RetryInfo, and one of 0 with an empty one', () => {
    expect(decodeStatus(encodeStatus({ code: 8, message: 'too large' }))).not.toHaveProperty('retryDelay_ms');
    const empty = { typeUrl: 'type.googleapis.com/google.rpc.RetryInfo' };
    expect(decodeStatus(encode(statusType, { code: 8, details: [empty] }))?.retryDelay_ms).toBe(0);
  });

  it('passes over details that it does not know', () => {
    const other = { typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo', value: Buffer.from('whatever') };
    const bytes = encode(statusType, { code: 8, details: [other, retryInfo(3, 0)] });
    expect(decodeStatus(bytes)).toEqual({ code: 8, message: '', retryDelay_ms: 3000 });
  });

  it('never waits a negative time', () => {
    const bytes = encode(statusType, { code: 14, details: [retryInfo(-5, 0)] });
    expect(decodeStatus(bytes)?.retryDelay_ms).toBe(0);
  });

  it('is undefined where the bytes are no message, and never throws', () => {
    expect(decodeStatus(Buffer.from('upstream connect error'))).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => void decodeStatus(bytes)),
      { numRuns: 1000 },
    );
  });
});

describe('google.rpc.Status in JSON', () => {
  it('has the details as the protobuf JSON mapping has them', () => {
    expect(JSON.parse(statusToJson({ code: 14, message: 'full', retryDelay_ms: 1500 }))).toEqual({
      code: 14,
      message: 'full',
      details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '1.5s' }],
    });
    expect(statusToJson({ code: 3, message: 'bad' })).toBe('{"code":3,"message":"bad"}');
  });

  it('survives the way there and back', () => {
    fc.assert(
      fc.property(statuses, (status) => expect(statusFromJson(statusToJson(status))).toEqual(status)),
    );
  });

  it.each(['', 'nonsense', '[]', 'null', '{"code":"3"}', '{"message":1}'])('is undefined for %j', (text) => {
    expect(statusFromJson(text)).toBeUndefined();
  });

  it.each(['soon', '-1s', '1e9s', 5, null])('passes over a retry delay of %j', (retryDelay) => {
    const details = [null, 1, { '@type': 'x/google.rpc.RetryInfo', retryDelay }];
    const status = statusFromJson(JSON.stringify({ code: 14, message: 'm', details }));
    expect(status?.retryDelay_ms ?? 0).toBe(0);
  });
});
