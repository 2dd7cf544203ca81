// The spare of one shard: the file of a segment that is done with, which the next segment is written over instead of growing.
// Invariants: there is one at most, and it has this name durably before it is used; who takes or drops it has it alone.

import { errorCode, type FileSystem } from './ports/file_system.ts';

export const SPARE_NAME = 'spare';

export class Spare {
  readonly #fileSystem: FileSystem;
  readonly #directory: string;
  #bytes = 0;
  #keeping = false;

  constructor(fileSystem: FileSystem, directory: string) {
    this.#fileSystem = fileSystem;
    this.#directory = directory;
  }

  /** Of the file; 0 where there is none. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether another one may be kept. */
  get vacant(): boolean {
    return this.#bytes === 0 && !this.#keeping;
  }

  /**
   * Keeps the file `name` of `bytes`, which nobody wants any more and the account on disk knows to be gone. Returns false where
   * that failed; what is left under either name then is the caller's to remove.
   */
  async keep(name: string, bytes: number): Promise<boolean> {
    this.#keeping = true;
    try {
      await this.#fileSystem.rename(`${this.#directory}/${name}`, this.#path);
      // A power cut must not bring back the old name beside that which the file has next.
      await this.#fileSystem.syncDirectory(this.#directory);
      this.#bytes = bytes;
      return true;
    } catch {
      return false;
    } finally {
      this.#keeping = false;
    }
  }

  /** Gives the file the name `path`, not yet durably. Returns its bytes; 0 where there is no spare, or the disk says no. */
  async take(path: string): Promise<number> {
    const bytes = this.#bytes;
    if (bytes === 0) return 0;
    this.#bytes = 0;
    try {
      await this.#fileSystem.rename(this.#path, path);
      return bytes;
    } catch {
      await this.remove().catch(() => {});
      return 0;
    }
  }

  /** Removes the file, as well one that an earlier life left. @throws what the disk says; it is no spare all the same */
  async remove(): Promise<void> {
    this.#bytes = 0;
    try {
      await this.#fileSystem.remove(this.#path);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
    }
  }

  get #path(): string {
    return `${this.#directory}/${SPARE_NAME}`;
  }
}
