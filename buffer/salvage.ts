// Makes durable what was found in a file before anybody relies on it. A process before this one may have died before its
// sync, or after a failed one, which leaves pages that look clean and are nowhere but in memory: so what nobody vouches
// for is written again. Invariant: a file whose sync fails is not synced again; a new one takes its name.

import type { File, FileSystem } from './ports/file_system.ts';
import { readFully, writeFully } from './whole_io.ts';

const COPY_BYTES = 1024 * 1024;

/**
 * Makes the bytes in [from, to) durable, with all before them.
 * @returns whether the content had to be moved to a new file. @throws what the disk said where that failed as well
 */
export async function makeDurable(
  fileSystem: FileSystem,
  directory: string,
  name: string,
  from: number,
  to: number,
): Promise<boolean> {
  const path = `${directory}/${name}`;
  const file = await fileSystem.open(path, 'write');
  try {
    if (await rewritten(file, from, to)) return false;
    await copy(fileSystem, file, `${path}.new`);
  } finally {
    await file.close();
  }
  await fileSystem.rename(`${path}.new`, path);
  await fileSystem.syncDirectory(directory);
  return true;
}

async function rewritten(file: File, from: number, to: number): Promise<boolean> {
  try {
    const bytes = Buffer.alloc(Math.min(COPY_BYTES, to - from));
    for (let position = from; position < to; ) {
      const read = await readFully(file, bytes.subarray(0, Math.min(bytes.length, to - position)), position);
      if (read === 0) break;
      await writeFully(file, bytes.subarray(0, read), position);
      position += read;
    }
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
