// How readers of a log open segments. Past the page cache where nobody else wants the bytes: that costs less, and leaves the
// page cache to others. Invariant: what two readers are to read comes from the disk once.

import { DirectMemory } from './direct_memory.ts';
import { type FileSystem, refusesDirect } from './ports/file_system.ts';
import type { Segment } from './segment.ts';
import { CachedSource, DirectSource, type SegmentSource } from './segment_source.ts';

/** Of memory for readers of all shards together, a piece for each that is read ahead for. */
const PIECES_MAX = 8;

export class SegmentReads {
  readonly #fileSystem: FileSystem;
  readonly #memory: DirectMemory;
  readonly #direct: () => boolean;

  /** @param direct whether files of this log take it at present */
  constructor(fileSystem: FileSystem, direct: () => boolean) {
    this.#fileSystem = fileSystem;
    this.#memory = new DirectMemory(fileSystem, PIECES_MAX);
    this.#direct = direct;
  }

  /** @param alone no other reader has the segment still to read */
  async open(path: string, segment: Segment, alone: boolean): Promise<SegmentSource> {
    const openCached = () => this.#fileSystem.open(path, 'read');
    // The end of an active segment is in the page cache where it was appended, and blocks of it are still being written.
    if (segment.sealed && alone && !segment.cached && this.#direct()) {
      try {
        const file = await this.#fileSystem.open(path, 'readDirect');
        return new DirectSource(file, this.#memory, segment.bytes, openCached);
      } catch (error) {
        if (!refusesDirect(error)) throw error;
      }
    }
    const file = await openCached();
    segment.cached = true;
    return new CachedSource(file);
  }
}
