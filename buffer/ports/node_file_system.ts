// The real file system: node:fs for files, node:sqlite for the lock (Node has no flock; SQLite's lock is released by the
// kernel when the process dies). Files are 0600, directories 0700.

import fs from 'node:fs';
import path from 'node:path';
import { alignedMemory } from '../pool/aligned_memory.ts';
import { errorCode, type File, type FileSystem, type Lock, type OpenMode } from './file_system.ts';

const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL, O_DIRECT, O_DSYNC } = fs.constants;

/** Undefined: this platform has no such way. */
const FLAGS: Readonly<Record<OpenMode, number | undefined>> = {
  read: O_RDONLY,
  readDirect: O_DIRECT && O_RDONLY | O_DIRECT,
  write: O_RDWR,
  create: O_RDWR | O_CREAT | O_EXCL,
  direct: O_DIRECT && O_RDWR | O_DIRECT | O_DSYNC,
  createDirect: O_DIRECT && O_RDWR | O_DIRECT | O_DSYNC | O_CREAT | O_EXCL,
};

/** A window of a reader. A commit beyond is written in several pieces; no commit waits for as much (`switchBytes`) unless the disk is behind. */
const DIRECT_MEMORY_BYTES = 1024 * 1024;

class NodeFile implements File {
  readonly #fd: number;
  constructor(fd: number) {
    this.#fd = fd;
  }

  write(bytes: Uint8Array, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.write(this.#fd, bytes, 0, bytes.length, position, (error, written) =>
        error ? reject(error) : resolve(written),
      );
    });
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(this.#fd, into, 0, into.length, position, (error, read) =>
        error ? reject(error) : resolve(read),
      );
    });
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.fdatasync(this.#fd, (error) => (error ? reject(error) : resolve()));
    });
  }

  truncate(size: number): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.ftruncate(this.#fd, size, (error) => (error ? reject(error) : resolve()));
    });
  }

  size(): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.fstat(this.#fd, (error, stats) => (error ? reject(error) : resolve(stats.size)));
    });
  }

  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.close(this.#fd, (error) => (error ? reject(error) : resolve()));
    });
  }
}

function open(file: string, mode: OpenMode): Promise<File> {
  const flags = FLAGS[mode];
  if (flags === undefined) {
    const error = new Error('ENOTSUP: this platform has no O_DIRECT');
    return Promise.reject(Object.assign(error, { code: 'ENOTSUP' }));
  }
  return new Promise((resolve, reject) => {
    fs.open(file, flags, 0o600, (error, fd) => (error ? reject(error) : resolve(new NodeFile(fd))));
  });
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await fs.promises.open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function makeDirectory(directory: string): Promise<boolean> {
  try {
    await fs.promises.mkdir(directory, { mode: 0o700 });
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST' && (await fs.promises.stat(directory)).isDirectory()) return false;
    throw error;
  }
}

/**
 * Creates an empty file that others cannot read, as SQLite would not. One that exists is not opened: closing any descriptor
 * of it would take away the lock that this process may hold on it (POSIX record locks, fcntl(2)).
 */
async function createPrivate(file: string): Promise<void> {
  try {
    await (await fs.promises.open(file, 'ax', 0o600)).close();
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}

async function lock(file: string): Promise<Lock | undefined> {
  const { DatabaseSync } = await import('node:sqlite');
  await createPrivate(file);
  const database = new DatabaseSync(path.resolve(file));
  try {
    // The lock lives as long as the transaction; nothing is ever written through it, so a full disk cannot stop it.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (errorCode(error) === 'ERR_SQLITE_ERROR' && /locked|busy/.test(String(error))) return undefined;
    throw error;
  }
  return {
    async release() {
      database.close();
    },
  };
}

export const nodeFileSystem: FileSystem = {
  open,
  makeDirectory,
  list: (directory) => fs.promises.readdir(directory),
  syncDirectory,
  rename: (from, to) => fs.promises.rename(from, to),
  remove: (file) => fs.promises.unlink(file),
  removeDirectory: (directory) => fs.promises.rmdir(directory),
  async stat(file) {
    try {
      const stats = await fs.promises.stat(file);
      return { size: stats.size, directory: stats.isDirectory() };
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  },
  async freeSpace(directory) {
    const stats = await fs.promises.statfs(directory);
    return stats.bavail * stats.bsize;
  },
  directMemory: () => alignedMemory(DIRECT_MEMORY_BYTES),
  lock,
};
