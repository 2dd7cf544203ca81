import zlib from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { inflateLater, inflateNow } from '../../../../receivers/server/decompress/deflate.ts';
import { gunzipNow } from '../../../../receivers/server/decompress/gzip.ts';
import { Inflater } from '../../../../receivers/server/decompress/inflater.ts';
import { InFlight, Share } from '../../../../receivers/server/in_flight.ts';
import { Refusal } from '../../../../receivers/server/refusal.ts';
import { mutationArbitrary } from '../../../otlp/arbitrary.ts';

const LIMIT = 2 ** 20;
const plain = Buffer.from('holdfast '.repeat(1000));

async function outcome(body: Buffer, limit = LIMIT): Promise<string> {
  try {
    const { bytes, stored, codec } =
      inflateNow(body, limit) ?? (await inflateLater(body, limit, new Share(new InFlight(limit))));
    // What is kept must be what any gzip reader reads.
    expect(zlib.gunzipSync(stored).equals(bytes)).toBe(true);
    expect(gunzipNow(stored, limit, new Inflater())?.stored).toBe(
      bytes.length > 8 * LIMIT ? undefined : stored,
    );
    return `${codec} of ${bytes.length}`;
  } catch (error) {
    return error instanceof Refusal ? `${error.http}` : `unexpected ${error}`;
  }
}

describe('deflate bodies', () => {
  it.each([0, 1, 6, 9])('of level %i are kept as gzip, their deflate stream as it came', async (level) => {
    const body = zlib.deflateSync(plain, { level });
    const kept = inflateNow(body, LIMIT);
    expect(kept?.bytes.equals(plain)).toBe(true);
    expect(kept?.stored.subarray(10, -8).equals(body.subarray(2, -4))).toBe(true);
    expect(await outcome(body)).toBe(`gzip of ${plain.length}`);
  });

  it('stop at the limit, and are taken when they are exactly as large', async () => {
    const body = zlib.deflateSync(Buffer.alloc(LIMIT));
    expect(await outcome(body)).toBe(`gzip of ${LIMIT}`);
    expect(await outcome(body, LIMIT - 1)).toBe('413');
  });

  it('that are large are left to the pool', async () => {
    const body = zlib.deflateSync(Buffer.alloc(16 * LIMIT));
    expect(inflateNow(body, 64 * LIMIT)).toBeUndefined();
    expect(await outcome(body, 64 * LIMIT)).toBe(`gzip of ${16 * LIMIT}`);
    expect(await outcome(zlib.deflateSync(Buffer.alloc(65 * LIMIT)), 64 * LIMIT)).toBe('413');
  });

  it('are refused with anything behind them, cut off, without the zlib header, or as gzip', async () => {
    const body = zlib.deflateSync(plain);
    expect(await outcome(Buffer.concat([body, Buffer.from('x')]))).toBe('400');
    expect(await outcome(body.subarray(0, -1))).toBe('400');
    expect(await outcome(zlib.deflateRawSync(plain))).toBe('400');
    expect(await outcome(zlib.gzipSync(plain))).toBe('400');
  });

  it('that are mutated are refused, or give what they hold', async () => {
    const body = zlib.deflateSync(plain.subarray(0, 300));
    await fc.assert(
      fc.asyncProperty(mutationArbitrary(body), async (mutated) => {
        expect(await outcome(Buffer.from(mutated))).toMatch(/^(400|413|gzip of 300)$/);
      }),
      { seed: 31, numRuns: 1500 },
    );
  });
});
