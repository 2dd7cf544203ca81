import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { tidy } from '../../../exporters/otlp/reason.ts';
import { outcomeOf, retryAfter_ms } from '../../../exporters/otlp_http/outcome.ts';

const now_ms = Date.UTC(2026, 0, 1);

describe('Retry-After', () => {
  it.each([
    ['0', 0],
    [' 120 ', 120_000],
    ['Thu, 01 Jan 2026 00:00:10 GMT', 10_000],
    ['Thursday, 01-Jan-26 00:00:10 GMT', 10_000],
    ['Thu Jan  1 00:00:10 2026', 10_000],
    ['Wed, 31 Dec 2025 23:00:00 GMT', 0],
  ])('%j is read', (value, expected) => {
    expect(retryAfter_ms(value, now_ms)).toBe(expected);
  });

  it.each([
    undefined,
    '',
    '-5',
    '1.5',
    '5 apples',
    '1e9',
    '9999999999999',
    '2026-01-01',
    'Thu, 99 Foo',
    'soon',
  ])('%j is ignored', (value) => {
    expect(retryAfter_ms(value, now_ms)).toBeUndefined();
  });

  it('is never negative or NaN, whatever a backend sends', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((rest) => `Thu, ${rest}`),
        ),
        (value) => {
          const after_ms = retryAfter_ms(value, now_ms);
          expect(after_ms === undefined || after_ms >= 0).toBe(true);
        },
      ),
    );
  });
});

describe('an answer', () => {
  it('of any status, type and body has an outcome, with a short reason in one line', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 200, max: 599 }),
        fc.constantFrom('application/x-protobuf', 'application/json', 'text/plain', 'x', undefined),
        fc.uint8Array({ maxLength: 2_000 }),
        (status, type, bytes) => {
          const answer = {
            status,
            headers: { 'content-type': type },
            body: Buffer.from(bytes),
            truncated: false,
          };
          const outcome = outcomeOf('traces', answer, now_ms, (text) => text);
          expect(outcome.kind === 'delivered' || outcome.kind === 'partial').toBe(status < 300);
          const text = 'reason' in outcome ? outcome.reason : 'message' in outcome ? outcome.message : '';
          expect(text.length).toBeLessThan(300);
          expect(/[\p{Cc}\p{Cs}]/u.test(text)).toBe(false);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('a message for the log', () => {
  it('is one line of printable text, cut', () => {
    expect(tidy('a\r\nb\u001b[31mc\u2028d')).toBe('a b [31mc d');
    expect(tidy('y'.repeat(10_000))).toHaveLength(257);
    expect(tidy('')).toBe('');
  });
});
