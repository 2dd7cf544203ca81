// Makes durable what a file holds before anybody relies on it. Invariant: a file whose sync failed is never believed
// again, nor synced; what can be read of it goes into a new file that takes its name.

import type { File, FileSystem } from './ports/file_system.ts';
import { readFully, writeFully } from './whole_io.ts';

const COPY_BYTES = 1024 * 1024;

/** Returns whether the content had to be moved to a new file. @throws what the disk said where that failed as well */
export async function makeDurable(fileSystem: FileSystem, directory: string, name: string): Promise<boolean> {
  const path = `${directory}/${name}`;
  const file = await fileSystem.open(path, 'write');
  try {
    if (await synced(file)) return false;
    await copy(fileSystem, file, `${path}.new`);
  } finally {
    await file.close();
  }
  await fileSystem.rename(`${path}.new`, path);
  await fileSystem.syncDirectory(directory);
  return true;
}

async function synced(file: File): Promise<boolean> {
  try {
    await file.sync();
    return true;
  } catch {
    return false;
  }
}

async function copy(fileSystem: FileSystem, from: File, path: string): Promise<void> {
  if (await fileSystem.stat(path)) await fileSystem.remove(path);
  const to = await fileSystem.open(path, 'create');
  try {
    const bytes = Buffer.alloc(COPY_BYTES);
    for (let position = 0; ; ) {
      const read = await readFully(from, bytes, position);
      if (read > 0) await writeFully(to, bytes.subarray(0, read), position);
      position += read;
      if (read < bytes.length) break;
    }
    await to.sync();
  } finally {
    await to.close();
  }
}
