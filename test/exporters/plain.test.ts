import zlib from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { plainPayload } from '../../exporters/plain.ts';
import type { Codec, Entry } from '../../otlp/entry.ts';

const raw = Buffer.from('holdfast '.repeat(5000));
const compress: Record<Codec, (bytes: Buffer) => Buffer> = {
  identity: (bytes) => bytes,
  gzip: (bytes) => zlib.gzipSync(bytes),
  zstd: (bytes) => zlib.zstdCompressSync(bytes),
};
const entry = (codec: Codec, bytes: Buffer, rawLength = bytes.length): Entry => ({
  signal: 'traces',
  codec,
  items: 1,
  rawLength,
  payload: compress[codec](bytes),
});

describe('the plain payload of an entry', () => {
  it.each(['identity', 'gzip', 'zstd'] as const)('is what came in, small and large: %s', async (codec) => {
    expect(Buffer.from(await plainPayload(entry(codec, raw)))).toEqual(raw);
    expect(Buffer.from(await plainPayload(entry(codec, raw.subarray(0, 90))))).toEqual(raw.subarray(0, 90));
  });

  it.each(['gzip', 'zstd'] as const)(
    'is damage where it is another length or cannot be read: %s',
    async (codec) => {
      const damaged = { code: 'HF_EXPORT_ENTRY_DAMAGED' };
      for (const bytes of [raw, raw.subarray(0, 90)]) {
        await expect(plainPayload(entry(codec, bytes, bytes.length - 1))).rejects.toMatchObject(damaged);
        await expect(plainPayload(entry(codec, bytes, bytes.length + 1))).rejects.toMatchObject(damaged);
        const cut = entry(codec, bytes);
        await expect(plainPayload({ ...cut, payload: cut.payload.subarray(4) })).rejects.toMatchObject(
          damaged,
        );
      }
    },
  );
});
