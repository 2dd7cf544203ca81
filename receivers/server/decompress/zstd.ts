// Zstandard bodies (RFC 8878, with the window of RFC 9659). Invariant: one is kept as it came only if it is exactly one
// frame from its first byte to its last; several are legal, and stored decompressed as several gzip members are.

import type { Share } from '../in_flight.ts';
import { malformed, tooLarge } from '../refusal.ts';
import {
  codeOf,
  isTooLarge,
  SYNC_BYTES_MAX,
  SYNC_COMPRESSED_BYTES_MAX,
  type Unpacked,
  unpackLater,
  unpackNow,
} from './bounded.ts';
import { type Decompressed, keepPlain } from './decompressed.ts';
import { outlineOf, type ZstdOutline } from './zstd_frame.ts';

/** Undefined: ask `zstdLater`, for it is large. @throws Refusal 400 or 413 */
export function zstdNow(body: Buffer, limit: number): Decompressed | undefined {
  const outline = checkedOutline(body);
  const most_bytes = Math.min(limit, outline.most_bytes);
  if (body.length > SYNC_COMPRESSED_BYTES_MAX || most_bytes > SYNC_BYTES_MAX) return undefined;
  try {
    return kept(body, outline, unpackNow('zstd', body, { most_bytes, likely_bytes: most_bytes }));
  } catch (error) {
    throw refusalOf(error, limit);
  }
}

/** @throws Refusal 400, 413, or 503 when the share cannot grow */
export async function zstdLater(body: Buffer, limit: number, share: Share): Promise<Decompressed> {
  const outline = checkedOutline(body);
  const most_bytes = Math.min(limit, outline.most_bytes);
  share.add(most_bytes);
  let unpacked: Unpacked;
  try {
    const bounds = { most_bytes, likely_bytes: Math.min(SYNC_BYTES_MAX, most_bytes) };
    unpacked = await unpackLater('zstd', body, bounds);
  } catch (error) {
    throw refusalOf(error, limit);
  }
  share.remove(most_bytes - unpacked.bytes.length);
  return kept(body, outline, unpacked);
}

function checkedOutline(body: Buffer): ZstdOutline {
  const outline = outlineOf(body);
  if (!outline) throw malformed('the body is not valid zstd');
  if (outline.dictionary) throw malformed('the body needs a zstd dictionary, which is not known here');
  return outline;
}

/**
 * Where the last block is empty, zstd's stream decoder does not see that a frame holds less than it says; other decoders do,
 * and would refuse for ever what was acknowledged here.
 */
function kept(body: Buffer, outline: ZstdOutline, { bytes }: Unpacked): Decompressed {
  const { frames, skippable, declared_bytes = bytes.length } = outline;
  if (bytes.length !== declared_bytes) throw malformed('the body is not valid zstd');
  return frames === 1 && !skippable ? { bytes, stored: body, codec: 'zstd' } : keepPlain(bytes);
}

function refusalOf(error: unknown, limit: number): Error {
  if (isTooLarge(error)) return tooLarge(limit, 'the decompressed body');
  return codeOf(error) === 'ZSTD_error_frameParameter_windowTooLarge'
    ? malformed('the zstd window is larger than 8 MiB', error)
    : malformed('the body is not valid zstd', error);
}
