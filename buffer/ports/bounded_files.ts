// Any file system, with a bound on the descriptors that it holds at a time: a thousand shards have three files each. Files
// that rest are closed, the least recently used first, and opened again when they are next used; who finds nothing to
// close waits. Invariant: a file that was written and not synced keeps its descriptor, for a failed write-back is told
// only to descriptors that were open then (fsync(2)); one whose sync failed keeps it until its owner closes it, so that it
// is never opened again and believed. Nobody may therefore wait for a second file while one of his is written and not synced,
// and owners that leave files unsynced are asked to sync them when somebody waits.

import { errorCode, type File, type FileSystem, type Lock, type OpenMode } from './file_system.ts';

/** A shard that rolls holds the old segment and the new one, and its directory while that is synced. */
export const OPEN_FILES_MIN = 8;

/** Of the process, or of the machine. */
const NO_DESCRIPTOR = new Set(['EMFILE', 'ENFILE']);

export class BoundedFiles implements FileSystem {
  readonly #inner: FileSystem;
  readonly #maxOpen: number;
  /** Descriptors that are open, or about to be. */
  #open = 0;
  /** Files that may be closed, the least recently used first. */
  readonly #resting = new Set<BoundedFile>();
  readonly #byPath = new Map<string, Set<BoundedFile>>();
  readonly #waiting: (() => void)[] = [];
  /** Called when somebody waits while files that nobody uses have unsynced writes: their owners should sync them. */
  onUnsynced: () => void = () => {};

  constructor(inner: FileSystem, maxOpen: number) {
    this.#inner = inner;
    this.#maxOpen = maxOpen;
  }

  /** Descriptors in use now; the lock is not counted. */
  get openFiles(): number {
    return this.#open;
  }

  async open(path: string, mode: OpenMode): Promise<File> {
    const file = new BoundedFile(this, path, mode, await this.openInner(path, mode));
    this.#named(path).add(file);
    this.rest(file);
    return file;
  }

  list(path: string): Promise<string[]> {
    return this.#holdingOne(() => this.#inner.list(path));
  }

  syncDirectory(path: string): Promise<void> {
    return this.#holdingOne(() => this.#inner.syncDirectory(path));
  }

  /** What is open under either name stays what it is; what took the name is not what had it before. */
  async rename(from: string, to: string): Promise<void> {
    await this.#inner.rename(from, to);
    this.#orphan(to);
    const moved = this.#byPath.get(from);
    if (!moved) return;
    this.#byPath.delete(from);
    this.#byPath.set(to, moved);
    for (const file of moved) file.path = to;
  }

  async remove(path: string): Promise<void> {
    await this.#inner.remove(path);
    this.#orphan(path);
  }

  makeDirectory(path: string): Promise<boolean> {
    return this.#inner.makeDirectory(path);
  }

  removeDirectory(path: string): Promise<void> {
    return this.#inner.removeDirectory(path);
  }

  stat(path: string): Promise<{ size: number; directory: boolean } | undefined> {
    return this.#inner.stat(path);
  }

  freeSpace(path: string): Promise<number> {
    return this.#inner.freeSpace(path);
  }

  directMemory(): Buffer {
    return this.#inner.directMemory();
  }

  lock(path: string): Promise<Lock | undefined> {
    return this.#inner.lock(path);
  }

  // What follows is for the files.

  openInner(path: string, mode: OpenMode): Promise<File> {
    return this.#takingOne(() => this.#inner.open(path, mode));
  }

  async closeInner(file: File): Promise<void> {
    try {
      await file.close();
    } finally {
      this.#give();
    }
  }

  busy(file: BoundedFile): void {
    this.#resting.delete(file);
  }

  /** Nothing is under way on the file, and nothing of it is unsynced. */
  rest(file: BoundedFile): void {
    this.#resting.add(file);
    this.#waiting.shift()?.();
  }

  /** Nothing is under way on the file, and it keeps its descriptor. */
  hold(): void {
    if (this.#waiting.length > 0) this.onUnsynced();
  }

  forget(file: BoundedFile): void {
    this.#resting.delete(file);
    const named = this.#byPath.get(file.path);
    named?.delete(file);
    if (named?.size === 0) this.#byPath.delete(file.path);
  }

  async #take(): Promise<void> {
    while (this.#open >= this.#maxOpen) {
      if (await this.#closeOldest()) continue;
      this.onUnsynced();
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#open += 1;
  }

  #give(): void {
    this.#open -= 1;
    this.#waiting.shift()?.();
  }

  /** False where none rests. */
  async #closeOldest(): Promise<boolean> {
    const [oldest] = this.#resting;
    if (!oldest) return false;
    this.#resting.delete(oldest);
    await oldest.letGo();
    return true;
  }

  /** Where the system has no descriptor left though the bound would allow one, what rests makes room too. */
  async #takingOne<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      await this.#take();
      try {
        return await work();
      } catch (error) {
        this.#give();
        if (!NO_DESCRIPTOR.has(errorCode(error)) || !(await this.#closeOldest())) throw error;
      }
    }
  }

