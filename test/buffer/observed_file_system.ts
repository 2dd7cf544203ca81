// Any file system, watched: counts what is done to it and how many files are open, and lets a test fail or delay an
// operation. Invariant: an operation that the hook refuses never reaches the disk underneath.

import type { File, FileSystem, Lock, OpenMode } from '../../buffer/ports/file_system.ts';

export type Operation =
  | 'open'
  | 'write'
  | 'read'
  | 'sync'
  | 'truncate'
  | 'close'
  | 'makeDirectory'
  | 'list'
  | 'syncDirectory'
  | 'rename'
  | 'remove'
  | 'freeSpace';

/** Called before each operation: throw to refuse it, return a promise to delay it. `handle` numbers the opened files. */
export type Hook = (operation: Operation, path: string, handle: number) => void | Promise<void>;

export class ObservedFileSystem implements FileSystem {
  readonly inner: FileSystem;
  hook: Hook = () => {};
  /** Files that are open, by handle. */
  readonly openFiles = new Map<number, string>();
  /** Every operation so far, oldest first. */
  readonly operations: { readonly operation: Operation; readonly path: string; readonly handle: number }[] =
    [];
  /** What freeSpace answers; undefined: what the disk says. */
  free_bytes: number | undefined;
  #handles = 0;

  constructor(inner: FileSystem) {
    this.inner = inner;
  }

  /** How often that was done to paths that contain `part`. */
  count(operation: Operation, part = ''): number {
    return this.operations.filter((done) => done.operation === operation && done.path.includes(part)).length;
  }

  async note(operation: Operation, path: string, handle = 0): Promise<void> {
    this.operations.push({ operation, path, handle });
    await this.hook(operation, path, handle);
  }

  async open(path: string, mode: OpenMode): Promise<File> {
    await this.note('open', path);
    const file = await this.inner.open(path, mode);
    const handle = ++this.#handles;
    this.openFiles.set(handle, path);
    return new ObservedFile(this, file, path, handle);
  }

  async makeDirectory(path: string): Promise<boolean> {
    await this.note('makeDirectory', path);
    return this.inner.makeDirectory(path);
  }

  async list(path: string): Promise<string[]> {
    await this.note('list', path);
    return this.inner.list(path);
  }

  async syncDirectory(path: string): Promise<void> {
    await this.note('syncDirectory', path);
    return this.inner.syncDirectory(path);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.note('rename', to);
    return this.inner.rename(from, to);
  }

  async remove(path: string): Promise<void> {
    await this.note('remove', path);
    return this.inner.remove(path);
  }

  removeDirectory(path: string): Promise<void> {
    return this.inner.removeDirectory(path);
  }

  stat(path: string): Promise<{ size: number; directory: boolean } | undefined> {
    return this.inner.stat(path);
  }

  async freeSpace(path: string): Promise<number> {
    await this.note('freeSpace', path);
    return this.free_bytes ?? this.inner.freeSpace(path);
  }

  directMemory(): Buffer {
    return this.inner.directMemory();
  }

  lock(path: string): Promise<Lock | undefined> {
    return this.inner.lock(path);
  }
}

class ObservedFile implements File {
  readonly #system: ObservedFileSystem;
  readonly #file: File;
  readonly #path: string;
  readonly #handle: number;

  constructor(system: ObservedFileSystem, file: File, path: string, handle: number) {
    this.#system = system;
    this.#file = file;
    this.#path = path;
    this.#handle = handle;
  }

  async write(bytes: Uint8Array, position: number): Promise<number> {
    await this.#system.note('write', this.#path, this.#handle);
    return this.#file.write(bytes, position);
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    await this.#system.note('read', this.#path, this.#handle);
    return this.#file.read(into, position);
  }

  async sync(): Promise<void> {
    await this.#system.note('sync', this.#path, this.#handle);
    return this.#file.sync();
  }

  async truncate(size: number): Promise<void> {
    await this.#system.note('truncate', this.#path, this.#handle);
    return this.#file.truncate(size);
  }

  size(): Promise<number> {
    return this.#file.size();
  }

  async close(): Promise<void> {
    this.#system.openFiles.delete(this.#handle);
    await this.#system.note('close', this.#path, this.#handle);
    return this.#file.close();
  }
}
