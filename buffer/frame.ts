// The frame: the atomic unit of checksum and of loss. A 40-byte header with a checksum of its own, so that a damaged
// length cannot cost the rest of the file, then entries as varint length, varint time delta, bytes. FORMAT.md, "Frame".

import { crc32 } from './crc32.ts';
import type { FrameKey } from './frame_key.ts';

export const FRAME_HEADER_BYTES = 40;
export const FRAME_VERSION = 1;
/** A frame is filled by consecutive appends up to this many body bytes; a larger entry has a frame of its own. */
export const FRAME_BODY_TARGET_BYTES = 64 * 1024;
export const FRAME_ENTRIES_MAX = 0xffff;
/** varint length (5) + varint time delta (5): the most that an entry costs beside its bytes. */
export const ENTRY_OVERHEAD_MAX_BYTES = 10;

const MAGIC_0 = 0x48; // H
const MAGIC_1 = 0x46; // F
/** The batch that ends this frame goes on in the next one. */
export const FLAG_CONTINUES = 1;
/** This frame begins with the rest of a batch from the frame before. */
export const FLAG_CONTINUED = 2;
/** The body is compressed; of the two bits for a codec (0x30) this is the only one that is given away. */
export const FLAG_ZSTD = 0x10;
const KNOWN_FLAGS = FLAG_CONTINUES | FLAG_CONTINUED | FLAG_ZSTD;
/** A compressed body begins with the length of what was compressed, u32. */
export const PACKED_PREFIX_BYTES = 4;
/** What a body may be decompressed to; larger ones are stored as they are. A bound for memory, not for entries. */
export const PACKED_RAW_MAX_BYTES = 256 * 1024 * 1024;

export interface FrameHeader {
  readonly flags: number;
  readonly bodyBytes: number;
  readonly baseOffset: number;
  readonly count: number;
  /** Time of append of the first entry, ms since the Unix epoch. */
  readonly timestamp: number;
  /** Of the owner that wrote it. */
  readonly epoch: number;
  /** Everything below this offset was durable when the frame was written. */
  readonly watermark: number;
  /** The key is taken out already: the plain CRC of the body. */
  readonly bodyCrc: number;
}

/** Writes the header at `at`; the body must stand behind it already. Offsets are below 2^53. */
export function sealFrame(
  target: Buffer,
  at: number,
  flags: number,
  bodyBytes: number,
  baseOffset: number,
  count: number,
  timestamp: number,
  epoch: number,
  watermark: number,
  key: FrameKey,
): void {
  const body = at + FRAME_HEADER_BYTES;
  target[at] = MAGIC_0;
  target[at + 1] = MAGIC_1;
  target[at + 2] = FRAME_VERSION;
  target[at + 3] = flags;
  target.writeUInt32LE(bodyBytes, at + 4);
  writeOffset(target, baseOffset, at + 8);
  target.writeUInt16LE(count, at + 16);
  target.writeUIntLE(timestamp, at + 18, 6);
  target.writeUInt32LE(epoch, at + 24);
  target.writeUInt32LE(baseOffset - watermark, at + 28);
  target.writeUInt32LE((crc32(target.subarray(body, body + bodyBytes)) ^ key.body) >>> 0, at + 32);
  target.writeUInt32LE((crc32(target.subarray(at, at + 36)) ^ key.header) >>> 0, at + 36);
}

/** The header at `at`, or undefined unless 40 bytes stand there whose checksum under the key, magic, version and flags are right. */
export function readFrameHeader(source: Buffer, at: number, key: FrameKey): FrameHeader | undefined {
  if (at + FRAME_HEADER_BYTES > source.length) return undefined;
  if (!known(source, at) || !headerMatches(source, at, key)) return undefined;
  return headerFields(source, at, key);
}

/** The header that is known to stand at `at`: in memory that this process has filled itself. */
export function headerFields(source: Buffer, at: number, key: FrameKey): FrameHeader {
  const baseOffset = readOffset(source, at + 8);
  return {
    flags: source[at + 3]!,
    bodyBytes: source.readUInt32LE(at + 4),
    baseOffset,
    count: source.readUInt16LE(at + 16),
    timestamp: source.readUIntLE(at + 18, 6),
    epoch: source.readUInt32LE(at + 24),
    watermark: baseOffset - source.readUInt32LE(at + 28),
    bodyCrc: (source.readUInt32LE(at + 32) ^ key.body) >>> 0,
  };
}

