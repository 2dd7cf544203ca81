// Compression as the log sees it. Invariant: what comes back is exactly what was given; nothing is ever decompressed to more
// than the caller said.

import { constants, zstdCompress, zstdCompressSync, zstdDecompress, zstdDecompressSync } from 'node:zlib';
import { errorCode } from './file_system.ts';

export interface Codec {
  /** One Zstandard frame (RFC 8878) that holds `raw`, which must not change meanwhile. Level as zstd counts. */
  compress(raw: Uint8Array, level: number): Promise<Uint8Array>;
  /** Undefined where the bytes do not come to exactly `raw_bytes`; rejects where they could not be looked at. */
  decompress(packed: Uint8Array, raw_bytes: number): Promise<Uint8Array | undefined>;
}

/** In libuv's pool, so that neither requests nor timers wait for it. */
export const zstdCodec: Codec = {
  compress: (raw, level) =>
    new Promise((resolve, reject) => {
      zstdCompress(raw, compressing(raw, level), (error, packed) =>
        error ? reject(error) : resolve(packed),
      );
    }),
  decompress: (packed, raw_bytes) =>
    new Promise((resolve, reject) => {
      zstdDecompress(packed, decompressing(raw_bytes), (error, raw) => {
        if (error && !isFaultOfBytes(error)) reject(error);
        else resolve(error || raw.length !== raw_bytes ? undefined : raw);
      });
    }),
};

/** The same bytes on the calling thread: for a simulator, in which everything has its turn and the same one each time. */
export const zstdInLine: Codec = {
  compress: async (raw, level) => zstdCompressSync(raw, compressing(raw, level)),
  decompress: async (packed, raw_bytes) => {
    try {
      const raw = zstdDecompressSync(packed, decompressing(raw_bytes));
      return raw.length === raw_bytes ? raw : undefined;
    } catch (error) {
      if (!isFaultOfBytes(error)) throw error;
      return undefined;
    }
  },
};

/** The output in one piece: with the default of 16 KiB a frame goes to the pool and back several times. */
function compressing(raw: Uint8Array, level: number) {
  return {
    chunkSize: Math.max(CHUNK_MIN_BYTES, raw.length),
    pledgedSrcSize: raw.length,
    params: { [constants.ZSTD_c_compressionLevel]: level },
  };
}

function decompressing(raw_bytes: number) {
  return { chunkSize: Math.max(CHUNK_MIN_BYTES, raw_bytes), maxOutputLength: Math.max(1, raw_bytes) };
}

const CHUNK_MIN_BYTES = 64;

/** A lack of memory says nothing of the bytes: tried again, they may be read. */
function isFaultOfBytes(error: unknown): boolean {
  const code = errorCode(error);
  if (code === 'ERR_BUFFER_TOO_LARGE' || code === 'Z_BUF_ERROR') return true;
  return code.startsWith('ZSTD_error_') && code !== 'ZSTD_error_memory_allocation';
}
