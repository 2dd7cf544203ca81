// Both codecs: what they give back, what they refuse, and that they agree.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Codec, zstdCodec, zstdInLine } from '../../../buffer/ports/codec.ts';

describe.each<[string, Codec, Codec]>([
  ['zstdCodec', zstdCodec, zstdInLine],
  ['zstdInLine', zstdInLine, zstdCodec],
])('%s', (_, codec, other) => {
  const text = Buffer.from('the same again, '.repeat(300));

  it('gives back what it was given, and what the other one compressed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 70_000 }),
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.integer({ min: 1, max: 6 }),
        async (bytes, pattern, level) => {
          const raw = Buffer.alloc(bytes, pattern);
          const packed = await codec.compress(raw, level);
          expect(Buffer.compare(packed, await other.compress(raw, level))).toBe(0);
          expect(Buffer.compare((await codec.decompress(packed, raw.length))!, raw)).toBe(0);
        },
      ),
      { numRuns: 15 },
    );
  });

  it('gives nothing where the length is another, so that no frame grows beyond what it says', async () => {
    const packed = await codec.compress(text, 3);
    for (const bytes of [1, text.length - 1, text.length + 1, 100_000])
      expect(await codec.decompress(packed, bytes)).toBeUndefined();
  });

  it('gives nothing, or the same bytes, for what was cut or flipped, and never rejects for it', async () => {
    const packed = Buffer.from(await codec.compress(text, 1));
    for (let length = 0; length < packed.length; length++)
      expect(await codec.decompress(packed.subarray(0, length), text.length)).toBeUndefined();
    for (let bit = 0; bit < packed.length * 8; bit++) {
      const flipped = Buffer.from(packed);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const raw = await codec.decompress(flipped, text.length);
      if (raw) expect(raw.length).toBe(text.length);
    }
  });

  it('compresses more at a higher level', async () => {
    const raw = Buffer.from(Array.from({ length: 60_000 }, (_, at) => (at * at * 7919) >> (at % 11)));
    const [fast, small] = await Promise.all([codec.compress(raw, 1), codec.compress(raw, 19)]);
    expect(small.length).toBeLessThan(fast.length);
  });
});