/** What a whole header at `at` says that only a newer program understands, or undefined. */
export function newerFrame(source: Buffer, at: number, key: FrameKey): string | undefined {
  if (at + FRAME_HEADER_BYTES > source.length || known(source, at)) return undefined;
  if (source[at] !== MAGIC_0 || source[at + 1] !== MAGIC_1 || !headerMatches(source, at, key))
    return undefined;
  const [version, flags] = [source[at + 2]!, source[at + 3]!];
  return version > FRAME_VERSION ? String(version) : `${version} with flags 0x${flags.toString(16)}`;
}

function known(source: Buffer, at: number): boolean {
  return (
    source[at] === MAGIC_0 &&
    source[at + 1] === MAGIC_1 &&
    source[at + 2] === FRAME_VERSION &&
    (source[at + 3]! & ~KNOWN_FLAGS) === 0
  );
}

function headerMatches(source: Buffer, at: number, key: FrameKey): boolean {
  const stored = (source.readUInt32LE(at + 36) ^ key.header) >>> 0;
  return crc32(source.subarray(at, at + 36)) === stored;
}

/** Whether the body is compressed: its entries are not to be seen as it stands. */
export function isPacked(header: FrameHeader): boolean {
  return (header.flags & FLAG_ZSTD) !== 0;
}

/** Whether the body at `at` is the one that the header was written for. */
export function bodyMatches(source: Buffer, at: number, header: FrameHeader): boolean {
  return crc32(source.subarray(at, at + header.bodyBytes)) === header.bodyCrc;
}

/** Where the next magic may stand at or after `from`, or -1. */
export function findMagic(source: Buffer, from: number): number {
  let at = source.indexOf(MAGIC_0, from);
  while (at !== -1 && at + 1 < source.length && source[at + 1] !== MAGIC_1)
    at = source.indexOf(MAGIC_0, at + 1);
  return at;
}

/** Writes an unsigned 32-bit varint and returns the position behind it. */
export function writeVarint(target: Uint8Array, at: number, value: number): number {
  let position = at;
  let rest = value;
  while (rest > 0x7f) {
    target[position++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[position++] = rest;
  return position;
}

/** Walks the entries of one frame body without an object per step: `next()` moves, the fields tell where it stands. */
export class EntryCursor {
  /** Start and end of the current entry's bytes within the source. */
  start = 0;
  end = 0;
  /** ms after the frame's first timestamp. */
  timeDelta_ms = 0;
  #source: Uint8Array = new Uint8Array(0);
  #position = 0;
  #limit = 0;

  /** Begins at the body that stands at `at`. */
  open(source: Uint8Array, at: number, bodyBytes: number): void {
    this.#source = source;
    this.#position = at;
    this.#limit = at + bodyBytes;
  }

  /** Goes on in a copy of the body that begins at 0; it stood at `at` so far. */
  move(copy: Uint8Array, at: number): void {
    this.#source = copy;
    this.#position -= at;
    this.#limit -= at;
    this.start -= at;
    this.end -= at;
  }

  /** False at the end of the body, or where it does not hold together (which the checksum makes a writer's error). */
  next(): boolean {
    if (this.#position >= this.#limit) return false;
    const bytes = this.#varint();
    this.timeDelta_ms = this.#varint();
    this.start = this.#position;
    this.end = this.start + bytes;
    this.#position = this.end;
    return this.end <= this.#limit;
  }

  #varint(): number {
    let value = 0;
    let shift = 0;
    while (this.#position < this.#limit) {
      const byte = this.#source[this.#position++]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
      shift += 7;
      if (shift > 28) break;
    }
    return value >>> 0;
  }
}

export function writeOffset(target: Buffer, offset: number, at: number): void {
  target.writeUInt32LE(offset % 0x100000000, at);
  target.writeUInt32LE(Math.floor(offset / 0x100000000), at + 4);
}

export function readOffset(source: Buffer, at: number): number {
  return source.readUInt32LE(at) + source.readUInt32LE(at + 4) * 0x100000000;
}
