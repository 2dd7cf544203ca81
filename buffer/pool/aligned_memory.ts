// Page-aligned memory without native code: a WebAssembly.Memory begins on a page boundary and is never moved, because it
// is never grown. Invariant: the first byte lies on a multiple of the page size, and the length is one.

import { AlignedMemoryUnavailable } from './errors.ts';

/** Of the platform's WebAssembly API, what is used here; the DOM library that declares it is not loaded. */
declare const WebAssembly:
  | { readonly Memory: new (pages: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer } }
  | undefined;

const WASM_PAGE_BYTES = 64 * 1024;
/** A WebAssembly memory has 65,536 pages at most. */
const SIZE_MAX_BYTES = WASM_PAGE_BYTES * 65_536;

/**
 * At least `size_bytes`, rounded up to whole pages; zero-filled, and resident only once it is touched. Each call reserves
 * about 10 GiB of address space (not memory) on 64-bit systems, so take one large piece and divide it.
 * @param page_bytes a power of two up to 64 KiB.
 * @throws AlignedMemoryUnavailable where the engine has no WebAssembly or the system gives no address space
 */
export function alignedMemory(size_bytes: number, page_bytes = 4096): Buffer {
  if (!Number.isInteger(page_bytes) || page_bytes < 1 || (page_bytes & (page_bytes - 1)) !== 0) {
    throw new RangeError(`a page of ${page_bytes} bytes is no power of two`);
  }
  if (page_bytes > WASM_PAGE_BYTES) throw new RangeError(`a page of ${page_bytes} bytes is above 64 KiB`);
  if (!Number.isInteger(size_bytes) || size_bytes < 1 || size_bytes > SIZE_MAX_BYTES) {
    throw new RangeError(`${size_bytes} bytes of aligned memory: 1 to 4 GiB can be had`);
  }
  const length = Math.ceil(size_bytes / page_bytes) * page_bytes;
  const pages = Math.ceil(length / WASM_PAGE_BYTES);
  if (typeof WebAssembly === 'undefined') throw new AlignedMemoryUnavailable(length);
  try {
    return Buffer.from(new WebAssembly.Memory({ initial: pages, maximum: pages }).buffer, 0, length);
  } catch (error) {
    throw new AlignedMemoryUnavailable(length, error);
  }
}
