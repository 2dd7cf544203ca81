// The one call into zlib for everything that clients compress. Invariant: no more than `most_bytes` ever come out,
// whatever the codec and whatever the body declares (CVE-2024-36129).

import zlib from 'node:zlib';

interface Options {
  readonly info: true;
  readonly maxOutputLength: number;
  readonly chunkSize: number;
  readonly params?: Record<number, number>;
}

interface Calls {
  now(input: Buffer, options: Options): unknown;
  later(input: Buffer, options: Options, done: (error: Error | null, result: unknown) => void): void;
}

export type Method = 'gunzip' | 'inflate' | 'inflateRaw' | 'zstd';

const methods: Readonly<Record<Method, Calls>> = {
  gunzip: { now: zlib.gunzipSync, later: zlib.gunzip },
  inflate: { now: zlib.inflateSync, later: zlib.inflate },
  inflateRaw: { now: zlib.inflateRawSync, later: zlib.inflateRaw },
  zstd: { now: zlib.zstdDecompressSync, later: zlib.zstdDecompress },
};

export interface Bounds {
  /** More than this is an error, which `isTooLarge` knows. */
  readonly most_bytes: number;
  /** What is likely to come out: memory for so many bytes is taken at once, so that nothing is copied together. */
  readonly likely_bytes: number;
}

export interface Unpacked {
  readonly bytes: Buffer;
  /** Of the input, up to the end of what the codec calls the end. */
  readonly consumed_bytes: number;
}

/** Up to these sizes a body is decompressed at once, in 5 ms at most; above, in the pool, while the event loop goes on. */
export const SYNC_COMPRESSED_BYTES_MAX = 2 ** 20;
export const SYNC_BYTES_MAX = 8 * 2 ** 20;

/** zlib refuses smaller chunks. */
const CHUNK_BYTES_MIN = 64;
/** RFC 9659: a window of HTTP content has 8 MiB at most, so that a client cannot choose our memory. */
const ZSTD_WINDOW_LOG_MAX = 23;
const zstdParams = { [zlib.constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX };

/** With `info: true` zlib gives this instead of a buffer; its declared types do not say so. */
interface Informed {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

/** @throws what zlib throws */
export function unpackNow(method: Method, input: Buffer, bounds: Bounds): Unpacked {
  return unpacked(methods[method].now(input, optionsOf(method, bounds)));
}

/** In the pool. Rejects with what zlib says. */
export function unpackLater(method: Method, input: Buffer, bounds: Bounds): Promise<Unpacked> {
  return new Promise((resolve, reject) => {
    methods[method].later(input, optionsOf(method, bounds), (error, result) => {
      if (error) reject(error);
      else resolve(unpacked(result));
    });
  });
}

export function isTooLarge(error: unknown): boolean {
  return codeOf(error) === 'ERR_BUFFER_TOO_LARGE';
}

/** The code of an error of zlib's, empty where it has none. */
export function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

function optionsOf(method: Method, { most_bytes, likely_bytes }: Bounds): Options {
  return {
    info: true,
    maxOutputLength: Math.max(1, most_bytes),
    // One byte more than there is: zlib asks for another chunk when one is full.
    chunkSize: Math.max(CHUNK_BYTES_MIN, Math.min(likely_bytes, most_bytes) + 1),
    ...(method === 'zstd' && { params: zstdParams }),
  };
}

function unpacked(result: unknown): Unpacked {
  const { buffer, engine } = result as Informed;
  return { bytes: buffer, consumed_bytes: engine.bytesWritten };
}
