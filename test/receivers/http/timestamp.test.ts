import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { timeOf } from '../../../receivers/http/timestamp.ts';

describe('a time', () => {
  it.each([
    ['2026-11-21T07:44:50Z', 'auto', 1795247090, 0],
    ['2026-11-21T08:44:50.123456789123+01:00', 'auto', 1795247090, 123456789],
    ['2026-11-21 07:44:50,5', 'rfc3339', 1795247090, 500_000_000],
    ['2026-11-21t06:14:50.000001-0130', 'rfc3339', 1795247090, 1000],
    ['2016-12-31T23:59:60Z', 'rfc3339', 1483228800, 0],
    ['1795247090', 'auto', 1795247090, 0],
    ['1795247090.123456789', 'auto', 1795247090, 123456789],
    ['1795247090123', 'auto', 1795247090, 123_000_000],
    ['1795247090123.5', 'auto', 1795247090, 123_500_000],
    ['1795247090123456', 'auto', 1795247090, 123_456_000],
    ['1795247090123456789', 'auto', 1795247090, 123456789],
    ['5', 'unix_ns', 0, 5],
    ['5', 'unix_ms', 0, 5_000_000],
    ['0', 'unix_us', 0, 0],
  ] as const)('%s as %s', (text, format, second, nanosecond) => {
    expect(timeOf(text, format)).toEqual({ second, nanosecond });
  });

  it.each([
    ['2026-02-29T00:00:00Z', 'auto'],
    ['2026-13-01T00:00:00Z', 'auto'],
    ['2026-11-21T24:00:00Z', 'auto'],
    ['1969-12-31T23:59:59Z', 'auto'],
    ['9999-12-31T23:59:59Z', 'auto'],
    ['2026-11-21T07:44:50.Z', 'auto'],
    ['2026-11-21T07:44:50+1', 'auto'],
    ['2026-11-21T07:44:50+01:0', 'auto'],
    ['2026-11-21T07:44:50Zulu', 'auto'],
    ['2026-11-21T07:4', 'auto'],
    ['1e9', 'auto'],
    ['-5', 'auto'],
    ['yesterday', 'auto'],
    ['', 'auto'],
    ['2026-11-21T07:44:50Z', 'unix_s'],
    ['1795247090', 'rfc3339'],
    ['99999999999999999999', 'unix_s'],
  ] as const)('%s as %s is none', (text, format) => {
    expect(timeOf(text, format)).toBeUndefined();
  });

  it('reads what Date writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 18_446_744_072_999 }), (ms) => {
        const time = { second: Math.floor(ms / 1000), nanosecond: (ms % 1000) * 1e6 };
        expect(timeOf(new Date(ms).toISOString(), 'auto')).toEqual(time);
        expect(timeOf(String(ms), 'unix_ms')).toEqual(time);
      }),
      { seed: 8 },
    );
  });
});