  async #holdingOne<T>(work: () => Promise<T>): Promise<T> {
    const result = await this.#takingOne(work);
    this.#give();
    return result;
  }

  #orphan(path: string): void {
    for (const file of this.#byPath.get(path) ?? []) file.orphaned = true;
    this.#byPath.delete(path);
  }

  #named(path: string): Set<BoundedFile> {
    let named = this.#byPath.get(path);
    if (!named) {
      named = new Set();
      this.#byPath.set(path, named);
    }
    return named;
  }
}

class BoundedFile implements File {
  path: string;
  /** Its name is gone, or another file has it: once closed it cannot be opened again. */
  orphaned = false;
  readonly #system: BoundedFiles;
  readonly #mode: Exclude<OpenMode, 'create' | 'createDirect'>;
  #file: File | undefined;
  #opening: Promise<File> | undefined;
  /** Operations that are under way, and how many of them write. */
  #users = 0;
  #writing = 0;
  /** Writes that were ever begun: a sync covers those before it. */
  #writes = 0;
  /** Least position written since the last sync. */
  #unsyncedFrom = Number.POSITIVE_INFINITY;
  #failed = false;
  #closing: (() => void) | undefined;
  #closed = false;

  constructor(system: BoundedFiles, path: string, mode: OpenMode, file: File) {
    this.#system = system;
    this.path = path;
    if (mode === 'createDirect') this.#mode = 'direct';
    else this.#mode = mode === 'create' ? 'write' : mode;
    this.#file = file;
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return this.#use((file) => file.read(into, position));
  }

  size(): Promise<number> {
    return this.#use((file) => file.size());
  }

  /** A direct write leaves nothing unsynced: what became of it, its answer says. */
  write(bytes: Uint8Array, position: number): Promise<number> {
    if (this.#mode === 'direct') return this.#use((file) => file.write(bytes, position));
    return this.#change(position, (file) => file.write(bytes, position));
  }

  async truncate(size: number): Promise<void> {
    const undone = size <= this.#unsyncedFrom && this.#unsyncedFrom < Number.POSITIVE_INFINITY;
    await this.#change(size, (file) => file.truncate(size), undone);
  }

  sync(): Promise<void> {
    return this.#use(async (file) => {
      const covered = this.#writing === 0 ? this.#writes : -1;
      try {
        await file.sync();
      } catch (error) {
        this.#failed = true;
        throw error;
      }
      if (covered === this.#writes) this.#unsyncedFrom = Number.POSITIVE_INFINITY;
    });
  }

  async close(): Promise<void> {
    if (this.#closed) throw closedError(this.path);
    this.#closed = true;
    if (this.#users > 0) {
      await new Promise<void>((resolve) => {
        this.#closing = resolve;
      });
    }
    this.#system.forget(this);
    const file = this.#file;
    this.#file = undefined;
    if (file) await this.#system.closeInner(file);
  }

  /** For the pool, of a file that rests. What was promised of it is synced, so a failing close takes nothing back. */
  async letGo(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    if (file) await this.#system.closeInner(file).catch(() => {});
  }

  /** @param undone whether the change leaves nothing unsynced behind, if it succeeds */
  #change<T>(from: number, change: (file: File) => Promise<T>, undone = false): Promise<T> {
    return this.#use(async (file) => {
      this.#unsyncedFrom = Math.min(this.#unsyncedFrom, from);
      this.#writes += 1;
      this.#writing += 1;
      try {
        const result = await change(file);
        if (undone) this.#unsyncedFrom = Number.POSITIVE_INFINITY;
        return result;
      } finally {
        this.#writing -= 1;
      }
    });
  }

  async #use<T>(work: (file: File) => Promise<T>): Promise<T> {
    if (this.#closed) throw closedError(this.path);
    this.#users += 1;
    this.#system.busy(this);
    try {
      return await work(this.#file ?? (await this.#reopen()));
    } finally {
      this.#users -= 1;
      if (this.#users === 0) this.#rest();
    }
  }

  #rest(): void {
    if (this.#closed) {
      this.#closing?.();
      return;
    }
    const unsynced = this.#unsyncedFrom < Number.POSITIVE_INFINITY;
    if (!this.#file || this.#failed) return;
    if (unsynced) this.#system.hold();
    else this.#system.rest(this);
  }

  #reopen(): Promise<File> {
    if (this.orphaned) return Promise.reject(systemError('ENOENT', this.path, 'the file was removed'));
    this.#opening ??= this.#system.openInner(this.path, this.#mode).then(
      (file) => {
        this.#opening = undefined;
        this.#file = file;
        return file;
      },
      (error: unknown) => {
        this.#opening = undefined;
        throw error;
      },
    );
    return this.#opening;
  }
}

function closedError(path: string): Error {
  return systemError('EBADF', path, 'the file is closed');
}

function systemError(code: string, path: string, message: string): Error {
  return Object.assign(new Error(`${code}: ${message}, ${path}`), { code });
}
