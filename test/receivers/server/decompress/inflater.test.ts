import zlib from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Inflater } from '../../../../receivers/server/decompress/inflater.ts';
import { mutationArbitrary } from '../../../otlp/arbitrary.ts';

const plain = Buffer.from('holdfast '.repeat(1000));
const deflate = zlib.deflateRawSync(plain);

/** What zlib itself gives. A broken stream may have too many bytes as well, so both are one: refused. */
function expected(body: Buffer, most_bytes: number): string {
  try {
    return zlib.inflateRawSync(body, { maxOutputLength: Math.max(1, most_bytes) }).toString('latin1');
  } catch {
    return 'refused';
  }
}

function outcome(inflater: Inflater, body: Buffer, most_bytes: number): string {
  const unpacked = inflater.inflate(body, most_bytes);
  if (!unpacked || unpacked.bytes.length > most_bytes) return 'refused';
  return unpacked.bytes.toString('latin1');
}

describe('inflating into memory that is used again', () => {
  it('works in the Node that Holdfast is pinned to', () => {
    expect(new Inflater().reuses).toBe(true);
  });

  it('says where the stream ended', () => {
    const unpacked = new Inflater().inflate(Buffer.concat([deflate, Buffer.from('behind')]), plain.length);
    expect(unpacked?.bytes.equals(plain)).toBe(true);
    expect(unpacked?.consumed_bytes).toBe(deflate.length);
  });

  it('gives one byte more than was asked for where there are more', () => {
    expect(new Inflater().inflate(deflate, 10)?.bytes).toHaveLength(11);
  });

  it('leaves what is large to others', () => {
    expect(new Inflater().inflate(deflate, 2 ** 20)).toBeUndefined();
  });

  it('goes on after a broken stream', () => {
    const inflater = new Inflater();
    for (let i = 0; i < 3; i++) {
      expect(inflater.inflate(Buffer.alloc(20, 0xff), 100)).toBeUndefined();
      expect(inflater.inflate(deflate.subarray(0, -5), plain.length)).toBeUndefined();
      expect(inflater.inflate(deflate, plain.length)?.bytes.equals(plain)).toBe(true);
    }
  });

  it('gives what zlib gives, whatever came before', () => {
    const inflater = new Inflater();
    const bodies = fc.oneof(
      mutationArbitrary(zlib.deflateRawSync(plain.subarray(0, 400))),
      fc.uint8Array({ maxLength: 3000 }).map((bytes) => zlib.deflateRawSync(bytes)),
    );
    fc.assert(
      fc.property(bodies, fc.nat(3000), (body, most_bytes) => {
        expect(outcome(inflater, Buffer.from(body), most_bytes + 1)).toBe(
          expected(Buffer.from(body), most_bytes + 1),
        );
      }),
      { seed: 77, numRuns: 2000 },
    );
  });
});
