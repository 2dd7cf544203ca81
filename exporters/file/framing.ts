// How one record ends and the next begins: lines, or a length before each as the Collector's file exporter writes what is no
// text. Invariant: the end that is found is that of a whole record, so that what a crash left unfinished can be cut off behind it.

import type { FileHandle } from 'node:fs/promises';
import { HoldfastError } from '../../config/error.ts';

export interface Framing {
  /** One record as it stands in the file. */
  frame(record: Uint8Array): Buffer;
  /**
   * Makes the file end in a whole record.
   * @returns its new size, bytes. @throws HoldfastError HF_EXPORT_FILE_FOREIGN where it is not one of ours
   */
  mend(handle: FileHandle, size: number): Promise<number>;
}

const SEARCH_BYTES = 64 * 1024;
const LENGTH_BYTES = 4;
const newline = Buffer.from('\n');

/**
 * Lines.
 * @param start how every line begins: tells a line of ours that a crash cut short from what somebody else wrote. Empty: every
 *   unfinished line is taken for ours.
 */
export function lines(start: string): Framing {
  return {
    frame: (record) => Buffer.concat([record, newline]),
    async mend(handle, size) {
      const end = await endOfLastLine(handle, size);
      if (end === size) return size;
      const found = Buffer.alloc(start.length);
      await handle.read(found, 0, Math.min(found.length, size - end), end);
      const ours = start.startsWith(found.toString('latin1').replace(/\0+$/, ''));
      // The rest of our own line was never counted as delivered and is written again; what is not ours stays.
      if (ours) await handle.truncate(end);
      else await handle.write(newline, 0, newline.length, size);
      await handle.datasync();
      return ours ? end : size + newline.length;
    },
  };
}

/**
 * Before each record its length, 4 bytes, big-endian, as the Collector has it.
 * @param start how every record begins: what begins otherwise is not ours and is never cut.
 */
export function lengths(start: Uint8Array): Framing {
  return {
    frame(record) {
      const framed = Buffer.allocUnsafe(LENGTH_BYTES + record.length);
      framed.writeUInt32BE(record.length);
      framed.set(record, LENGTH_BYTES);
      return framed;
    },
    async mend(handle, size) {
      const end = await endOfLastRecord(handle, size, start);
      if (end === size) return size;
      await handle.truncate(end);
      await handle.datasync();
      return end;
    },
  };
}

async function endOfLastLine(handle: FileHandle, size: number): Promise<number> {
  const bytes = Buffer.alloc(SEARCH_BYTES);
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - SEARCH_BYTES);
    const { bytesRead } = await handle.read(bytes, 0, end - start, start);
    const found = bytes.lastIndexOf(newline[0]!, bytesRead - 1);
    if (found >= 0) return start + found + 1;
    end = start;
  }
  return 0;
}

/** From length to length, through a window, since a read for each would make the start as slow as the file is long. */
async function endOfLastRecord(handle: FileHandle, size: number, start: Uint8Array): Promise<number> {
  const window = Buffer.alloc(SEARCH_BYTES);
  const head_bytes = LENGTH_BYTES + start.length;
  let windowStart = 0;
  let windowEnd = 0;
  let at = 0;
  while (at + head_bytes <= size) {
    if (at < windowStart || at + head_bytes > windowEnd) {
      const { bytesRead } = await handle.read(window, 0, window.length, at);
      windowStart = at;
      windowEnd = at + bytesRead;
    }
    const from = at - windowStart;
    const begin = window.subarray(from + LENGTH_BYTES, from + head_bytes);
    if (!begin.equals(start)) {
      throw new HoldfastError(
        'HF_EXPORT_FILE_FOREIGN',
        `what stands at byte ${at} of the file was not written with this format and compression: name another path`,
        false,
      );
    }
    const next = at + LENGTH_BYTES + window.readUInt32BE(from);
    if (next > size) break;
    at = next;
  }
  return at;
}
