// Which way commits of a log go to the disk, and why: tried on the directory when the log is opened, again with each new segment
// where something kept it from an answer that may pass, and given up for good where a file refuses it later. Invariant: a file is
// written in a way only if that way was seen to work in its directory.

import type { CommitPolicy } from './commit_policy.ts';
import { DirectMemory } from './direct_memory.ts';
import { AlignedMemoryUnavailable } from './pool/errors.ts';
import {
  DIRECT_BLOCK_BYTES,
  errorCode,
  type File,
  type FileSystem,
  type OpenMode,
  refusesDirect,
} from './ports/file_system.ts';
import { AppendFile, DirectFile, type SegmentFile } from './segment_file.ts';
import { readFully } from './whole_io.ts';

/** `direct`: whole blocks past the page cache, one call a commit. `append`: written at the end, then synced. */
export interface CommitWayStats {
  readonly way: 'append' | 'direct';
  /** Why it is `append`, where nobody asked for that. */
  readonly reason: string | undefined;
}

export class CommitWay {
  readonly #fileSystem: FileSystem;
  readonly #memory: DirectMemory;
  #direct = false;
  #reason: string | undefined;
  /** Whether the disk said "not now" and not "never". */
  #undecided = false;
  #trying: Promise<void> | undefined;
  /** Called when an attempt succeeds that had failed when the log was opened. */
  onDirect: () => void = () => {};
  /** Called where files refuse what they took when the log was opened. */
  onFallBack: (reason: string) => void = () => {};

  constructor(fileSystem: FileSystem) {
    this.#fileSystem = fileSystem;
    this.#memory = new DirectMemory(fileSystem);
  }

  get direct(): boolean {
    return this.#direct;
  }

  stats(): CommitWayStats {
    return { way: this.#direct ? 'direct' : 'append', reason: this.#reason };
  }

  /** Decides for the log in `directory`, of which the caller is the owner. */
  async choose(directory: string, { way, durability }: CommitPolicy): Promise<void> {
    if (way === 'append') return;
    // Without a sync after each commit the page cache is what makes commits cheap.
    if (durability !== 'fsync') this.#reason = `durability is ${durability}`;
    else await this.#try(`${directory}/owner.new`);
  }

  /** A file refused direct writes: whatever is opened from here on is appended to. */
  fallBack(error: unknown): void {
    if (!this.#direct) return;
    this.#direct = false;
    this.#reason = reasonOf(error);
    this.onFallBack(this.#reason);
  }

  /**
   * Once more, where the disk kept the log from an answer when it was opened: a segment is about to begin. Not with the name that
   * was tried then, under which the owner file may be written anew by now.
   * @param path that nobody uses for as long as this way is not in use
   */
  async tryAgain(path: string): Promise<void> {
    if (!this.#undecided) return;
    // Shards that begin a segment at the same time wait for the same answer.
    this.#trying ??= this.#try(path).finally(() => {
      this.#trying = undefined;
    });
    await this.#trying;
  }

  create(path: string): Promise<SegmentFile> {
    return this.#open(path, 'create', 'createDirect', Buffer.alloc(0));
  }

  /** Opens a segment of which the first `bytes` are content, to be gone on with. */
  async open(path: string, bytes: number): Promise<SegmentFile> {
    const carry = Buffer.alloc(this.#direct ? bytes % DIRECT_BLOCK_BYTES : 0);
    if (carry.length > 0) await this.#read(path, carry, bytes - carry.length);
    return this.#open(path, 'write', 'direct', carry);
  }

  async #open(path: string, append: OpenMode, direct: OpenMode, carry: Buffer): Promise<SegmentFile> {
    if (this.#direct) {
      try {
        return new DirectFile(await this.#fileSystem.open(path, direct), this.#memory, carry);
      } catch (error) {
        if (!refusesDirect(error)) throw error;
        this.fallBack(error);
      }
    }
    return new AppendFile(await this.#fileSystem.open(path, append));
  }

  async #try(path: string): Promise<void> {
    const again = this.#undecided;
    try {
      await this.#probe(path);
      this.#direct = true;
      this.#reason = undefined;
      this.#undecided = false;
    } catch (error) {
      this.#undecided = mayPass(error);
      // Tried once a segment under another name each time: the first reason stands for those like it.
      if (!again || !this.#undecided) this.#reason = reasonOf(error);
      return;
    }
    if (again) this.onDirect();
  }

  /** Writes a block and reads it back through the page cache, as readers do. The name is one that no version ever reads. */
  async #probe(path: string): Promise<void> {
    if (await this.#fileSystem.stat(path)) await this.#fileSystem.remove(path);
    const file = await this.#fileSystem.open(path, 'createDirect');
    try {
      const found = Buffer.alloc(DIRECT_BLOCK_BYTES);
      await this.#memory.lend(async (memory) => {
        const block = memory.subarray(0, DIRECT_BLOCK_BYTES).fill(0xa5);
        await writeBlock(file, block);
        await this.#read(path, found, 0);
        if (!found.equals(block)) throw new Error('what was written past the page cache is not what is read');
      });
    } finally {
      await file.close();
      await this.#fileSystem.remove(path);
    }
  }

  async #read(path: string, into: Buffer, position: number): Promise<void> {
    const file = await this.#fileSystem.open(path, 'read');
    try {
      const read = await readFully(file, into, position);
      if (read < into.length) throw new Error(`${path} ends before its content does`);
    } finally {
      await file.close();
    }
  }
}

async function writeBlock(file: File, block: Buffer): Promise<void> {
  const written = await file.write(block, 0);
  if (written === block.length) return;
  throw Object.assign(new Error(`a direct write of a block took ${written} bytes`), { code: 'ENOSPC' });
}

/** A disk that is full or fails just now says nothing about the way; what a file system does not do, or does wrong, does not pass. */
function mayPass(error: unknown): boolean {
  return errorCode(error) !== '' && !refusesDirect(error) && !(error instanceof AlignedMemoryUnavailable);
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const code = errorCode(error);
  return code === '' || text.includes(code) ? text : `${code}: ${text}`;
}
