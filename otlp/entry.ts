// The agent's own entry in the log: a small header, then the bytes of one Export*ServiceRequest as they came.
// Invariant: the payload is never re-encoded, so what is decoded from it is what the client sent.

import { HoldfastError } from '../config/error.ts';
import { type Signal, signals } from './signal.ts';

/** How the payload is stored. `gzip` is one whole gzip member, `zstd` one whole frame, as the client sent them. */
export const codecs = ['identity', 'gzip', 'zstd'] as const;
export type Codec = (typeof codecs)[number];

export interface Entry {
  readonly signal: Signal;
  readonly codec: Codec;
  /** Spans, data points or log records within. */
  readonly items: number;
  /** Length of the protobuf message in bytes, after decompression. */
  readonly rawLength: number;
  /** The stored bytes; a view into the buffer that was decoded, not a copy. */
  readonly payload: Uint8Array;
}

/** Version of this header; the first byte of every entry. */
const ENTRY_VERSION = 1;
/** version, signal, codec, items u32, raw length u32 (little-endian). */
export const ENTRY_HEADER_BYTES = 11;

/** @param header where it is written, of ENTRY_HEADER_BYTES: whoever has it copied at once needs no new one for each entry. */
export function encodeEntryHeader(
  signal: Signal,
  codec: Codec,
  items: number,
  rawLength: number,
  header: Uint8Array = new Uint8Array(ENTRY_HEADER_BYTES),
): Uint8Array {
  header[0] = ENTRY_VERSION;
  header[1] = signals.indexOf(signal);
  header[2] = codecs.indexOf(codec);
  writeU32(header, 3, items);
  writeU32(header, 7, rawLength);
  return header;
}

/** @throws HoldfastError `HF_ENTRY_INVALID` when the header is not one that this version writes. */
export function decodeEntry(bytes: Uint8Array): Entry {
  const signal = signals[bytes[1] ?? 255];
  const codec = codecs[bytes[2] ?? 255];
  if (bytes.length < ENTRY_HEADER_BYTES || bytes[0] !== ENTRY_VERSION || !signal || !codec) {
    const head = Buffer.from(bytes.subarray(0, ENTRY_HEADER_BYTES)).toString('hex');
    throw new HoldfastError('HF_ENTRY_INVALID', `not an entry of this agent: it begins with ${head}`, false);
  }
  return {
    signal,
    codec,
    items: readU32(bytes, 3),
    rawLength: readU32(bytes, 7),
    payload: bytes.subarray(ENTRY_HEADER_BYTES),
  };
}

function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

function readU32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}
