import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Decode, decodeBase64, decodeHex } from '../../../otlp/json/binary_text.ts';

const random = { seed: 16_064, numRuns: 500 };

/** Decoded over itself, within other bytes that must stay. */
function inPlace(decode: Decode, text: string): string | undefined {
  const bytes = Buffer.from(`<${text}>`);
  const end = decode(bytes, 1, 1 + text.length, bytes, 1);
  expect([bytes[0], bytes.at(-1)]).toEqual([0x3c, 0x3e]);
  return end < 0 ? undefined : bytes.toString('hex', 1, end);
}

function apart(decode: Decode, text: string): string | undefined {
  const target = Buffer.alloc(text.length + 2, 0xff);
  const end = decode(Buffer.from(text), 0, text.length, target, 1);
  expect([target[0], target.at(-1)]).toEqual([0xff, 0xff]);
  return end < 0 ? undefined : target.toString('hex', 1, end);
}

describe.each([
  ['in place', inPlace],
  ['apart', apart],
])('decoding %s', (_where, run) => {
  it('gives back what Buffer wrote', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (array) => {
        const bytes = Buffer.from(array);
        const hex = bytes.toString('hex');
        expect(run(decodeHex, hex)).toBe(hex);
        expect(run(decodeHex, hex.toUpperCase())).toBe(hex);
        expect(run(decodeBase64, bytes.toString('base64'))).toBe(hex);
        expect(run(decodeBase64, bytes.toString('base64url'))).toBe(hex);
        expect(run(decodeBase64, bytes.toString('base64').replace(/=/g, ''))).toBe(hex);
      }),
      random,
    );
  });

  it.each(['0', '0g', 'g0', '00 ', 'é0'])('refuses "%s" as hex', (text) => {
    expect(run(decodeHex, Buffer.from(text).toString('latin1'))).toBeUndefined();
  });

  it.each(['A', 'AA=', 'AAA==', 'A===', '====', 'AA=A', 'AA\n=', 'AAAA=', '*AAA'])(
    'refuses "%s" as base64',
    (text) => {
      expect(run(decodeBase64, text)).toBeUndefined();
    },
  );
});
