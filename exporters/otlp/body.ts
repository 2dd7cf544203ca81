// The bytes of one request of an OTLP exporter. Invariant: a body holds at most one compressed member, because some decoders
// stop after the first and answer 200; what arrived in the wanted form and leaves alone is sent byte for byte as it came.

import { promisify } from 'node:util';
import zlib from 'node:zlib';
import type { Block, BlockPool } from '../../buffer/index.ts';
import type { Entry } from '../../otlp/entry.ts';
import { requestToJson } from '../../otlp/json/from_protobuf.ts';
import { concatenate } from '../../otlp/merge.ts';
import type { ExportBatch } from '../exporter.ts';
import { plainPayload } from '../plain.ts';

const gzip = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gzip);
const zstd = promisify<Uint8Array, zlib.ZstdOptions, Buffer>(zlib.zstdCompress);

/** Below this a trip to another thread costs more than the work. */
const SMALL_BYTES = 16 * 1024;
const CHUNK_BYTES_MAX = 2 ** 20;
const CHUNK_BYTES_MIN = 1024;

export type Encoding = 'proto' | 'json';
export type Compression = 'gzip' | 'zstd' | 'none';

/** What a destination wants to be sent. */
export interface BodyForm {
  readonly encoding: Encoding;
  readonly compression: Compression;
  /** Of the compression; its scale is the codec's own. */
  readonly level: number;
}

export interface Body {
  readonly bytes: Uint8Array;
  /** Memory of the pool under `bytes`: to be released only when nobody reads it any more. */
  readonly block: Block | undefined;
}

/** @throws HoldfastError `HF_EXPORT_ENTRY_DAMAGED`, and MalformedOtlp where JSON is wanted: both say that the entries are at fault. */
export async function bodyOf(batch: ExportBatch, form: BodyForm, pool: BlockPool): Promise<Body> {
  const { entries } = batch;
  const only = entries.length === 1 ? entries[0]! : undefined;
  if (form.encoding === 'proto' && only !== undefined && only.codec === form.compression) {
    return { bytes: only.payload, block: undefined };
  }
  const plain = entries.every((entry) => entry.codec === 'identity') ? entries : await decompressed(entries);
  let block: Block | undefined;
  const merged = concatenate(plain, (bytes) => {
    block = pool.acquire(bytes);
    return block.memory;
  });
  const proto = form.encoding === 'proto';
  if (proto && form.compression === 'none') return { bytes: merged, block };
  // From here on the pool's memory is only read, and only until this has settled.
  try {
    const bytes = proto ? merged : Buffer.from(requestToJson(batch.signal, merged), 'utf8');
    return { bytes: await compressed(bytes, form), block: undefined };
  } finally {
    block?.release();
  }
}

async function compressed(bytes: Uint8Array, { compression, level }: BodyForm): Promise<Uint8Array> {
  if (compression === 'none') return bytes;
  const chunkSize = Math.max(CHUNK_BYTES_MIN, Math.min(CHUNK_BYTES_MAX, bytes.length >> 1));
  const small = bytes.length <= SMALL_BYTES;
  if (compression === 'gzip') {
    const options = { level, chunkSize };
    return small ? zlib.gzipSync(bytes, options) : gzip(bytes, options);
  }
  const options = { chunkSize, params: { [zlib.constants.ZSTD_c_compressionLevel]: level } };
  return small ? zlib.zstdCompressSync(bytes, options) : zstd(bytes, options);
}

async function decompressed(entries: readonly Entry[]): Promise<Pick<Entry, 'codec' | 'payload'>[]> {
  const plain: Pick<Entry, 'codec' | 'payload'>[] = [];
  for (const entry of entries) {
    plain.push(
      entry.codec === 'identity' ? entry : { codec: 'identity', payload: await plainPayload(entry) },
    );
  }
  return plain;
}
