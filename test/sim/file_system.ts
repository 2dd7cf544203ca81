// The FileSystem port over the simulated disk: adds time, faults and death. Invariants: what an operation does to the live
// image happens when it is issued, what it makes durable happens when it completes; a process that died neither changes
// anything any more nor ever hears an answer.

import type { File, FileSystem, Lock, OpenMode } from '../../buffer/ports/file_system.ts';
import type { Life, SimClock } from './clock.ts';
import { DirectoryNode, type Disk, type FileNode, type Node } from './disk.ts';
import type { Faults } from './faults.ts';
import type { SeededRandom } from './random.ts';
import type { Trace } from './trace.ts';

/** What all processes on one machine share. */
export interface Machine {
  readonly disk: Disk;
  readonly clock: SimClock;
  readonly faults: Faults;
  readonly random: SeededRandom;
  readonly trace: Trace;
  readonly locks: Map<string, Life>;
}

export function systemError(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: simulated, ${what}`), { code });
}

/** What a dead process waits for. A new one each time, or all that ever waited would stay in memory. */
function never(): Promise<never> {
  return new Promise(() => {});
}

/** One process: its files, its locks, and its death at a chosen operation. */
export class SimProcess implements FileSystem {
  readonly life: Life = { dead: false };
  /** Operations issued so far. */
  operations = 0;
  /** Dies when it issues this operation, before or after its effect. */
  diesAt = Number.MAX_SAFE_INTEGER;
  diesAfterEffect = false;
  handles = 0;
  readonly machine: Machine;

  constructor(machine: Machine) {
    this.machine = machine;
  }

  die(): void {
    this.life.dead = true;
    for (const [path, owner] of this.machine.locks) if (owner === this.life) this.machine.locks.delete(path);
  }

  /**
   * One operation. `effect` changes the live image and may throw; `complete` runs when the answer arrives. Both are
   * skipped by death.
   */
  async operate<T>(name: string, on: string, effect: () => T, complete?: (value: T) => void): Promise<T> {
    if (this.life.dead) return never();
    const { clock, faults, random, trace } = this.machine;
    this.operations += 1;
    const last = this.operations >= this.diesAt;
    if (last && !this.diesAfterEffect) {
      this.die();
      return never();
    }
    let outcome: { value: T } | { error: unknown };
    try {
      outcome = { value: effect() };
    } catch (error) {
      outcome = { error };
    }
    trace.add(name, on, clock.time_ms, 'value' in outcome ? outcome.value : outcome.error);
    if (last) {
      this.die();
      return never();
    }
    let latency_ms = 0.01 + random.next() * (name === 'sync' || name === 'syncDirectory' ? 1 : 0.05);
    if (faults.slowIo > 0 && random.chance(faults.slowIo)) {
      faults.struck.slow_io += 1;
      latency_ms += random.next() * faults.slow_ms;
    }
    await new Promise<void>((resolve) => {
      clock.after(latency_ms, this.life, resolve);
    });
    if ('error' in outcome) throw outcome.error;
    complete?.(outcome.value);
    return outcome.value;
  }

  async open(path: string, mode: OpenMode): Promise<File> {
    return this.operate('open', `${path} ${mode}`, () => {
      const { disk, faults } = this.machine;
      const node = disk.find(path);
      if (this.handles >= faults.handlesMax) {
        faults.struck.emfile += 1;
        throw systemError('EMFILE', path);
      }
      if (mode === 'create') {
        if (node) throw systemError('EEXIST', path);
        this.#mayFail(path);
        this.#needRoom(path);
        const file = disk.newFile();
        const { parent, name } = this.#parent(path);
        parent.add(name, file);
        this.handles += 1;
        return new SimFile(this, file, path);
      }
      if (!node) throw systemError('ENOENT', path);
      if (node.kind !== 'file') throw systemError('EISDIR', path);
      this.handles += 1;
      return new SimFile(this, node, path);
    });
  }

  async makeDirectory(path: string): Promise<boolean> {
    return this.operate('makeDirectory', path, () => {
      const node = this.machine.disk.find(path);
      if (node?.kind === 'directory') return false;
      if (node) throw systemError('EEXIST', path);
      this.#mayFail(path);
      this.#needRoom(path);
      const { parent, name } = this.#parent(path);
      parent.add(name, this.machine.disk.newDirectory());
      return true;
    });
  }

  async list(path: string): Promise<string[]> {
    return this.operate('list', path, () => [...this.#directory(path).live.keys()]);
  }

  async syncDirectory(path: string): Promise<void> {
    await this.operate(
      'syncDirectory',
      path,
      () => {
        const directory = this.#directory(path);
        const { faults, random } = this.machine;
        if (faults.directorySyncError > 0 && random.chance(faults.directorySyncError)) {
          faults.struck.directory_sync_eio += 1;
          throw systemError('EIO', path);
        }
        return { directory, count: directory.pending.length };
      },
      ({ directory, count }) => directory.persist(count),
    );
  }

  async rename(from: string, to: string): Promise<void> {
    await this.operate('rename', `${from} ${to}`, () => {
      this.#node(from);
      this.#mayFail(from);
      const source = this.#parent(from);
      const target = this.#parent(to);
      if (source.parent !== target.parent) throw systemError('EXDEV', from);
      source.parent.rename(source.name, target.name);
    });
  }

  async remove(path: string): Promise<void> {
    await this.operate('remove', path, () => {
      if (this.#node(path).kind !== 'file') throw systemError('EISDIR', path);
      this.#mayFail(path);
      const { parent, name } = this.#parent(path);
      parent.remove(name);
    });
  }

  async removeDirectory(path: string): Promise<void> {
    await this.operate('removeDirectory', path, () => {
      if (this.#directory(path).live.size > 0) throw systemError('ENOTEMPTY', path);
      const { parent, name } = this.#parent(path);
      parent.remove(name);
    });
  }

  async stat(path: string): Promise<{ size: number; directory: boolean } | undefined> {
    return this.operate('stat', path, () => {
      const node = this.machine.disk.find(path);
      if (!node) return undefined;
      return node.kind === 'file'
        ? { size: node.live_bytes, directory: false }
        : { size: 0, directory: true };
    });
  }

  async freeSpace(path: string): Promise<number> {
    return this.operate('freeSpace', path, () => {
      const { capacity_bytes } = this.machine.disk;
      return capacity_bytes === Number.MAX_SAFE_INTEGER ? capacity_bytes : this.room_bytes;
    });
  }

  async lock(path: string): Promise<Lock | undefined> {
    const { locks, disk } = this.machine;
    return this.operate('lock', path, () => {
      if (!disk.find(path)) {
        const { parent, name } = this.#parent(path);
        parent.add(name, disk.newFile());
      }
      if (locks.has(path)) return undefined;
      locks.set(path, this.life);
      return {
        release: async () => {
          if (!this.life.dead) locks.delete(path);
        },
      };
    });
  }

  get room_bytes(): number {
    const { disk } = this.machine;
    return Math.max(0, disk.capacity_bytes - disk.used_bytes);
  }

  #parent(path: string): { parent: DirectoryNode; name: string } {
    const slash = path.lastIndexOf('/');
    return { parent: this.#directory(path.slice(0, slash)), name: path.slice(slash + 1) };
  }

  #node(path: string): Node {
    const node = this.machine.disk.find(path);
    if (!node) throw systemError('ENOENT', path);
    return node;
  }

  #directory(path: string): DirectoryNode {
    const node = this.#node(path);
    if (!(node instanceof DirectoryNode)) throw systemError('ENOTDIR', path);
    return node;
  }

  #mayFail(path: string): void {
    const { faults, random } = this.machine;
    if (faults.metadataError === 0 || !random.chance(faults.metadataError)) return;
    faults.struck.metadata_eio += 1;
    throw systemError('EIO', path);
  }

  /** A name needs a little room as well. */
  #needRoom(path: string): void {
    const { disk, faults } = this.machine;
    if (disk.capacity_bytes === Number.MAX_SAFE_INTEGER || this.room_bytes > 0) return;
    faults.struck.enospc += 1;
    throw systemError('ENOSPC', path);
  }
}

class SimFile implements File {
  readonly #process: SimProcess;
  readonly #node: FileNode;
  readonly #path: string;
  #open = true;

  constructor(process: SimProcess, node: FileNode, path: string) {
    this.#process = process;
    this.#node = node;
    this.#path = path;
  }

  async write(bytes: Uint8Array, position: number): Promise<number> {
    return this.#process.operate('write', `${this.#path} ${position}+${bytes.length}`, () => {
      this.#mustBeOpen();
      const { faults, random } = this.#process.machine;
      if (faults.writeError > 0 && random.chance(faults.writeError)) {
        faults.struck.write_eio += 1;
        // Some of it may have arrived all the same.
        this.#node.write(bytes.subarray(0, random.integer(bytes.length + 1)), position);
        throw systemError('EIO', this.#path);
      }
      const taken = this.#roomFor(this.#maybeShort(bytes.length), position);
      this.#node.write(bytes.subarray(0, taken), position);
      return taken;
    });
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    return this.#process.operate('read', `${this.#path} ${position}+${into.length}`, () => {
      this.#mustBeOpen();
      const { faults, random } = this.#process.machine;
      if (faults.readError > 0 && random.chance(faults.readError)) {
        faults.struck.read_eio += 1;
        throw systemError('EIO', this.#path);
      }
      const there = Math.max(0, Math.min(into.length, this.#node.live_bytes - position));
      const taken = this.#maybeShort(there);
      into.set(this.#node.live.subarray(position, position + taken));
      return taken;
    });
  }

  async sync(): Promise<void> {
    const node = this.#node;
    await this.#process.operate(
      'sync',
      this.#path,
      () => {
        this.#mustBeOpen();
        this.#mayFailToSync();
        node.beginSync();
      },
      () => node.endSync(),
    );
  }

  async truncate(size: number): Promise<void> {
    await this.#process.operate('truncate', `${this.#path} ${size}`, () => {
      this.#mustBeOpen();
      this.#node.truncate(size);
    });
  }

  async size(): Promise<number> {
    return this.#process.operate('size', this.#path, () => this.#node.live_bytes);
  }

  async close(): Promise<void> {
    await this.#process.operate('close', this.#path, () => {
      this.#mustBeOpen();
      this.#open = false;
      this.#process.handles -= 1;
    });
  }

  #mustBeOpen(): void {
    if (!this.#open) throw systemError('EBADF', this.#path);
  }

  #maybeShort(bytes: number): number {
    const { faults, random } = this.#process.machine;
    if (bytes < 2 || faults.shortIo === 0 || !random.chance(faults.shortIo)) return bytes;
    faults.struck.short_io += 1;
    return 1 + random.integer(bytes - 1);
  }

  /** How many of `bytes` the disk takes at `position`; what overwrites needs no room. */
  #roomFor(bytes: number, position: number): number {
    const { disk, faults } = this.#process.machine;
    const growth = position + bytes - this.#node.live_bytes;
    if (growth <= 0 || disk.capacity_bytes === Number.MAX_SAFE_INTEGER) return bytes;
    const room = this.#process.room_bytes;
    if (growth <= room) return bytes;
    faults.struck.enospc += 1;
    const taken = bytes - (growth - room);
    if (taken <= 0) throw systemError('ENOSPC', this.#path);
    return taken;
  }

  /** The pages are clean afterwards, whatever became of them: syncing again would claim a success that never was. */
  #mayFailToSync(): void {
    const { faults, random } = this.#process.machine;
    const node = this.#node;
    const strikes = node.syncFails || (faults.syncError > 0 && random.chance(faults.syncError));
    if (!strikes) return;
    faults.struck.sync_eio += 1;
    if (faults.syncSticky) node.syncFails = true;
    const arrived = [...node.dirty].filter(() => random.chance(0.5));
    if (arrived.length > 0) node.persist(arrived);
    node.dirty.clear();
    if (faults.contentAfterFailedSync === 'reverted') node.revert();
    throw systemError('EIO', this.#path);
  }
}
