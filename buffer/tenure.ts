// Whether this process still has the directory. The kernel keeps the lock for as long as the process lives, but a network file
// system may drop it, and somebody may delete its file: then a second owner comes, with a higher epoch in the owner file.
// Invariant: what is confirmed was looked up no longer ago than TENURE_ms, by the clock that runs on while the process is stopped,
// and by that of the wall, which runs on while the machine is suspended; where that one jumps it costs a look.

import { CommitFailed, OwnershipLost } from './errors.ts';
import { decodeOwner } from './owner_record.ts';
import type { Clock } from './ports/clock.ts';
import type { FileSystem } from './ports/file_system.ts';
import { SLOT_BYTES, viewSlots } from './two_slot.ts';
import { readFully } from './whole_io.ts';

/** How long a look at the owner file serves. So long at most does an owner go on that lost its lock while it runs. */
export const TENURE_ms = 200;
/** From this age on it is looked ahead of time: late, as a look costs three calls to the disk, and early enough for a slow one. */
const AHEAD_ms = 150;
/** A look that took longer than it serves is repeated; a machine that is so slow is told to try again. */
const LOOKS_MAX = 5;

export class Tenure {
  readonly #fileSystem: FileSystem;
  readonly #clock: Clock;
  readonly #directory: string;
  readonly #epoch: number;
  /** Called once, when another owner is found. */
  onLost: (error: OwnershipLost) => void = () => {};
  #confirmed_ms: number;
  #confirmedWall_ms: number;
  #look: Promise<boolean> | undefined;
  #lost: OwnershipLost | undefined;
  /** What stood in the owner file when it last said that the directory is ours, and what the next look reads into. */
  #confirmedBytes: Buffer | undefined;
  #bytes: Buffer = Buffer.alloc(2 * SLOT_BYTES);

  /** @param fileSystem without a bound on descriptors: who holds an unsynced file must not wait for another */
  constructor(fileSystem: FileSystem, clock: Clock, directory: string, epoch: number) {
    this.#fileSystem = fileSystem;
    this.#clock = clock;
    this.#directory = directory;
    this.#epoch = epoch;
    this.#confirmed_ms = clock.monotonic();
    this.#confirmedWall_ms = clock.now();
  }

  /**
   * Undefined where there is nothing to wait for, else resolves once the directory is confirmed to be ours. An owner file that
   * cannot be read says nothing either way: recovery deals with that. Rejects with OwnershipLost, or CommitFailed.
   */
  confirm(): Promise<void> | undefined {
    if (this.#lost) return this.#confirmed();
    const age_ms = this.#age_ms;
    if (age_ms < AHEAD_ms) return undefined;
    // Looked up ahead of time, so that commits which follow each other closely never wait.
    if (age_ms < TENURE_ms) {
      void this.#begin();
      return undefined;
    }
    return this.#confirmed();
  }

  /** No look is under way afterwards. */
  async close(): Promise<void> {
    await this.#look;
  }

  async #confirmed(): Promise<void> {
    for (let looks = 0; looks < LOOKS_MAX; looks++) {
      const readable = this.#lost ? false : await this.#begin();
      if (this.#lost) throw this.#lost;
      if (!readable || this.#age_ms < TENURE_ms) return;
    }
    throw new CommitFailed(this.#directory, 'the owner file takes too long to read');
  }

  /** How long ago the look began that confirmed last, by the clock that says more. */
  get #age_ms(): number {
    const wall_ms = Math.abs(this.#clock.now() - this.#confirmedWall_ms);
    return Math.max(this.#clock.monotonic() - this.#confirmed_ms, wall_ms);
  }

  /** Whether the owner file could be read. Never rejects. */
  #begin(): Promise<boolean> {
    this.#look ??= this.#read().finally(() => {
      this.#look = undefined;
    });
    return this.#look;
  }

  async #read(): Promise<boolean> {
    const began_ms = this.#clock.monotonic();
    const beganWall_ms = this.#clock.now();
    try {
      await this.#readFile();
      // Nobody has written to it since: most looks find that.
      if (this.#confirmedBytes === undefined || !this.#bytes.equals(this.#confirmedBytes)) {
        const payload = newestPayload(this.#bytes);
        if (!payload) return false;
        const { epoch, pid, since } = decodeOwner(payload);
        if (epoch > this.#epoch) {
          this.#lost = new OwnershipLost(this.#directory, `process ${pid} since ${since}`);
          this.onLost(this.#lost);
          return true;
        }
        const spare = this.#confirmedBytes ?? Buffer.alloc(2 * SLOT_BYTES);
        this.#confirmedBytes = this.#bytes;
        this.#bytes = spare;
      }
    } catch {
      return false;
    }
    this.#confirmed_ms = began_ms;
    this.#confirmedWall_ms = beganWall_ms;
    return true;
  }

  /** Opened anew each time: a new owner may have put another file in its place. */
  async #readFile(): Promise<void> {
    const file = await this.#fileSystem.open(`${this.#directory}/owner`, 'read');
    try {
      this.#bytes.fill(0, await readFully(file, this.#bytes, 0));
    } finally {
      await file.close();
    }
  }
}

function newestPayload(bytes: Buffer): Buffer | undefined {
  const intact = viewSlots(bytes).filter(({ state, magic }) => state === 'intact' && magic === 'HFOW');
  return intact.sort((a, b) => b.sequence - a.sequence)[0]?.payload;
}
