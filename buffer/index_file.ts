// Index files: written beside a sealed segment, read when the log is opened. Invariant: an index is written only after the
// account of what its segment lacks is durable, because it keeps the next opening from looking.

import { NewerFormat } from './errors.ts';
import { indexName } from './names.ts';
import { errorCode, type File, type FileSystem } from './ports/file_system.ts';
import { decodeIndex, encodeIndex, INDEX_VERSION, indexVersion, type Segment } from './segment.ts';
import { readFully, writeFully } from './whole_io.ts';

const INDEX_MAX_BYTES = 16 * 1024 * 1024;

/** What the index beside a segment of `size` bytes says, or undefined unless it is there, whole and fits. @throws NewerFormat */
export async function readIndex(
  fileSystem: FileSystem,
  directory: string,
  base: number,
  size: number,
): Promise<Segment | undefined> {
  const path = `${directory}/${indexName(base)}`;
  let file: File;
  try {
    file = await fileSystem.open(path, 'read');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const bytes = Buffer.alloc(Math.min(await file.size(), INDEX_MAX_BYTES));
    const index = bytes.subarray(0, await readFully(file, bytes, 0));
    const version = indexVersion(index) ?? 0;
    if (version > INDEX_VERSION) throw new NewerFormat(path, version, INDEX_VERSION);
    return decodeIndex(index, base, size);
  } finally {
    await file.close();
  }
}

/** In place of any that is there. Not synced: one that a power cut takes is missed by nobody but the next start. */
export async function writeIndex(fileSystem: FileSystem, directory: string, segment: Segment): Promise<void> {
  const path = `${directory}/${indexName(segment.base)}`;
  if (await fileSystem.stat(path)) await fileSystem.remove(path);
  const file = await fileSystem.open(path, 'create');
  try {
    await writeFully(file, encodeIndex(segment), 0);
  } finally {
    await file.close();
  }
}
