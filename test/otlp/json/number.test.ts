import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { doubleAt, JsonInteger } from '../../../otlp/json/number.ts';

const random = { seed: 64_064, numRuns: 3000 };
const integer = new JsonInteger();

/** The value that is read in the middle of other text. */
function integerOf(text: string): bigint | undefined {
  const bytes = Buffer.from(`9${text}9`);
  if (!integer.read(bytes, 1, bytes.length - 1)) return undefined;
  const magnitude = (BigInt(integer.high) << 32n) | BigInt(integer.low);
  return integer.negative ? -magnitude : magnitude;
}

function doubleOf(text: string): number {
  const bytes = Buffer.from(`9${text}9`);
  return doubleAt(bytes, 1, bytes.length - 1);
}

describe('JsonInteger', () => {
  it('reads every magnitude of 64 bits as BigInt does, and nothing above', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 66n), max: 2n ** 66n }), (value) => {
        const fits = value < 2n ** 64n && value > -(2n ** 64n);
        expect(integerOf(String(value))).toBe(fits ? value : undefined);
      }),
      random,
    );
  });

  it('reads the edges', () => {
    for (const edge of [0n, 1n, 999_999n, 1_000_000n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n]) {
      expect(integerOf(String(edge))).toBe(edge);
    }
    expect(integerOf(String(2n ** 64n))).toBeUndefined();
  });

  it('reads exponents and fractions exactly, short ones and long ones, or says that it is no integer', () => {
    const exponent = fc.integer({ min: -22, max: 22 });
    fc.assert(
      fc.property(
        fc.oneof(fc.bigInt({ min: 0n, max: 10n ** 20n }), fc.bigInt({ min: 0n, max: 9999n })),
        fc.nat(19),
        exponent,
        (digits, point, power) => {
          const text = String(digits).padStart(point + 1, '0');
          const mantissa = point === 0 ? text : `${text.slice(0, -point)}.${text.slice(-point)}`;
          const zeros = power - point;
          const isWhole = zeros >= 0 || digits % 10n ** BigInt(-zeros) === 0n;
          const value = zeros >= 0 ? digits * 10n ** BigInt(zeros) : digits / 10n ** BigInt(-zeros);
          const expected = isWhole && value < 2n ** 64n ? value : undefined;
          expect(integerOf(`${mantissa}e${power}`)).toBe(expected);
        },
      ),
      random,
    );
  });
});

describe('doubleAt', () => {
  it('rounds as JSON.parse does', () => {
    const written = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
      fc.tuple(fc.nat(99_999_999), fc.nat(9_999_999)).map(([whole, fraction]) => `-${whole}.${fraction}`),
      fc.tuple(fc.nat(), fc.integer({ min: -320, max: 320 })).map(([digits, power]) => `${digits}e${power}`),
    );
    fc.assert(
      fc.property(written, (text) => expect(doubleOf(text)).toBe(Number(text))),
      random,
    );
  });
});
