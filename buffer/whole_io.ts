// Short reads and writes are legal; these two go on until all is done, or the file ends, or the disk says no.

import type { File } from './ports/file_system.ts';

/** Writes all of `bytes` at `position`. */
export async function writeFully(file: File, bytes: Uint8Array, position: number): Promise<void> {
  let done = await file.write(bytes, position);
  while (done < bytes.length) {
    const written = await file.write(bytes.subarray(done), position + done);
    if (written === 0) throw Object.assign(new Error('the disk took no byte of a write'), { code: 'ENOSPC' });
    done += written;
  }
}

/** Fills `into` from `position`; returns fewer bytes only at the end of the file. */
export async function readFully(
  file: Pick<File, 'read'>,
  into: Uint8Array,
  position: number,
): Promise<number> {
  let done = 0;
  while (done < into.length) {
    const read = await file.read(done === 0 ? into : into.subarray(done), position + done);
    if (read === 0) break;
    done += read;
  }
  return done;
}
