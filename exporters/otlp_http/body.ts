// The bytes of one request. Invariant: a body holds at most one gzip member, because some decoders stop after the first
// and answer 200; what arrived compressed and leaves alone is sent byte for byte as it came.

import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { HoldfastError } from '../../config/error.ts';
import type { Entry } from '../../otlp/entry.ts';
import { concatenate } from '../../otlp/merge.ts';
import type { ExportBatch } from '../exporter.ts';

const gzip = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gzip);
const gunzip = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gunzip);

/** Below this a trip to another thread costs more than the work. */
const SMALL_BYTES = 16 * 1024;
const CHUNK_BYTES_MAX = 2 ** 20;
const CHUNK_BYTES_MIN = 1024;

export interface Body {
  readonly bytes: Uint8Array;
  readonly gzipped: boolean;
}

/** `level` undefined: nothing is compressed. @throws HoldfastError `HF_EXPORT_ENTRY_DAMAGED`. */
export async function bodyOf(batch: ExportBatch, level: number | undefined): Promise<Body> {
  const { entries } = batch;
  const only = entries.length === 1 ? entries[0]! : undefined;
  if (only?.codec === 'gzip' && level !== undefined) return { bytes: only.payload, gzipped: true };
  const plain = entries.every((entry) => entry.codec === 'identity') ? entries : await decompressed(entries);
  const merged = concatenate(plain);
  if (level === undefined) return { bytes: merged, gzipped: false };
  return { bytes: await compressed(merged, level), gzipped: true };
}

async function compressed(bytes: Uint8Array, level: number): Promise<Buffer> {
  const chunkSize = clamp(bytes.length >> 1);
  if (bytes.length <= SMALL_BYTES) return zlib.gzipSync(bytes, { level, chunkSize });
  return gzip(bytes, { level, chunkSize });
}

async function decompressed(entries: readonly Entry[]): Promise<Pick<Entry, 'codec' | 'payload'>[]> {
  const plain: Pick<Entry, 'codec' | 'payload'>[] = [];
  for (const entry of entries) {
    plain.push(entry.codec === 'identity' ? entry : { codec: 'identity', payload: await inflated(entry) });
  }
  return plain;
}

async function inflated(entry: Entry): Promise<Uint8Array> {
  // The receiver has seen the raw length; one byte more shows that this is something else.
  const options = { maxOutputLength: entry.rawLength + 1, chunkSize: clamp(entry.rawLength + 1) };
  let bytes: Uint8Array;
  try {
    bytes =
      entry.rawLength <= SMALL_BYTES
        ? zlib.gunzipSync(entry.payload, options)
        : await gunzip(entry.payload, options);
  } catch (cause) {
    throw damaged('cannot be decompressed', cause);
  }
  if (bytes.length !== entry.rawLength) throw damaged('decompresses to another length than it had');
  return bytes;
}

function damaged(how: string, cause?: unknown): HoldfastError {
  return new HoldfastError('HF_EXPORT_ENTRY_DAMAGED', `an entry ${how}`, false, { cause });
}

function clamp(bytes: number): number {
  return Math.max(CHUNK_BYTES_MIN, Math.min(CHUNK_BYTES_MAX, bytes));
}
