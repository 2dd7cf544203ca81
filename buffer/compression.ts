// Frames compressed on their way to the disk, and decompressed on their way to a reader. Invariants: a frame is compressed
// only where that saves something, so it never grows; a codec that fails costs nothing but the saving.

import type { Block } from './block_pool.ts';
import type { Chain } from './chain.ts';
import { InvalidOption } from './errors.ts';
import {
  FLAG_ZSTD,
  FRAME_HEADER_BYTES,
  type FrameHeader,
  PACKED_PREFIX_BYTES,
  PACKED_RAW_MAX_BYTES,
  readFrameHeader,
  sealFrame,
} from './frame.ts';
import type { FrameKey } from './frame_key.ts';
import type { Codec } from './ports/codec.ts';

export interface CompressionOptions {
  /** `none` where a stream is to be stored as it is although its log compresses. */
  readonly codec: 'zstd' | 'none';
  /** 1 (fastest) to 19. Default 1. */
  readonly level?: number;
  /** Frames of fewer bytes are stored as they are. Default 1 KiB. */
  readonly minBytes?: number;
}

/** Since the log was opened. */
export interface CompressionStats {
  /** Frames that were compressed, and what they came to. */
  readonly frames: number;
  readonly raw_bytes: number;
  readonly stored_bytes: number;
  /** Frames that were not worth it: too small, or nothing to gain. */
  readonly skipped: number;
  /** How many bytes became one, over the frames that were compressed; 1 where none was. */
  readonly ratio: number;
}

type Counts = { -readonly [Name in keyof Omit<CompressionStats, 'ratio'>]: number };

const LEVEL_MAX = 19;
const MIN_BYTES = 1024;
/** A frame stays as it is unless it gets smaller by a twentieth: reading it is cheaper then. */
const WORTH = 0.95;
/** Frames under way at a time: libuv has four threads, and the disk needs one. */
const LANES = 3;

/** @throws InvalidOption */
export function checkCompression(options: CompressionOptions | undefined): void {
  if (!options) return;
  const { codec, level = 1, minBytes = MIN_BYTES } = options;
  if (codec !== 'zstd' && codec !== 'none')
    throw new InvalidOption('compression.codec', codec, 'zstd and none are');
  if (!Number.isInteger(level) || level < 1 || level > LEVEL_MAX)
    throw new InvalidOption('compression.level', level, `a whole number from 1 to ${LEVEL_MAX} is`);
  if (!Number.isInteger(minBytes) || minBytes < 0)
    throw new InvalidOption('compression.minBytes', minBytes, 'a whole number from 0 on is');
}

export function addCompression(all: readonly Readonly<Counts>[]): CompressionStats {
  const sum: Counts = { frames: 0, raw_bytes: 0, stored_bytes: 0, skipped: 0 };
  for (const one of all) {
    sum.frames += one.frames;
    sum.raw_bytes += one.raw_bytes;
    sum.stored_bytes += one.stored_bytes;
    sum.skipped += one.skipped;
  }
  return { ...sum, ratio: sum.stored_bytes === 0 ? 1 : sum.raw_bytes / sum.stored_bytes };
}

interface Piece {
  readonly at: number;
  readonly header: FrameHeader;
  packed: Uint8Array | undefined;
}

/** Compresses what one shard commits. */
export class Compressor {
  readonly #counts: Counts = { frames: 0, raw_bytes: 0, stored_bytes: 0, skipped: 0 };
  readonly #codec: Codec;
  readonly #key: FrameKey;
  #level: number | undefined;
  #min_bytes = MIN_BYTES;

  constructor(codec: Codec, key: FrameKey) {
    this.#codec = codec;
    this.#key = key;
  }

