import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatSize, parseSize } from '../../config/size.ts';

describe('parseSize', () => {
  it.each<[string | number, number]>([
    [0, 0],
    [4096, 4096],
    ['4096', 4096],
    ['64MiB', 64 * 2 ** 20],
    ['64Mi', 64 * 2 ** 20],
    ['10MB', 10_000_000],
    ['1GiB', 2 ** 30],
    ['1.5KiB', 1536],
    ['2k', 2000],
    ['2kB', 2000],
    ['12 MiB', 12 * 2 ** 20],
    ['7B', 7],
    ['1TiB', 2 ** 40],
    [1e6, 1_000_000],
  ])('reads %j as %d bytes', (input, bytes) => {
    expect(parseSize(input)).toEqual({ ok: true, value: bytes });
  });

  it.each<[string | number, RegExp]>([
    ['', /not a size/],
    ['MiB', /not a size/],
    ['12Q', /unknown unit/],
    ['12Mb', /unknown unit/],
    ['12mib', /unknown unit/],
    [-1, /negative/],
    ['-1MiB', /negative/],
    [1.5, /whole/],
    ['1.5B', /whole/],
    [Number.NaN, /not a size/],
    [Number.POSITIVE_INFINITY, /not a size/],
    ['99999999TiB', /counted exactly/],
    ['0x10', /unknown unit|not a size/],
    ['1'.repeat(100), /not a size/],
    ['1_000', /not a size/],
  ])('refuses %j', (input, reason) => {
    expect(parseSize(input)).toEqual({ ok: false, reason: expect.stringMatching(reason) });
  });
});

describe('formatSize', () => {
  it.each([
    [0, '0B'],
    [1, '1B'],
    [64 * 2 ** 20, '64MiB'],
    [10_000_000, '10MB'],
    [1536, '1536B'],
    [1537, '1537B'],
    [100 * 2 ** 30, '100GiB'],
  ])('writes %d bytes as %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });

  it('writes what parses back to the same bytes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 20 }),
        fc.constantFrom(1, 1000, 1024, 2 ** 20, 1e6, 2 ** 30),
        (n, unit) => {
          expect(parseSize(formatSize(n * unit))).toEqual({ ok: true, value: n * unit });
        },
      ),
    );
  });
});
