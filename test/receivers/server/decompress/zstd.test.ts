import zlib from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { zstdLater, zstdNow } from '../../../../receivers/server/decompress/zstd.ts';
import { outlineOf } from '../../../../receivers/server/decompress/zstd_frame.ts';
import { InFlight, Share } from '../../../../receivers/server/in_flight.ts';
import { Refusal } from '../../../../receivers/server/refusal.ts';
import { mutationArbitrary } from '../../../otlp/arbitrary.ts';

const LIMIT = 2 ** 20;
const { ZSTD_c_checksumFlag, ZSTD_c_windowLog } = zlib.constants;
const plain = Buffer.from('holdfast '.repeat(1000));
const compress = (bytes: Uint8Array, params: Record<number, number> = {}) =>
  zlib.zstdCompressSync(bytes, { params });

async function outcome(body: Buffer, limit = LIMIT): Promise<string> {
  try {
    const { bytes, stored, codec } =
      zstdNow(body, limit) ?? (await zstdLater(body, limit, new Share(new InFlight(limit))));
    expect(stored).toBe(codec === 'zstd' ? body : bytes);
    return `${codec === 'zstd' ? 'whole' : 'parts'} of ${bytes.length}`;
  } catch (error) {
    return error instanceof Refusal ? `${error.http}` : `unexpected ${error}`;
  }
}

describe('zstd bodies', () => {
  it('of one frame are kept as they came', async () => {
    expect(zstdNow(compress(plain), LIMIT)?.bytes.equals(plain)).toBe(true);
    expect(await outcome(compress(plain))).toBe(`whole of ${plain.length}`);
    expect(await outcome(compress(plain, { [ZSTD_c_checksumFlag]: 1 }))).toBe(`whole of ${plain.length}`);
    expect(await outcome(compress(Buffer.alloc(0)))).toBe('whole of 0');
  });

  it('of several frames, or with one to skip, are taken and kept decompressed', async () => {
    const skip = Buffer.from('502a4d1803000000010203', 'hex');
    const frame = compress(plain);
    expect(await outcome(Buffer.concat([frame, frame]))).toBe(`parts of ${2 * plain.length}`);
    expect(await outcome(Buffer.concat([skip, frame]))).toBe(`parts of ${plain.length}`);
    expect(await outcome(Buffer.concat([frame, skip]))).toBe(`parts of ${plain.length}`);
    expect(await outcome(skip)).toBe('400');
  });

  it('with anything behind their end are refused, for it would be lost', async () => {
    expect(await outcome(Buffer.concat([compress(plain), Buffer.from('x')]))).toBe('400');
    expect(await outcome(Buffer.concat([compress(plain), Buffer.alloc(20)]))).toBe('400');
  });

  it('that hold less than they say are refused, as other decoders do (found by test/fuzz)', async () => {
    // A frame of one segment that says 239 bytes: with no block but an empty one, and with ten bytes and an empty one.
    expect(await outcome(Buffer.from('28b52ffd20ef010000', 'hex'))).toBe('400');
    const short = Buffer.from('28b52ffd20ef50000061626364656667686970010000', 'hex');
    expect(await outcome(short)).toBe('400');
    expect(() => zlib.zstdDecompressSync(short)).toThrow();
  });

  it('stop at the limit, and are taken when they are exactly as large', async () => {
    const body = compress(Buffer.alloc(LIMIT));
    expect(await outcome(body)).toBe(`whole of ${LIMIT}`);
    expect(await outcome(body, LIMIT - 1)).toBe('413');
    const bomb = compress(Buffer.alloc(64 * LIMIT));
    expect(bomb.length).toBeLessThan(16 * 1024);
    expect(await outcome(bomb)).toBe('413');
    expect(await outcome(Buffer.concat([compress(plain), bomb]))).toBe('413');
  });

  it('that are large are left to the pool, with the same result', async () => {
    const body = compress(Buffer.alloc(16 * LIMIT));
    expect(zstdNow(body, 64 * LIMIT)).toBeUndefined();
    expect(await outcome(body, 64 * LIMIT)).toBe(`whole of ${16 * LIMIT}`);
  });

  it('cannot choose our memory: a window above 8 MiB is refused (RFC 9659)', () => {
    const wide = compress(Buffer.alloc(10 * LIMIT, 'ab'), { [ZSTD_c_windowLog]: 27 });
    return expect(outcome(wide, 64 * LIMIT)).resolves.toBe('400');
  });

  it('are refused when they need a dictionary, are cut off or no zstd at all', async () => {
    // Descriptor flag 1: one byte of dictionary id behind the window descriptor.
    const frame = compress(plain, { [ZSTD_c_checksumFlag]: 1 });
    expect(await outcome(frame.subarray(0, -2))).toBe('400');
    expect(await outcome(Buffer.from(plain))).toBe('400');
    expect(await outcome(zlib.gzipSync(plain))).toBe('400');
    const dictionary = Buffer.from('28b52ffd2107000100' + '00', 'hex');
    expect(await outcome(dictionary)).toBe('400');
  });

  it('never give more than their outline says', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 4 }), (parts) => {
        const body = Buffer.concat(parts.map((part) => compress(part)));
        const outline = outlineOf(body);
        expect(outline?.frames).toBe(parts.length);
        expect(outline!.most_bytes).toBeGreaterThanOrEqual(Buffer.concat(parts).length);
      }),
      { seed: 12 },
    );
  });

  it('that are mutated are refused, or give what they hold', async () => {
    const body = compress(plain.subarray(0, 300), { [ZSTD_c_checksumFlag]: 1 });
    await fc.assert(
      fc.asyncProperty(mutationArbitrary(body), async (mutated) => {
        expect(await outcome(Buffer.from(mutated))).toMatch(/^(400|413|(whole|parts) of \d+)$/);
      }),
      { seed: 31, numRuns: 1500 },
    );
  });
});
