import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatDuration, parseDuration } from '../../config/duration.ts';

const ok = (value: number) => ({ ok: true, value });

describe('parseDuration', () => {
  it.each([
    ['0', 0],
    ['0s', 0],
    ['500ms', 500],
    ['1m30s', 90_000],
    ['1h', 3_600_000],
    ['1.5h', 5_400_000],
    ['.5s', 500],
    ['1.s', 1000],
    ['+2s', 2000],
    ['500us', 0.5],
    ['500µs', 0.5],
    ['500μs', 0.5],
    ['250000ns', 0.25],
    ['7d', 604_800_000],
    [' 10s ', 10_000],
    ['30s1m', 90_000],
  ])('reads %j as %d ms', (text, milliseconds) => {
    expect(parseDuration(text)).toEqual(ok(milliseconds));
  });

  it.each([
    ['10', /unit is missing/],
    ['1.5', /unit is missing/],
    ['10x', /unknown unit/],
    ['10S', /not a duration/],
    ['10 s', /not a duration/],
    ['-1s', /negative/],
    ['', /not a duration/],
    ['s', /not a duration/],
    ['+', /not a duration/],
    ['1s2', /not a duration/],
    ['.s', /not a duration/],
    ['1e3s', /unknown unit|not a duration/],
    ['300000h', null],
    ['3000000h', /292 years/],
    ['1'.repeat(500), /not a duration/],
    ['NaN', /not a duration/],
    ['Infinity', /not a duration/],
  ])('judges %j', (text, reason) => {
    const result = parseDuration(text);
    if (reason === null) expect(result.ok).toBe(true);
    else expect(result).toEqual({ ok: false, reason: expect.stringMatching(reason) });
  });

  it('repeats nothing of what it was given', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 6 }), (text) => {
        const result = parseDuration(text);
        fc.pre(!result.ok && !/^[a-z ]+$/.test(text.trim()));
        expect(result.ok ? '' : result.reason).not.toContain(text);
      }),
    );
  });

  it('never gives anything but a finite, non-negative number or a reason', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[+-]?[\d.]{0,6}(ns|us|ms|s|m|h|d|x|)[\d.]{0,6}(s|h)?$/), (text) => {
        const result = parseDuration(text);
        if (result.ok) expect(result.value >= 0 && Number.isFinite(result.value)).toBe(true);
        else expect(result.reason).not.toBe('');
      }),
    );
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0s'],
    [90_000, '1m30s'],
    [500, '500ms'],
    [3_600_000, '1h'],
    [3_661_001, '1h1m1s1ms'],
    [604_800_000, '168h'],
    [0.5, '500us'],
    [0.00025, '250ns'],
  ])('writes %d ms as %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });

  it('writes what parses back to the same number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 40 }), fc.constantFrom(1, 1000), (count, scale) => {
        expect(parseDuration(formatDuration(count / scale))).toEqual(ok(count / scale));
      }),
    );
  });
});
