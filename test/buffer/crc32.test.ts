// The fast checksum against zlib's: every length around what it does differently, every beginning, every place in memory.

import { crc32 as zlibCrc32 } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { crc32 } from '../../buffer/crc32.ts';

const LEAST_FOLDED_BYTES = 12 * 1024;
const WINDOW_BYTES = 24 * 1024;
const MOST_BYTES = 5 * WINDOW_BYTES;

/** xorshift32, so that a failure is the same every time. */
function noise(bytes: number): Buffer {
  const memory = Buffer.alloc(bytes);
  let state = 2463534242;
  for (let index = 0; index < bytes; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    memory[index] = state;
  }
  return memory;
}

const bytes = noise(MOST_BYTES + 64);

describe('crc32', () => {
  it('gives the check value of the standard', () => {
    expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926);
  });

  it('is zlib’s for every length around the first that is folded', () => {
    for (let length = LEAST_FOLDED_BYTES - 70; length <= LEAST_FOLDED_BYTES + 200; length++) {
      const some = bytes.subarray(1, 1 + length);
      expect([length, crc32(some)]).toEqual([length, zlibCrc32(some)]);
    }
  });

  it.each([1, 2, 3, 4])('is zlib’s for every length around %i windows', (windows) => {
    const around = windows * WINDOW_BYTES;
    // With the last 300 words, which are left to zlib, and without.
    for (const least of [around - 70, around + 300 * 16 - 70]) {
      for (let length = least; length <= least + 140; length++) {
        const some = bytes.subarray(3, 3 + length);
        expect([length, crc32(some)]).toEqual([length, zlibCrc32(some)]);
      }
    }
  });

  it('is zlib’s for any bytes, anywhere in memory, after any others', () => {
    fc.assert(
      fc.property(
        fc.nat(63),
        fc.nat(MOST_BYTES),
        fc.nat(0xffffffff),
        fc.array(fc.tuple(fc.nat(MOST_BYTES), fc.nat(255)), { maxLength: 20 }),
        (from, length, value, changes) => {
          const some = Buffer.from(bytes.subarray(from, from + length));
          for (const [at, byte] of changes) if (at < length) some[at] = byte;
          expect(crc32(some, value)).toBe(zlibCrc32(some, value));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('goes on where the bytes before ended', () => {
    const whole = bytes.subarray(0, MOST_BYTES);
    for (const cut of [1, 1000, 13_000, 50_001, MOST_BYTES - 1]) {
      expect(crc32(whole.subarray(cut), crc32(whole.subarray(0, cut)))).toBe(zlibCrc32(whole));
    }
  });

  it('sees every single bit that is turned', () => {
    const some = Buffer.from(bytes.subarray(0, 40_000));
    const right = crc32(some);
    for (let bit = 0; bit < some.length * 8; bit += 997) {
      some[bit >> 3]! ^= 1 << (bit & 7);
      expect(crc32(some)).not.toBe(right);
      some[bit >> 3]! ^= 1 << (bit & 7);
    }
    expect(crc32(some)).toBe(right);
  });
});
