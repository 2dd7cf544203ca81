// The spare of one shard: the file of a segment that is done with, which the next segment is written over instead of growing.
// Invariants: there is one at most, and it has its name durably before it is used; who takes or drops it has it alone, and
// the name says whose it is, so that an owner that lost its lock never comes upon that of its successor.

import type { CommitWay } from './commit_way.ts';
import { errorCode, type FileSystem } from './ports/file_system.ts';
import type { SegmentFile } from './segment_file.ts';

/** Whether a file of that name is a spare, of whichever owner. */
export function isSpare(name: string): boolean {
  return /^spare-\d+$/.test(name);
}

export class Spare {
  readonly #fileSystem: FileSystem;
  readonly #way: CommitWay;
  readonly #directory: string;
  /** Of the file; nobody has it where direct writes never worked in this opening. */
  readonly path: string;
  #bytes = 0;
  /** Under way from one name to another: until then nothing else may get this one. */
  #moving = false;

  /** @param epoch of the owner */
  constructor(fileSystem: FileSystem, way: CommitWay, directory: string, epoch: number) {
    this.#fileSystem = fileSystem;
    this.#way = way;
    this.#directory = directory;
    this.path = `${directory}/spare-${epoch}`;
  }

  /** Of the file; 0 where there is none. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether another one may be kept. */
  get vacant(): boolean {
    return this.#bytes === 0 && !this.#moving;
  }

  /**
   * Keeps the file `name` of `bytes`, which nobody wants any more and the account on disk knows to be gone. Returns false where
   * that failed: it may have either name then, and is the caller's to remove.
   */
  async keep(name: string, bytes: number): Promise<boolean> {
    this.#moving = true;
    try {
      await this.#fileSystem.rename(`${this.#directory}/${name}`, this.path);
      // A power cut must not bring back the old name beside that which the file has next.
      await this.#fileSystem.syncDirectory(this.#directory);
      this.#bytes = bytes;
      return true;
    } catch {
      return false;
    } finally {
      this.#moving = false;
    }
  }

  /**
   * Gives the file the name `path`, not yet durably. Undefined where there is no spare, or the disk says no. It is opened first:
   * under the new name another owner may have put a file of his.
   */
  async take(path: string): Promise<{ file: SegmentFile; bytes: number } | undefined> {
    const bytes = this.#bytes;
    if (bytes === 0) return undefined;
    this.#bytes = 0;
    this.#moving = true;
    let file: SegmentFile | undefined;
    try {
      file = await this.#way.open(this.path, 0);
      await this.#fileSystem.rename(this.path, path);
      return { file, bytes };
    } catch {
      await file?.close().catch(() => {});
      await this.remove().catch(() => {});
      return undefined;
    } finally {
      this.#moving = false;
    }
  }

  /** Removes the file. @throws what the disk says; it is no spare all the same */
  async remove(): Promise<void> {
    this.#bytes = 0;
    try {
      await this.#fileSystem.remove(this.path);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
    }
  }
}
