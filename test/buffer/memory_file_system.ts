// A disk in memory: everything that is written is durable at once. It knows nothing of power loss (test/sim does); it lets
// a test look at bytes, damage them, and fill the disk. Invariant: what a File reads is what was written last.

import {
  DIRECT_BLOCK_BYTES,
  type File,
  type FileSystem,
  type Lock,
  type OpenMode,
} from '../../buffer/ports/file_system.ts';

class Content {
  bytes = Buffer.alloc(0);

  write(source: Uint8Array, position: number): void {
    const end = position + source.length;
    if (end > this.bytes.length) this.bytes = Buffer.concat([this.bytes], end);
    this.bytes.set(source, position);
  }
}

export function systemError(code: string, text = code): Error {
  return Object.assign(new Error(`${code}: ${text}`), { code });
}

/** A file of its own, for what needs no file system. */
export class MemoryFile implements File {
  readonly content: Content;
  #closed = false;
  readonly #free: (wanted_bytes: number) => number;
  /** Takes whole blocks only. */
  direct = false;

  constructor(bytes: Uint8Array = Buffer.alloc(0), content = new Content(), free = (n: number): number => n) {
    this.content = content;
    if (bytes.length > 0) content.write(bytes, 0);
    this.#free = free;
  }

  get bytes(): Buffer {
    return this.content.bytes;
  }

  async write(bytes: Uint8Array, position: number): Promise<number> {
    this.#check();
    if (this.direct && (position % DIRECT_BLOCK_BYTES !== 0 || bytes.length % DIRECT_BLOCK_BYTES !== 0)) {
      throw systemError('EINVAL', 'a direct write of other than whole blocks');
    }
    const grown = Math.max(0, position + bytes.length - this.content.bytes.length);
    const granted = grown === 0 ? 0 : this.#free(grown);
    const written = bytes.length - (grown - granted);
    if (bytes.length > 0 && written <= 0) throw systemError('ENOSPC', 'no space left on device');
    this.content.write(bytes.subarray(0, written), position);
    return written;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    this.#check();
    if (this.direct && (position % DIRECT_BLOCK_BYTES !== 0 || into.length % DIRECT_BLOCK_BYTES !== 0)) {
      throw systemError('EINVAL', 'a direct read of other than whole blocks');
    }
    const source = this.content.bytes.subarray(position, position + into.length);
    into.set(source);
    return source.length;
  }

  async sync(): Promise<void> {
    this.#check();
  }

  async truncate(size: number): Promise<void> {
    this.#check();
    this.content.bytes = Buffer.concat([this.content.bytes.subarray(0, size)], size);
  }

  async size(): Promise<number> {
    this.#check();
    return this.content.bytes.length;
  }

  async close(): Promise<void> {
    this.#check();
    this.#closed = true;
  }

  #check(): void {
    if (this.#closed) throw systemError('EBADF', 'the file is closed');
  }
}

export class MemoryFileSystem implements FileSystem {
  readonly #files = new Map<string, Content>();
  readonly #directories = new Set<string>(['/']);
  readonly #locks = new Set<string>();
  /** Bytes that all files together may take; a test may change it at any time. */
  capacity_bytes = Number.POSITIVE_INFINITY;
  /** Whether files may be opened for direct writes and reads; a test may change it at any time. */
  direct = false;

  /** The bytes of a file, to look at or to damage in place. */
  bytes(path: string): Buffer {
    return this.#content(path).bytes;
  }

  replace(path: string, bytes: Uint8Array): void {
    const content = new Content();
    content.write(bytes, 0);
    this.#files.set(path, content);
  }

  paths(): string[] {
    return [...this.#files.keys()].sort();
  }

  get used_bytes(): number {
    let used = 0;
    for (const content of this.#files.values()) used += content.bytes.length;
    return used;
  }

  /** The same bytes on a disk of its own, with nothing locked. */
  copy(): MemoryFileSystem {
    const twin = new MemoryFileSystem();
    for (const directory of this.#directories) twin.#directories.add(directory);
    for (const [path, content] of this.#files) twin.replace(path, content.bytes);
    return twin;
  }

  async open(path: string, mode: OpenMode): Promise<File> {
    const known = this.#files.get(path);
    const direct = mode === 'direct' || mode === 'createDirect' || mode === 'readDirect';
    if (direct && !this.direct) throw systemError('EINVAL', path);
    if (mode === 'create' || mode === 'createDirect') {
      if (known || this.#directories.has(path)) throw systemError('EEXIST', path);
      if (!this.#directories.has(parentOf(path))) throw systemError('ENOENT', path);
      if (this.used_bytes >= this.capacity_bytes) throw systemError('ENOSPC', path);
      this.#files.set(path, new Content());
    }
    const file = new MemoryFile(undefined, this.#content(path), (wanted) =>
      Math.max(0, Math.min(wanted, this.capacity_bytes - this.used_bytes)),
    );
    file.direct = direct;
    return file;
  }

  async makeDirectory(path: string): Promise<boolean> {
    if (this.#directories.has(path)) return false;
    if (this.#files.has(path)) throw systemError('EEXIST', path);
    if (!this.#directories.has(parentOf(path))) throw systemError('ENOENT', path);
    this.#directories.add(path);
    return true;
  }

  async list(path: string): Promise<string[]> {
    if (!this.#directories.has(path)) throw systemError('ENOENT', path);
    return [...this.#files.keys(), ...this.#directories]
      .filter((name) => name !== '/' && parentOf(name) === path)
      .map((name) => name.slice(name.lastIndexOf('/') + 1));
  }

  async syncDirectory(path: string): Promise<void> {
    if (!this.#directories.has(path)) throw systemError('ENOENT', path);
  }

  async rename(from: string, to: string): Promise<void> {
    this.#files.set(to, this.#content(from));
    this.#files.delete(from);
  }

  async remove(path: string): Promise<void> {
    if (!this.#files.delete(path)) throw systemError('ENOENT', path);
  }

  async removeDirectory(path: string): Promise<void> {
    if ((await this.list(path)).length > 0) throw systemError('ENOTEMPTY', path);
    this.#directories.delete(path);
  }

  async stat(path: string): Promise<{ size: number; directory: boolean } | undefined> {
    if (this.#directories.has(path)) return { size: 0, directory: true };
    const content = this.#files.get(path);
    return content && { size: content.bytes.length, directory: false };
  }

  async freeSpace(): Promise<number> {
    return Math.max(0, Math.min(this.capacity_bytes - this.used_bytes, 2 ** 50));
  }

  directMemory(): Buffer {
    return Buffer.alloc(4 * DIRECT_BLOCK_BYTES);
  }

  async lock(path: string): Promise<Lock | undefined> {
    if (this.#locks.has(path)) return undefined;
    if (!this.#files.has(path)) this.replace(path, Buffer.alloc(0));
    this.#locks.add(path);
    return {
      release: async () => {
        this.#locks.delete(path);
      },
    };
  }

  #content(path: string): Content {
    const content = this.#files.get(path);
    if (!content) throw systemError('ENOENT', path);
    return content;
  }
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}
