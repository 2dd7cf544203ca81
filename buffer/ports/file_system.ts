// Files as the log sees them: the whole of what it asks of a disk, small enough that a simulator can model power loss,
// torn writes and failing syncs behind it. Assumptions on the disk stand in FORMAT.md.

/** An open file. Offsets and lengths are bytes; every method may reject with a NodeJS.ErrnoException-like error (`code`). */
export interface File {
  /** Writes at `position`; may write fewer bytes than asked and returns how many. */
  write(bytes: Uint8Array, position: number): Promise<number>;
  /** Reads into `into` from `position`; returns the bytes read, 0 at the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** fdatasync: content, and the size needed to read it back. After it rejects the file must not be synced again. */
  sync(): Promise<void>;
  truncate(size: number): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}

/**
 * `read` an existing file; `write` (and read) an existing file; `create` a new one, mode 0600, failing if it exists. `direct` and
 * `createDirect` do as `write` and `create` for a file that is written past the page cache (O_DIRECT | O_DSYNC): whole blocks
 * from `directMemory`, durable when the write returns, with the size needed to read them. Where that cannot be had, opening
 * or writing rejects (see `refusesDirect`). `readDirect` does as `read` in the same way: whole blocks into `directMemory`; the last
 * one of a file comes back as short as it is.
 */
export type OpenMode = 'read' | 'readDirect' | 'write' | 'create' | 'direct' | 'createDirect';

/** What position, length and memory of a direct read or write are multiples of: the page, and no device has larger sectors. */
export const DIRECT_BLOCK_BYTES = 4096;

export interface Lock {
  release(): Promise<void>;
}

export interface FileSystem {
  open(path: string, mode: OpenMode): Promise<File>;
  /** Creates the directory (0700); its parent must exist. An existing directory is not an error. Returns whether it was created. */
  makeDirectory(path: string): Promise<boolean>;
  /** Names within the directory, unsorted. */
  list(path: string): Promise<string[]>;
  /** Makes creations, renames and removals in the directory durable. */
  syncDirectory(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Removes an empty directory. */
  removeDirectory(path: string): Promise<void>;
  /** Size in bytes, or undefined where there is no such file. */
  stat(path: string): Promise<{ size: number; directory: boolean } | undefined>;
  /** Bytes that this user may still write on the file system holding `path`. */
  freeSpace(path: string): Promise<number>;
  /** Memory that direct writes may come from and direct reads go to, page-aligned, of whole blocks; a new piece with each call. @throws where there is none */
  directMemory(): Buffer;
  /** Exclusive for as long as the process lives; undefined when somebody else holds it. */
  lock(path: string): Promise<Lock | undefined>;
}

/** Whether the error says that this file system, or this platform, has no direct reads or writes: no fault of the disk. */
export function refusesDirect(error: unknown): boolean {
  return ['EINVAL', 'ENOTSUP', 'EOPNOTSUPP'].includes(errorCode(error));
}

/** The `code` of a system error, or an empty string. */
export function errorCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}