  get stats(): CompressionStats {
    return addCompression([this.#counts]);
  }

  /** From the next commit on. */
  configure(options: CompressionOptions | undefined): void {
    this.#level = options?.codec === 'zstd' ? (options.level ?? 1) : undefined;
    this.#min_bytes = options?.minBytes ?? MIN_BYTES;
  }

  /**
   * Makes the frames of a sealed chain smaller where they stand; undefined where there is nothing to wait for.
   * @param keep whether blocks also keep what was in the frames: readers who have caught up need not decompress then.
   */
  compress(chain: Chain, keep: boolean): Promise<void> | undefined {
    return this.#level === undefined ? undefined : this.#compress(chain, this.#level, keep);
  }

  async #compress(chain: Chain, level: number, keep: boolean): Promise<void> {
    for (const block of chain.blocks) {
      const pieces = this.#pieces(block);
      const worth = pieces.filter((piece) => this.#worthTrying(block.memory, piece));
      const left = worth.values();
      const lane = async (): Promise<void> => {
        for (const piece of left) piece.packed = await this.#pack(block.memory, piece, level);
      };
      await Promise.all(Array.from({ length: Math.min(LANES, worth.length) }, lane));
      const before = block.used;
      if (keep) block.unpacked = new Map();
      this.#close(block, pieces);
      chain.bytes -= before - block.used;
    }
  }

  #pieces(block: Block): Piece[] {
    const pieces: Piece[] = [];
    for (let at = 0; at < block.used; ) {
      const header = readFrameHeader(block.memory, at, this.#key)!;
      pieces.push({ at, header, packed: undefined });
      at += FRAME_HEADER_BYTES + header.bodyBytes;
    }
    return pieces;
  }

  #worthTrying(memory: Buffer, { at, header }: Piece): boolean {
    const { bodyBytes } = header;
    if (bodyBytes < this.#min_bytes || bodyBytes > PACKED_RAW_MAX_BYTES) return false;
    const body = at + FRAME_HEADER_BYTES;
    return looksCompressible(memory, body, body + bodyBytes);
  }

  /** What stands for the body, or undefined where that is not small enough. */
  async #pack(memory: Buffer, { at, header }: Piece, level: number): Promise<Uint8Array | undefined> {
    const body = at + FRAME_HEADER_BYTES;
    try {
      const packed = await this.#codec.compress(memory.subarray(body, body + header.bodyBytes), level);
      return PACKED_PREFIX_BYTES + packed.length <= WORTH * header.bodyBytes ? packed : undefined;
    } catch {
      // No memory for it, most likely: stored as it is, the frame is as good.
      return undefined;
    }
  }

  /** Moves the frames of a block together. None grows, so none is written over before it is moved. */
  #close(block: Block, pieces: readonly Piece[]): void {
    const { memory } = block;
    let to = 0;
    for (const { at, header, packed } of pieces) {
      let { bodyBytes } = header;
      if (packed) {
        const body = to + FRAME_HEADER_BYTES;
        const from = at + FRAME_HEADER_BYTES;
        block.unpacked?.set(to, Buffer.from(memory.subarray(from, from + bodyBytes)));
        memory.writeUInt32LE(bodyBytes, body);
        memory.set(packed, body + PACKED_PREFIX_BYTES);
        this.#counts.frames += 1;
        this.#counts.raw_bytes += bodyBytes;
        bodyBytes = PACKED_PREFIX_BYTES + packed.length;
        this.#counts.stored_bytes += bodyBytes;
        const { flags, baseOffset, count, timestamp, epoch, watermark } = header;
        const marked = flags | FLAG_ZSTD;
        sealFrame(memory, to, marked, bodyBytes, baseOffset, count, timestamp, epoch, watermark, this.#key);
      } else {
        this.#counts.skipped += 1;
        if (to < at) memory.copyWithin(to, at, at + FRAME_HEADER_BYTES + bodyBytes);
      }
      to += FRAME_HEADER_BYTES + bodyBytes;
    }
    block.used = to;
  }
}

const SAMPLES = 4;
const SAMPLE_BYTES = 512;
const counts = new Uint16Array(256);

/**
 * Whether bytes occur unevenly enough in a few samples. What is compressed or encrypted already looks like chance, and
 * finding that out by compressing costs as much as compressing what is not.
 */
export function looksCompressible(memory: Buffer, from: number, to: number): boolean {
  const samples = to - from <= SAMPLES * SAMPLE_BYTES ? 1 : SAMPLES;
  const sample_bytes = samples === 1 ? to - from : SAMPLE_BYTES;
  const step = samples === 1 ? 0 : Math.floor((to - from - sample_bytes) / (samples - 1));
  counts.fill(0);
  for (let sample = 0; sample < samples; sample++) {
    const end = from + sample * step + sample_bytes;
    for (let at = end - sample_bytes; at < end; at++) counts[memory[at]!]! += 1;
  }
  let squares = 0;
  for (let byte = 0; byte < 256; byte++) squares += counts[byte]! * counts[byte]!;
  const total = samples * sample_bytes;
  const byChance = total + (total * (total - 1)) / 256;
  return squares > UNEVEN * byChance;
}

/** The squares of OTLP spans come to 6 times what chance gives, of gzip'd ones to 1.03 times, of gzip'd single spans to 1.1. */
const UNEVEN = 1.25;

/** What was compressed, in memory of its own; undefined where the body does not hold what it says. Rejects where memory lacks. */
export async function unpack(codec: Codec, body: Buffer): Promise<Buffer | undefined> {
  const raw_bytes = body.length < PACKED_PREFIX_BYTES ? 0 : body.readUInt32LE(0);
  if (raw_bytes === 0 || raw_bytes > PACKED_RAW_MAX_BYTES) return undefined;
  const raw = await codec.decompress(body.subarray(PACKED_PREFIX_BYTES), raw_bytes);
  return raw && Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
}
