// Gzip bodies. Invariant: one is kept as it came only if it is exactly one member with its checksum right. Others
// decompress too, but must not be passed on byte for byte: some decoders stop after the first member, which would lose
// data in silence.
//
// So the member is taken apart here (RFC 1952) and only its deflate stream given to zlib: raw inflate stops at the end
// of the first stream and says how much it consumed, and checking the CRC ourselves costs what gunzip pays for it.

import { crc32 } from '../../../buffer/index.ts';
import type { Share } from '../in_flight.ts';
import { malformed, tooLarge } from '../refusal.ts';
import {
  isTooLarge,
  SYNC_BYTES_MAX,
  SYNC_COMPRESSED_BYTES_MAX,
  type Unpacked,
  unpackLater,
  unpackNow,
} from './bounded.ts';
import { type Decompressed, keepPlain } from './decompressed.ts';
import type { Inflater } from './inflater.ts';

export const GZIP_TRAILER_BYTES = 8;
export const GZIP_HEADER_BYTES = 10;
/** Deflate cannot shrink further; a trailer that claims more is wrong. */
export const DEFLATE_RATIO_MAX = 1032;
const LIKELY_BYTES = 256 * 2 ** 10;

/** One gzip member as its header and trailer describe it. */
interface Member {
  readonly deflate: Buffer;
  /** Of the decompressed bytes, as the last four bytes declare it: true only if this is one member. */
  readonly length: number;
}

/**
 * Inflates a body of moderate size that is one gzip member. Undefined: ask `gunzipLater`, for it is large, unusual or
 * broken. Never throws.
 */
export function gunzipNow(body: Buffer, limit: number, inflater: Inflater): Decompressed | undefined {
  const member = memberOf(body, limit);
  if (!member || body.length > SYNC_COMPRESSED_BYTES_MAX || member.length > SYNC_BYTES_MAX) return undefined;
  try {
    const reused = inflater.inflate(member.deflate, member.length);
    return checked(body, member, reused ?? unpackNow('inflateRaw', member.deflate, boundsOf(member)));
  } catch {
    return undefined;
  }
}

/**
 * Any gzip body, several members too, off the event loop. What it may come to hold is taken from `share` beforehand.
 * @throws Refusal 400, 413, or 503 when the share cannot grow
 */
export async function gunzipLater(body: Buffer, limit: number, share: Share): Promise<Decompressed> {
  const member = memberOf(body, limit);
  if (member) {
    share.add(member.length);
    const one = await unpackLater('inflateRaw', member.deflate, boundsOf(member)).catch(() => undefined);
    const whole = one && checked(body, member, one);
    if (whole) return whole;
    share.remove(member.length);
  }
  const most_bytes = Math.min(limit, body.length * DEFLATE_RATIO_MAX);
  share.add(most_bytes);
  try {
    const { bytes } = await unpackLater('gunzip', body, { most_bytes, likely_bytes: LIKELY_BYTES });
    share.remove(most_bytes - bytes.length);
    return keepPlain(bytes);
  } catch (error) {
    throw isTooLarge(error)
      ? tooLarge(limit, 'the decompressed body')
      : malformed('the body is not valid gzip', error);
  }
}

/** The declared length bounds the output, so one chunk of that size holds all of it without copying. */
function boundsOf({ length }: Member) {
  return { most_bytes: length, likely_bytes: length };
}

/** Length, checksum and the end of the body must be where one member has them. */
function checked(
  body: Buffer,
  member: Member,
  { bytes, consumed_bytes }: Unpacked,
): Decompressed | undefined {
  const trailerAt = body.length - member.deflate.length + consumed_bytes;
  const whole =
    trailerAt + GZIP_TRAILER_BYTES === body.length &&
    bytes.length === member.length &&
    crc32(bytes) === body.readUInt32LE(trailerAt);
  return whole ? { bytes, stored: body, codec: 'gzip' } : undefined;
}

/** Undefined where there is no gzip header, or the trailer declares what cannot be or is over the limit. */
function memberOf(body: Buffer, limit: number): Member | undefined {
  if (body.length < GZIP_HEADER_BYTES + GZIP_TRAILER_BYTES) return undefined;
  // Nearly nobody sends a name, a comment or extra fields (flags, RFC 1952, 2.3.1); gunzip reads those.
  if (body[0] !== 0x1f || body[1] !== 0x8b || body[2] !== 8 || body[3] !== 0) return undefined;
  const length = body.readUInt32LE(body.length - 4);
  if (length > limit || length > body.length * DEFLATE_RATIO_MAX) return undefined;
  return { deflate: body.subarray(GZIP_HEADER_BYTES), length };
}
