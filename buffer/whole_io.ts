// Short reads and writes are legal; these go on until all is done, or the file ends, or the disk says no.

import type { File, FileSystem } from './ports/file_system.ts';

/** Writes all of `bytes` at `position`. */
export async function writeFully(file: File, bytes: Uint8Array, position: number): Promise<void> {
  let done = await file.write(bytes, position);
  while (done < bytes.length) {
    const written = await file.write(bytes.subarray(done), position + done);
    if (written === 0) throw Object.assign(new Error('the disk took no byte of a write'), { code: 'ENOSPC' });
    done += written;
  }
}

/** Makes a new file of `bytes` and syncs it; its name is durable once the directory is synced too. */
export async function writeNewFile(
  fileSystem: Pick<FileSystem, 'open'>,
  path: string,
  bytes: Uint8Array,
): Promise<void> {
  const file = await fileSystem.open(path, 'create');
  try {
    await writeFully(file, bytes, 0);
    await file.sync();
  } finally {
    await file.close();
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
