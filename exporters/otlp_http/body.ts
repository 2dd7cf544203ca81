// The bytes of one request. Invariant: a body holds at most one gzip member, because some decoders stop after the first
// and answer 200; what arrived compressed and leaves alone is sent byte for byte as it came.

import { promisify } from 'node:util';
import zlib from 'node:zlib';
import type { Block, BlockPool } from '../../buffer/index.ts';
import type { Entry } from '../../otlp/entry.ts';
import { concatenate } from '../../otlp/merge.ts';
import type { ExportBatch } from '../exporter.ts';
import { plainPayload } from '../plain.ts';

const gzip = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gzip);

/** Below this a trip to another thread costs more than the work. */
const SMALL_BYTES = 16 * 1024;
const CHUNK_BYTES_MAX = 2 ** 20;
const CHUNK_BYTES_MIN = 1024;

export interface Body {
  readonly bytes: Uint8Array;
  readonly gzipped: boolean;
  /** Memory of the pool under `bytes`: to be released only when nobody reads it any more. */
  readonly block: Block | undefined;
}

/** `level` undefined: nothing is compressed. @throws HoldfastError `HF_EXPORT_ENTRY_DAMAGED`. */
export async function bodyOf(batch: ExportBatch, level: number | undefined, pool: BlockPool): Promise<Body> {
  const { entries } = batch;
  const only = entries.length === 1 ? entries[0]! : undefined;
  if (only?.codec === 'gzip' && level !== undefined) {
    return { bytes: only.payload, gzipped: true, block: undefined };
  }
  const plain = entries.every((entry) => entry.codec === 'identity') ? entries : await decompressed(entries);
  let block: Block | undefined;
  const merged = concatenate(plain, (bytes) => {
    block = pool.acquire(bytes);
    return block.memory;
  });
  if (level === undefined) return { bytes: merged, gzipped: false, block };
  const bytes = await compressed(merged, level);
  block?.release();
  return { bytes, gzipped: true, block: undefined };
}

async function compressed(bytes: Uint8Array, level: number): Promise<Buffer> {
  const chunkSize = clamp(bytes.length >> 1);
  if (bytes.length <= SMALL_BYTES) return zlib.gzipSync(bytes, { level, chunkSize });
  return gzip(bytes, { level, chunkSize });
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

function clamp(bytes: number): number {
  return Math.max(CHUNK_BYTES_MIN, Math.min(CHUNK_BYTES_MAX, bytes));
}
