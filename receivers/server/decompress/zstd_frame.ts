// Walks the frames of a zstd body by their headers (RFC 8878, 3.1) without decompressing anything: how many there are, and
// what can come out of them at most. Invariant: the bound is never below what a decoder gives, and no byte is left over.

const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const SKIPPABLE_MASK = 0xfffffff0;
const BLOCK_BYTES_MAX = 128 * 1024;
const BLOCK_HEADER_BYTES = 3;
const CHECKSUM_BYTES = 4;
/** Lengths of the fields by their flags (3.1.1.1.1). */
const dictionaryIdBytes = [0, 1, 2, 4] as const;
const contentSizeBytes = [0, 2, 4, 8] as const;

export interface ZstdOutline {
  readonly frames: number;
  /** A frame that holds no content, which not every decoder passes over. */
  readonly skippable: boolean;
  /** No more than this comes out. */
  readonly most_bytes: number;
  /** What the frames say that they hold, where all of them say it. */
  readonly declared_bytes: number | undefined;
  /** Some frame needs a dictionary that only its sender has. */
  readonly dictionary: boolean;
}

interface Place {
  /** Undefined where the frame does not say it. */
  readonly declared_bytes: number | undefined;
  /** Where the blocks begin. */
  readonly blocks: number;
  readonly dictionary: boolean;
  readonly checksum: boolean;
}

/** Undefined where the body is not zstd frames from its first byte to its last. */
export function outlineOf(body: Buffer): ZstdOutline | undefined {
  let [at, frames, most_bytes] = [0, 0, 0];
  let declared_bytes: number | undefined = 0;
  let [skippable, dictionary] = [false, false];
  while (at < body.length) {
    if (at + 8 > body.length) return undefined;
    const magic = body.readUInt32LE(at);
    if ((magic & SKIPPABLE_MASK) >>> 0 === SKIPPABLE_MAGIC) {
      skippable = true;
      at += 8 + body.readUInt32LE(at + 4);
      continue;
    }
    const place = magic === MAGIC ? placeOf(body, at + 4) : undefined;
    const end = place && passBlocks(body, place);
    if (!end) return undefined;
    frames++;
    dictionary ||= place.dictionary;
    most_bytes += end.most_bytes;
    declared_bytes = sum(declared_bytes, place.declared_bytes);
    at = end.at;
  }
  // A last length that leads past the end is no end.
  return at === body.length && frames > 0
    ? { frames, skippable, most_bytes, declared_bytes, dictionary }
    : undefined;
}

function placeOf(body: Buffer, at: number): Place {
  const descriptor = body[at]!;
  const singleSegment = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >> 6;
  const window = singleSegment ? 0 : 1;
  const size = sizeFlag === 0 && singleSegment ? 1 : contentSizeBytes[sizeFlag as 0 | 1 | 2 | 3];
  const dictionary = dictionaryIdBytes[(descriptor & 3) as 0 | 1 | 2 | 3];
  const sizeAt = at + 1 + window + dictionary;
  return {
    declared_bytes: contentBytes(body, sizeAt, size),
    blocks: sizeAt + size,
    dictionary: dictionary > 0,
    checksum: (descriptor & 4) !== 0,
  };
}

function passBlocks(body: Buffer, place: Place): { at: number; most_bytes: number } | undefined {
  let at = place.blocks;
  let most_bytes = 0;
  for (;;) {
    if (at + BLOCK_HEADER_BYTES > body.length) return undefined;
    const header = body.readUIntLE(at, BLOCK_HEADER_BYTES);
    const size = header >>> 3;
    const type = (header >> 1) & 3;
    // Raw, one byte repeated, compressed; 3 is reserved (3.1.1.2.2).
    if (type === 3) return undefined;
    most_bytes += type === 2 ? BLOCK_BYTES_MAX : size;
    at += BLOCK_HEADER_BYTES + (type === 1 ? 1 : size);
    if (at > body.length) return undefined;
    if (header & 1) break;
  }
  at += place.checksum ? CHECKSUM_BYTES : 0;
  return at <= body.length ? { at, most_bytes } : undefined;
}

/** Frame_Content_Size (3.1.1.1.4): two bytes count from 256 on. */
function contentBytes(body: Buffer, at: number, size: 0 | 1 | 2 | 4 | 8): number | undefined {
  if (size === 0 || at + size > body.length) return undefined;
  if (size === 8) return Number(body.readBigUInt64LE(at));
  return body.readUIntLE(at, size) + (size === 2 ? 256 : 0);
}

function sum(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b;
}
