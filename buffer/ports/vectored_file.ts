// Files that are read and written in several pieces at a time (readv(2), writev(2)), past the page cache if asked for.
// Invariant: what fails, fails with the system's own error and its code.

import fs from 'node:fs';
import type { OpenMode } from './file_system.ts';

export interface VectoredFile {
  /** May read less than the pieces hold; 0 at the end of the file. */
  readv(into: readonly Uint8Array[], position: number): Promise<number>;
  /** May write less than the pieces hold. */
  writev(pieces: readonly Uint8Array[], position: number): Promise<number>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * `direct`: past the page cache, where the platform has O_DIRECT at all (a file system may refuse it with EINVAL); addresses,
 * lengths and positions must be multiples of the disk's sector. `durable`: a write is on disk when it returns.
 */
export interface DirectOptions {
  readonly direct?: boolean;
  readonly durable?: boolean;
}

export async function openVectored(
  path: string,
  mode: OpenMode,
  options: DirectOptions = {},
): Promise<VectoredFile> {
  const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL, O_DIRECT = 0, O_DSYNC = 0 } = fs.constants;
  let flags = mode === 'read' ? O_RDONLY : O_RDWR;
  if (mode === 'create') flags |= O_CREAT | O_EXCL;
  if (options.direct) flags |= O_DIRECT;
  if (options.durable) flags |= O_DSYNC;
  const handle = await fs.promises.open(path, flags, 0o600);
  return {
    readv: async (into, position) => (await handle.readv(into, position)).bytesRead,
    writev: async (pieces, position) => (await handle.writev(pieces, position)).bytesWritten,
    sync: () => handle.datasync(),
    close: () => handle.close(),
  };
}
