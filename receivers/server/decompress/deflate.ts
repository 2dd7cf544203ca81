// Bodies in zlib format (RFC 1950), which HTTP calls deflate (RFC 9110, 8.4.1.2). Kept as gzip: the deflate stream within
// is the same, so only the few bytes around it are exchanged and nothing is compressed again.
// Invariant: bytes behind the stream are refused, for they would be lost.

import zlib from 'node:zlib';
import type { Share } from '../in_flight.ts';
import { malformed, Refusal, tooLarge } from '../refusal.ts';
import {
  isTooLarge,
  SYNC_BYTES_MAX,
  SYNC_COMPRESSED_BYTES_MAX,
  type Unpacked,
  unpackLater,
  unpackNow,
} from './bounded.ts';
import type { Decompressed } from './decompressed.ts';
import { DEFLATE_RATIO_MAX, GZIP_HEADER_BYTES, GZIP_TRAILER_BYTES } from './gzip.ts';

const HEADER_BYTES = 2;
const ADLER_BYTES = 4;
/** Telemetry shrinks about so far; a body that shrinks further costs a copy. */
const LIKELY_RATIO = 8;
/** Magic, deflate, no flags, no time, no hints, unknown system (RFC 1952, 2.3). */
const gzipHeader = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);

/** Undefined: ask `inflateLater`, for it is large. @throws Refusal 400 or 413 */
export function inflateNow(body: Buffer, limit: number): Decompressed | undefined {
  if (body.length > SYNC_COMPRESSED_BYTES_MAX) return undefined;
  const most_bytes = Math.min(limit, SYNC_BYTES_MAX);
  try {
    const unpacked = unpackNow('inflate', body, { most_bytes, likely_bytes: LIKELY_RATIO * body.length });
    return keptAsGzip(body, unpacked);
  } catch (error) {
    if (isTooLarge(error) && most_bytes < limit) return undefined;
    throw refusalOf(error, limit);
  }
}

/** @throws Refusal 400, 413, or 503 when the share cannot grow */
export async function inflateLater(body: Buffer, limit: number, share: Share): Promise<Decompressed> {
  const most_bytes = Math.min(limit, body.length * DEFLATE_RATIO_MAX);
  share.add(most_bytes);
  try {
    const unpacked = await unpackLater('inflate', body, {
      most_bytes,
      likely_bytes: Math.min(SYNC_BYTES_MAX, LIKELY_RATIO * body.length),
    });
    share.remove(most_bytes - unpacked.bytes.length);
    return keptAsGzip(body, unpacked);
  } catch (error) {
    throw refusalOf(error, limit);
  }
}

function keptAsGzip(body: Buffer, { bytes, consumed_bytes }: Unpacked): Decompressed {
  if (consumed_bytes !== body.length) throw malformed('there are bytes behind the end of the zlib stream');
  const deflate = body.subarray(HEADER_BYTES, body.length - ADLER_BYTES);
  const stored = Buffer.allocUnsafe(GZIP_HEADER_BYTES + deflate.length + GZIP_TRAILER_BYTES);
  stored.set(gzipHeader);
  stored.set(deflate, GZIP_HEADER_BYTES);
  stored.writeUInt32LE(zlib.crc32(bytes), stored.length - GZIP_TRAILER_BYTES);
  stored.writeUInt32LE(bytes.length, stored.length - 4);
  return { bytes, stored, codec: 'gzip' };
}

function refusalOf(error: unknown, limit: number): Refusal {
  if (error instanceof Refusal) return error;
  return isTooLarge(error)
    ? tooLarge(limit, 'the decompressed body')
    : malformed('the body is not a valid zlib stream', error);
}
