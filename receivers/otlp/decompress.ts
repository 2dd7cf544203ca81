// The one place where a body is decompressed. Invariants: no more than `limit` bytes ever come out (CVE-2024-36129),
// and `whole` is said only of a body that is exactly one gzip member with its checksum right. Others decompress too,
// but must not be passed on byte for byte: some decoders stop after the first member, which would lose data in silence.
//
// So the member is taken apart here (RFC 1952) and only its deflate stream given to zlib: raw inflate stops at the end
// of the first stream and says how much it consumed, and checking the CRC ourselves costs what gunzip pays for it.

import zlib from 'node:zlib';
import type { Share } from './in_flight.ts';
import { malformed, tooLarge } from './refusal.ts';

export interface Decompressed {
  readonly bytes: Buffer;
  /** The body was one gzip member and nothing else. */
  readonly whole: boolean;
}

/** Up to these sizes a body is inflated at once, in 5 ms at most; above, in the pool, while the event loop goes on. */
const SYNC_COMPRESSED_BYTES_MAX = 2 ** 20;
const SYNC_BYTES_MAX = 8 * 2 ** 20;

const TRAILER_BYTES = 8;
const HEADER_BYTES_MIN = 10;
/** Deflate cannot shrink further; a trailer that claims more is wrong. */
const DEFLATE_RATIO_MAX = 1032;
/** zlib refuses smaller chunks. */
const CHUNK_BYTES_MIN = 64;
const CHUNK_BYTES = 256 * 2 ** 10;

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
export function gunzipNow(body: Buffer, limit: number): Decompressed | undefined {
  const member = memberOf(body, limit);
  if (!member || body.length > SYNC_COMPRESSED_BYTES_MAX || member.length > SYNC_BYTES_MAX) return undefined;
  try {
    return checked(body, member, zlib.inflateRawSync(member.deflate, optionsFor(member)));
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
    const one = await inflateMember(body, member);
    if (one) return one;
    share.remove(member.length);
  }
  const most = Math.min(limit, body.length * DEFLATE_RATIO_MAX);
  share.add(most);
  const bytes = await gunzipAny(body, limit);
  share.remove(most - bytes.length);
  return { bytes, whole: false };
}

function gunzipAny(body: Buffer, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    zlib.gunzip(body, { maxOutputLength: limit, chunkSize: CHUNK_BYTES }, (error, bytes) => {
      if (!error) resolve(bytes);
      else if (isTooLarge(error)) reject(tooLarge(limit, 'the decompressed body'));
      else reject(malformed('the body is not valid gzip', error));
    });
  });
}

function inflateMember(body: Buffer, member: Member): Promise<Decompressed | undefined> {
  return new Promise((resolve) => {
    zlib.inflateRaw(member.deflate, optionsFor(member), (error, inflated) => {
      resolve(error ? undefined : checked(body, member, inflated));
    });
  });
}

/** The declared length bounds the output, so one chunk of that size holds all of it without copying. */
function optionsFor(member: Member): zlib.ZlibOptions {
  return {
    info: true,
    maxOutputLength: Math.max(1, member.length),
    chunkSize: Math.max(CHUNK_BYTES_MIN, member.length + 1),
  };
}

/** With `info: true` zlib gives this instead of a buffer; its declared types do not say so. */
interface Inflated {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

/** Length, checksum and the end of the body must be where one member has them. */
function checked(body: Buffer, member: Member, result: unknown): Decompressed | undefined {
  const { buffer: bytes, engine } = result as Inflated;
  const trailerAt = body.length - member.deflate.length + engine.bytesWritten;
  const whole =
    trailerAt + TRAILER_BYTES === body.length &&
    bytes.length === member.length &&
    zlib.crc32(bytes) === body.readUInt32LE(trailerAt);
  return whole ? { bytes, whole } : undefined;
}

/** Undefined where there is no gzip header, or the trailer declares what cannot be or is over the limit. */
function memberOf(body: Buffer, limit: number): Member | undefined {
  const start = afterHeader(body);
  if (start === undefined || start + TRAILER_BYTES > body.length) return undefined;
  const length = body.readUInt32LE(body.length - 4);
  if (length > limit || length > body.length * DEFLATE_RATIO_MAX) return undefined;
  return { deflate: body.subarray(start), length };
}

/** Where the deflate stream begins (RFC 1952, 2.3), or undefined where this is no gzip header. */
function afterHeader(body: Buffer): number | undefined {
  if (body.length < HEADER_BYTES_MIN + TRAILER_BYTES) return undefined;
  if (body[0] !== 0x1f || body[1] !== 0x8b || body[2] !== 8) return undefined;
  const flags = body[3]!;
  // Nearly nobody sends a name, a comment or extra fields; gunzip reads those.
  return flags === 0 ? HEADER_BYTES_MIN : undefined;
}

function isTooLarge(error: Error): boolean {
  return 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
}
