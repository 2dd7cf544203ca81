// An open file of a simulated process: what reading, writing and syncing it does to the disk, and how each can fail.
// Invariant: what a failed sync did not make durable, no later sync does.

import { DIRECT_BLOCK_BYTES, type File } from '../../buffer/ports/file_system.ts';
import { type FileNode, SECTOR_BYTES } from './disk.ts';
import type { SimProcess } from './file_system.ts';
import { systemError } from './system_error.ts';

export class SimFile implements File {
  readonly #process: SimProcess;
  readonly #node: FileNode;
  readonly #path: string;
  readonly #direct: boolean;
  #open = true;

  constructor(process: SimProcess, node: FileNode, path: string, direct = false) {
    this.#direct = direct;
    this.#process = process;
    this.#node = node;
    this.#path = path;
  }

  write(bytes: Uint8Array, position: number): Promise<number> {
    if (this.#direct) return this.#writeDirect(bytes, position);
    return this.#process.operate(
      'write',
      this.#path,
      () => {
        this.#mustBeOpen();
        const { faults, random } = this.#process.machine;
        if (faults.writeError > 0 && random.chance(faults.writeError)) {
          this.#process.strike('write_eio');
          // Some of it may have arrived all the same.
          this.#node.write(bytes.subarray(0, random.integer(bytes.length + 1)), position);
          throw systemError('EIO', this.#path);
        }
        const taken = this.#roomFor(this.#maybeShort(bytes.length), position);
        this.#node.write(taken === bytes.length ? bytes : bytes.subarray(0, taken), position);
        return taken;
      },
      undefined,
      position,
      bytes.length,
    );
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return this.#process.operate(
      this.#direct ? 'readDirect' : 'read',
      this.#path,
      () => {
        this.#mustBeOpen();
        const { faults, random } = this.#process.machine;
        if (this.#direct && (faults.directReadsRefused || !wholeBlocks(into, position))) {
          throw systemError('EINVAL', this.#path);
        }
        if (faults.readError > 0 && random.chance(faults.readError)) {
          this.#process.strike('read_eio');
          throw systemError('EIO', this.#path);
        }
        const there = Math.max(0, Math.min(into.length, this.#node.live_bytes - position));
        if (this.#direct) {
          const taken = this.#maybeFewerSectors(there);
          this.#node.readDirect(into, position, taken);
          return taken;
        }
        const taken = this.#maybeShort(there);
        into.set(this.#node.live.subarray(position, position + taken));
        return taken;
      },
      undefined,
      position,
      into.length,
    );
  }

  /**
   * As an open file with O_DIRECT and O_DSYNC does: whole aligned blocks, past the page cache, durable once it returns. Until
   * then, and where it fails, each sector of it may have arrived or not.
   */
  #writeDirect(bytes: Uint8Array, position: number): Promise<number> {
    const node = this.#node;
    return this.#process.operate(
      'writeDirect',
      this.#path,
      () => {
        this.#mustBeOpen();
        const { faults } = this.#process.machine;
        if (faults.directRefused || !wholeBlocks(bytes, position)) throw systemError('EINVAL', this.#path);
        this.#mayFailDirect(bytes, position);
        const room = this.#roomFor(this.#maybeShort(bytes.length), position);
        // The device takes whole sectors, of a short write one at least.
        const taken = room < SECTOR_BYTES ? SECTOR_BYTES : room - (room % SECTOR_BYTES);
        node.write(taken === bytes.length ? bytes : bytes.subarray(0, taken), position);
        node.beginSync(position, position + taken);
        return taken;
      },
      () => node.endSync(),
      position,
      bytes.length,
    );
  }

  /** Which sectors arrived nobody knows, nor whether they stay. */
  #mayFailDirect(bytes: Uint8Array, position: number): void {
    const { faults, random } = this.#process.machine;
    const node = this.#node;
    const writeFails = faults.writeError > 0 && random.chance(faults.writeError);
    const syncFails = node.syncFails || (faults.syncError > 0 && random.chance(faults.syncError));
    if (!writeFails && !syncFails) return;
    this.#process.strike(writeFails ? 'write_eio' : 'sync_eio');
    if (syncFails && faults.syncSticky) node.syncFails = true;
    for (let at = 0; at < bytes.length; at += SECTOR_BYTES) {
      if (random.chance(0.5)) node.write(bytes.subarray(at, at + SECTOR_BYTES), position + at);
    }
    throw systemError('EIO', this.#path);
  }

  sync(): Promise<void> {
    const node = this.#node;
    return this.#process.operate(
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

  truncate(size: number): Promise<void> {
    return this.#process.operate(
      'truncate',
      this.#path,
      () => {
        this.#mustBeOpen();
        this.#node.truncate(size);
      },
      undefined,
      size,
    );
  }

  size(): Promise<number> {
    return this.#process.operate('size', this.#path, () => this.#node.live_bytes);
  }

  close(): Promise<void> {
    return this.#process.operate('close', this.#path, () => {
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
    this.#process.strike('short_io');
    return 1 + random.integer(bytes - 1);
  }

  /** A direct read stops short at a sector, or where the file ends. */
  #maybeFewerSectors(bytes: number): number {
    const taken = this.#maybeShort(bytes);
    return taken === bytes ? bytes : Math.min(bytes, Math.ceil(taken / SECTOR_BYTES) * SECTOR_BYTES);
  }

  /** How many of `bytes` the disk takes at `position`; what overwrites needs no room. */
  #roomFor(bytes: number, position: number): number {
    const { disk } = this.#process.machine;
    const growth = position + bytes - this.#node.live_bytes;
    if (growth <= 0 || disk.capacity_bytes === Number.MAX_SAFE_INTEGER) return bytes;
    const room = this.#process.room_bytes;
    if (growth <= room) return bytes;
    this.#process.strike('enospc');
    const taken = bytes - (growth - room);
    if (taken <= 0) throw systemError('ENOSPC', this.#path);
    return taken;
  }

  /** The pages are clean afterwards, whatever became of them: syncing again would claim a success that never was. */
  #mayFailToSync(): void {
    const { faults, random } = this.#process.machine;
    const node = this.#node;
    const strikes =
      node.syncFails || (faults.syncError > 0 && !node.syncFailed && random.chance(faults.syncError));
    if (!strikes) return;
    this.#process.strike('sync_eio');
    // Linux tells a failure once: whoever asks again hears that all is well (PostgreSQL's "fsyncgate", 2018).
    node.syncFailed = true;
    if (faults.syncSticky) node.syncFails = true;
    const arrived = [...node.dirty].filter(() => random.chance(0.5));
    if (arrived.length > 0) node.persist(arrived);
    node.dirty.clear();
    if (faults.contentAfterFailedSync === 'reverted') node.revert();
    throw systemError('EIO', this.#path);
  }
}

function wholeBlocks(bytes: Uint8Array, position: number): boolean {
  return [position, bytes.length, bytes.byteOffset].every((each) => each % DIRECT_BLOCK_BYTES === 0);
}
