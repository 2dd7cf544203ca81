import { deflateRawSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { gunzipLater, gunzipNow } from '../../../../receivers/server/decompress/gzip.ts';
import { Inflater } from '../../../../receivers/server/decompress/inflater.ts';
import { InFlight, Share } from '../../../../receivers/server/in_flight.ts';
import { Refusal } from '../../../../receivers/server/refusal.ts';
import { mutationArbitrary } from '../../../otlp/arbitrary.ts';

const LIMIT = 2 ** 20;
const plain = Buffer.from('holdfast '.repeat(1000));
const inflater = new Inflater();
const share = () => new Share(new InFlight(LIMIT));

async function outcome(body: Buffer, limit = LIMIT): Promise<string> {
  try {
    const { bytes, stored, codec } =
      gunzipNow(body, limit, inflater) ?? (await gunzipLater(body, limit, share()));
    expect(stored).toBe(codec === 'gzip' ? body : bytes);
    return `${codec === 'gzip' ? 'whole' : 'parts'} of ${bytes.length}`;
  } catch (error) {
    return error instanceof Refusal ? `${error.http}` : `unexpected ${error}`;
  }
}

/** A gzip member with a name in its header (RFC 1952, FNAME). */
function named(content: Buffer): Buffer {
  const member = gzipSync(content);
  member[3] = 8;
  return Buffer.concat([member.subarray(0, 10), Buffer.from('body.bin\0'), member.subarray(10)]);
}

describe('gzip bodies', () => {
  it('inflates one member at once and says that it is whole', () => {
    const result = gunzipNow(gzipSync(plain), LIMIT, inflater);
    expect(result?.codec).toBe('gzip');
    expect(result?.bytes.equals(plain)).toBe(true);
  });

  it.each([0, 1, 6, 9])('does so at compression level %i', (level) => {
    expect(gunzipNow(gzipSync(plain, { level }), LIMIT, inflater)?.codec).toBe('gzip');
  });

  it('takes an empty member', async () => {
    expect(await outcome(gzipSync(Buffer.alloc(0)))).toBe('whole of 0');
  });

  it('never says whole of several members, not even of an empty one before or behind', async () => {
    const empty = gzipSync(Buffer.alloc(0));
    const member = gzipSync(plain);
    expect(await outcome(Buffer.concat([member, member]))).toBe(`parts of ${2 * plain.length}`);
    expect(await outcome(Buffer.concat([empty, member]))).toBe(`parts of ${plain.length}`);
    expect(await outcome(Buffer.concat([member, empty]))).toBe(`parts of ${plain.length}`);
  });

  it('never says whole of a member with zeros behind it', async () => {
    expect(await outcome(Buffer.concat([gzipSync(plain), Buffer.alloc(9)]))).toBe(`parts of ${plain.length}`);
  });

  it('reads members with a name, though it does not pass them on as they are', async () => {
    expect(await outcome(named(plain))).toBe(`parts of ${plain.length}`);
  });

  it('stops at the limit and takes what is exactly as large', async () => {
    const body = gzipSync(Buffer.alloc(LIMIT));
    expect(await outcome(body)).toBe(`whole of ${LIMIT}`);
    expect(await outcome(body, LIMIT - 1)).toBe('413');
    expect(await outcome(Buffer.concat([body, gzipSync(Buffer.from('x'))]))).toBe('413');
  });

  it('leaves large bodies to the pool, with the same result', async () => {
    const limit = 64 * LIMIT;
    const large = gzipSync(Buffer.alloc(16 * LIMIT));
    expect(gunzipNow(large, limit, inflater)).toBeUndefined();
    expect(await outcome(large, limit)).toBe(`whole of ${16 * LIMIT}`);
  });

  it('believes neither a declared length that is too small nor one that cannot be', async () => {
    for (const declared of [0, 1, plain.length - 1, plain.length + 1, 0xffff_ffff]) {
      const body = gzipSync(plain);
      body.writeUInt32LE(declared, body.length - 4);
      expect(await outcome(body)).toBe('400');
    }
  });

  it('refuses what is no gzip', async () => {
    expect(await outcome(Buffer.alloc(0))).toBe('400');
    expect(await outcome(Buffer.from('x'))).toBe('400');
    expect(await outcome(deflateRawSync(plain))).toBe('400');
    expect(await outcome(plain)).toBe('400');
  });

  it('takes what it may come to hold from the share, and gives back what it does not need', async () => {
    const inFlight = new InFlight(LIMIT);
    const twice = Buffer.concat([gzipSync(plain), gzipSync(plain)]);
    const mine = new Share(inFlight);
    await gunzipLater(twice, LIMIT, mine);
    expect(inFlight.bytes).toBe(2 * plain.length);
    mine.release();
    expect(inFlight.bytes).toBe(0);
    new Share(inFlight).add(inFlight.limit_bytes);
    await expect(gunzipLater(twice, LIMIT, mine)).rejects.toMatchObject({ http: 503 });
  });

  it('decompresses a mutated body to the same bytes or refuses it', async () => {
    const body = gzipSync(plain.subarray(0, 300));
    await fc.assert(
      fc.asyncProperty(mutationArbitrary(body), async (mutated) => {
        expect(await outcome(mutated)).toMatch(/^(400|413|(whole|parts) of 300)$/);
      }),
      { seed: 31, numRuns: 1500 },
    );
  });
});
