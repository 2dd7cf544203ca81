// The FileSystem port over the simulated disk: adds time, faults and death. Invariants: what an operation does to the live
// image happens when it is issued, what it makes durable happens when it completes; a process that died neither changes
// anything any more nor ever hears an answer.

import {
  DIRECT_BLOCK_BYTES,
  type File,
  type FileSystem,
  type Lock,
  type OpenMode,
} from '../../buffer/ports/file_system.ts';
import type { Life, SimClock } from './clock.ts';
import { DirectoryNode, type Disk, type Node } from './disk.ts';
import type { FaultKind, Faults } from './faults.ts';
import { SimFile } from './file.ts';
import { type LogState, logStateAt } from './log_state.ts';
import type { SeededRandom } from './random.ts';
import { systemError } from './system_error.ts';
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

/** What the trace calls it. */
const OPENING: Readonly<Record<OpenMode, string>> = {
  read: 'open',
  readDirect: 'openToReadDirect',
  write: 'openToWrite',
  direct: 'openToWrite',
  create: 'create',
  createDirect: 'create',
};

const DIRECT_MEMORY_BYTES = 2 * DIRECT_BLOCK_BYTES;

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
  /** Until whoever runs the process says that the log is open. */
  recovering = true;
  /** Told before and after the effect of each operation: the instants at which the process could end. */
  atBoundary: ((name: string, path: string) => void) | undefined;
  /** What the log was doing when the process ended. */
  diedWhile: LogState = 'idle';
  readonly machine: Machine;
  /** The operation that is under way, and whether a rename awaits the sync of its directory. */
  #name = '';
  #path = '';
  #renamed = false;

  constructor(machine: Machine) {
    this.machine = machine;
  }

  die(): void {
    this.life.dead = true;
    for (const [path, owner] of this.machine.locks) if (owner === this.life) this.machine.locks.delete(path);
  }

  /** Counts a fault that strikes the operation under way. */
  strike(kind: FaultKind): void {
    this.machine.faults.strike(kind, this.#state());
  }

  /**
   * One operation. `effect` changes the live image and may throw; `complete` runs when the answer arrives. Both are
   * skipped by death. `at` and `bytes` are for the trace.
   */
  operate<T>(
    name: string,
    path: string,
    effect: () => T,
    complete?: (value: T) => void,
    at = -1,
    bytes = -1,
  ): Promise<T> {
    if (this.life.dead) return never();
    const { clock, faults, random, trace } = this.machine;
    this.#name = name;
    this.#path = path;
    this.operations += 1;
    const last = this.operations >= this.diesAt;
    if (last && !this.diesAfterEffect) return this.#dieHere();
    this.atBoundary?.(name, path);
    let value: T | undefined;
    let error: unknown;
    try {
      value = effect();
    } catch (thrown) {
      error = thrown;
    }
    trace.add(name, path, at, bytes, clock.time_ms, error ?? value);
    this.atBoundary?.(name, path);
    if (last) return this.#dieHere();
    this.#renamed = name === 'rename' || (this.#renamed && name !== 'syncDirectory');
    let latency_ms = 0.01 + random.next() * (name === 'sync' || name === 'syncDirectory' ? 1 : 0.05);
    if (faults.slowIo > 0 && random.chance(faults.slowIo)) {
      this.strike('slow_io');
      latency_ms += random.next() * faults.slow_ms;
    }
    return new Promise<T>((resolve, reject) => {
      clock.plan(latency_ms, this.life, () => {
        if (error !== undefined) {
          reject(error);
          return;
        }
        complete?.(value as T);
        resolve(value as T);
      });
    });
  }

  #dieHere(): Promise<never> {
    this.diedWhile = this.#state();
    this.die();
    return never();
  }

  #state(): LogState {
    return logStateAt(this.#name, this.#path, this.recovering, this.#renamed);
  }

  open(path: string, mode: OpenMode): Promise<File> {
    const direct = mode === 'direct' || mode === 'createDirect' || mode === 'readDirect';
    const creates = mode === 'create' || mode === 'createDirect';
    return this.operate<File>(OPENING[mode], path, () => {
      const { disk, faults, random } = this.machine;
      const node = disk.find(path);
      if (this.handles >= faults.handlesMax) {
        this.strike('emfile');
        throw systemError('EMFILE', path);
      }
      if (creates) {
        if (node) throw systemError('EEXIST', path);
        this.#mayFail(path);
        this.#needRoom(path);
        const file = disk.newFile();
        const { parent, name } = this.#parent(path);
        parent.add(name, file);
        this.handles += 1;
        return new SimFile(this, file, path, direct);
      }
      if (!node) throw systemError('ENOENT', path);
      if (node.kind !== 'file') throw systemError('EISDIR', path);
      // Where it is not refused here, the first read of it is.
      if (mode === 'readDirect' && faults.directReadsRefused && random.chance(0.5)) {
        throw systemError('EINVAL', path);
      }
      this.handles += 1;
      return new SimFile(this, node, path, direct);
    });
  }

  makeDirectory(path: string): Promise<boolean> {
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

  list(path: string): Promise<string[]> {
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
          this.strike('directory_sync_eio');
          throw systemError('EIO', path);
        }
        return { directory, count: directory.pending.length };
      },
      ({ directory, count }) => directory.persist(count),
    );
  }

  rename(from: string, to: string): Promise<void> {
    return this.operate('rename', `${from} ${to}`, () => {
      this.#node(from);
      this.#mayFail(from);
      const source = this.#parent(from);
      const target = this.#parent(to);
      if (source.parent !== target.parent) throw systemError('EXDEV', from);
      source.parent.rename(source.name, target.name);
    });
  }

  remove(path: string): Promise<void> {
    return this.operate('remove', path, () => {
      if (this.#node(path).kind !== 'file') throw systemError('EISDIR', path);
      this.#mayFail(path);
      const { parent, name } = this.#parent(path);
      parent.remove(name);
    });
  }

  removeDirectory(path: string): Promise<void> {
    return this.operate('removeDirectory', path, () => {
      if (this.#directory(path).live.size > 0) throw systemError('ENOTEMPTY', path);
      const { parent, name } = this.#parent(path);
      parent.remove(name);
    });
  }

  stat(path: string): Promise<{ size: number; directory: boolean } | undefined> {
    return this.operate<{ size: number; directory: boolean } | undefined>('stat', path, () => {
      const node = this.machine.disk.find(path);
      if (!node) return undefined;
      return node.kind === 'file'
        ? { size: node.live_bytes, directory: false }
        : { size: 0, directory: true };
    });
  }

  freeSpace(path: string): Promise<number> {
    return this.operate('freeSpace', path, () => {
      const { capacity_bytes } = this.machine.disk;
      return capacity_bytes === Number.MAX_SAFE_INTEGER ? capacity_bytes : this.room_bytes;
    });
  }

  lock(path: string): Promise<Lock | undefined> {
    const { locks, disk } = this.machine;
    return this.operate<Lock | undefined>('lock', path, () => {
      if (!disk.find(path)) {
        const { parent, name } = this.#parent(path);
        parent.add(name, disk.newFile());
      }
      if (locks.has(path)) return undefined;
      locks.set(path, this.life);
      return {
        release: async () => {
          if (!this.life.dead && locks.get(path) === this.life) locks.delete(path);
        },
      };
    });
  }

  /** Small, so that commits are written and windows read in several pieces. */
  directMemory(): Buffer {
    return Buffer.allocUnsafeSlow(DIRECT_MEMORY_BYTES);
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
    this.strike('metadata_eio');
    throw systemError('EIO', path);
  }

  /** A name needs a little room as well. */
  #needRoom(path: string): void {
    const { disk } = this.machine;
    if (disk.capacity_bytes === Number.MAX_SAFE_INTEGER || this.room_bytes > 0) return;
    this.strike('enospc');
    throw systemError('ENOSPC', path);
  }
}
