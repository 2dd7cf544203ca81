// The protobuf bytes of an entry whatever its codec, for exporters that have to look inside or to merge. Invariant: exactly
// as many bytes as the entry's header says (they were counted and capped when it came in).

import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { HoldfastError } from '../config/error.ts';
import type { Entry } from '../otlp/entry.ts';

interface Options {
  readonly maxOutputLength: number;
  readonly chunkSize: number;
}

interface Decoder {
  now(bytes: Uint8Array, options: Options): Buffer;
  later(bytes: Uint8Array, options: Options): Promise<Buffer>;
}

const decoders: Readonly<Record<'gzip' | 'zstd', Decoder>> = {
  gzip: { now: zlib.gunzipSync, later: promisify(zlib.gunzip) },
  zstd: { now: zlib.zstdDecompressSync, later: promisify(zlib.zstdDecompress) },
};

/** Below this a trip to another thread costs more than the work. */
const SMALL_BYTES = 16 * 1024;
const CHUNK_BYTES_MAX = 2 ** 20;
const CHUNK_BYTES_MIN = 1024;

/** @throws HoldfastError `HF_EXPORT_ENTRY_DAMAGED` when the stored bytes are not what the header says; what zlib throws without memory. */
export async function plainPayload(entry: Entry): Promise<Uint8Array> {
  if (entry.codec === 'identity') return entry.payload;
  // The receiver has seen the raw length; one byte more shows that this is something else.
  const most = entry.rawLength + 1;
  const options = {
    maxOutputLength: most,
    chunkSize: Math.max(CHUNK_BYTES_MIN, Math.min(CHUNK_BYTES_MAX, most)),
  };
  const { now, later } = decoders[entry.codec];
  let bytes: Uint8Array;
  try {
    bytes =
      entry.rawLength <= SMALL_BYTES ? now(entry.payload, options) : await later(entry.payload, options);
  } catch (cause) {
    if (!saysDamage(cause)) throw cause;
    throw damaged('cannot be decompressed', cause);
  }
  if (bytes.length !== entry.rawLength) throw damaged('decompresses to another length than it had');
  return bytes;
}

const outOfMemory: ReadonlySet<string> = new Set(['Z_MEM_ERROR', 'ZSTD_error_memory_allocation']);

/** What zlib says of the bytes; a lack of memory says nothing of them. */
function saysDamage(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  return code === 'ERR_BUFFER_TOO_LARGE' || (/^Z(STD)?_/.test(code) && !outOfMemory.has(code));
}

function damaged(how: string, cause?: unknown): HoldfastError {
  return new HoldfastError('HF_EXPORT_ENTRY_DAMAGED', `an entry ${how}`, false, { cause });
}
