// The protobuf bytes of an entry whatever its codec, for exporters that have to look inside or to merge. Invariant: exactly
// as many bytes as the entry's header says (they were counted and capped when it came in).

import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { HoldfastError } from '../config/error.ts';
import type { Entry } from '../otlp/entry.ts';

const gunzip = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gunzip);

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
  let bytes: Uint8Array;
  try {
    bytes =
      entry.rawLength <= SMALL_BYTES
        ? zlib.gunzipSync(entry.payload, options)
        : await gunzip(entry.payload, options);
  } catch (cause) {
    if (!saysDamage(cause)) throw cause;
    throw damaged('cannot be decompressed', cause);
  }
  if (bytes.length !== entry.rawLength) throw damaged('decompresses to another length than it had');
  return bytes;
}

/** What zlib says of the bytes; a lack of memory says nothing of them. */
function saysDamage(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  return code === 'ERR_BUFFER_TOO_LARGE' || (code.startsWith('Z_') && code !== 'Z_MEM_ERROR');
}

function damaged(how: string, cause?: unknown): HoldfastError {
  return new HoldfastError('HF_EXPORT_ENTRY_DAMAGED', `an entry ${how}`, false, { cause });
}
