// The consumer groups of one shard and the file that holds their committed offsets. Commits are taken in memory and
// written together, once an interval. Invariant: what is on disk is never ahead of what was committed.

import { Deferred, refused } from './deferred.ts';
import { LogClosed } from './errors.ts';
import { decodeOffsets, encodeOffsets, type GroupState } from './offsets.ts';
import type { Clock, Timer } from './ports/clock.ts';
import type { StoredState, TwoSlotFile } from './two_slot.ts';

export class GroupOffsets {
  readonly groups: Map<string, GroupState>;
  readonly #shard: string;
  readonly #file: TwoSlotFile;
  readonly #clock: Clock;
  readonly #interval_ms: number;
  #dirty: boolean;
  /** Both slots hold the newest state, so that one damaged slot takes nothing back. */
  #mirrored: boolean;
  #flushed = new Deferred();
  #last: Promise<void> = Promise.resolve();
  #timer: Timer | undefined;
  /** When the timer is due, monotonic ms, and whether it keeps the process alive. */
  #due_ms = 0;
  #keepsAlive = false;
  #closed = false;
  onError: (error: unknown) => void = () => {};
  /** Makes durable what a reader found missing: once the offsets are past it nobody would find it again. */
  beforeWrite: () => Promise<void> = () => Promise.resolve();

  /** What was read and could not be made durable counts as changed: until it is written a power cut may take it back. */
  constructor(shard: string, file: TwoSlotFile, stored: StoredState, clock: Clock, interval_ms: number) {
    this.#shard = shard;
    this.#file = file;
    this.groups = stored.payload ? decodeOffsets(stored.payload) : new Map();
    this.#clock = clock;
    this.#interval_ms = interval_ms;
    this.#dirty = !stored.durable;
    this.#mirrored = stored.mirrored;
    if (this.#dirty || !this.#mirrored) this.#arm();
  }

  /** Adds or replaces a group. Resolves when that is durable. @throws TooManyGroups, and nothing has changed then */
  async put(state: GroupState): Promise<void> {
    encodeOffsets(new Map(this.groups).set(state.name, state).values(), this.#shard);
    this.groups.set(state.name, state);
    this.#dirty = true;
    this.#arm();
    await this.flush();
  }

  /** Whether anything is taken still. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Takes a group out, for ever. Resolves when no damaged slot can bring it back. */
  async forget(name: string): Promise<void> {
    if (!this.groups.delete(name)) return;
    this.#dirty = true;
    await this.settle();
  }

  /** Gives a group another name, in one write. @throws TooManyGroups, and nothing has changed then */
  async rename(from: string, to: string): Promise<void> {
    const state = this.groups.get(from);
    if (!state) return;
    const renamed = new Map(this.groups);
    renamed.delete(from);
    encodeOffsets(renamed.set(to, { ...state, name: to }).values(), this.#shard);
    this.groups.delete(from);
    this.groups.set(to, { ...state, name: to });
    this.#dirty = true;
    await this.settle();
  }

  /** Writes what has changed into both slots: what goes back or away must not return with the older slot. */
  settle(): Promise<void> {
    if (this.#closed) return refused(new LogClosed(this.#shard));
    return this.#inTurn(async () => {
      await this.#writeChanges();
      await this.#file.write(encodeOffsets(this.groups.values(), this.#shard));
    });
  }

  /** Something of `groups` changed; the promise resolves when that is durable. Rejects with LogClosed or what the disk said. */
  changed(): Promise<void> {
    if (this.#closed) return refused(new LogClosed(this.#shard));
    this.#dirty = true;
    // A program may be waiting for nothing else but this write.
    this.#arm(true);
    return this.#flushed.promise;
  }

  /** Writes now what has changed. @throws what the disk said; the change stays and is tried again. */
  flush(): Promise<void> {
    if (this.#closed) return refused(new LogClosed(this.#shard));
    return this.#inTurn(() => this.#writeChanges());
  }

  /** Writes what has changed and lets go of the file, even where the disk refuses. @throws what the disk said */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    try {
      await this.#inTurn(() => this.#writeChanges());
      await this.#inTurn(() => this.#mirror());
    } finally {
      await this.#file.close();
    }
  }

  async #writeChanges(): Promise<void> {
    if (!this.#dirty) return;
    const waiters = this.#flushed;
    this.#flushed = new Deferred();
    this.#dirty = false;
    try {
      // Offsets must not wait for the account: what was delivered would be sent again.
      await this.beforeWrite().catch(this.onError);
      await this.#file.write(encodeOffsets(this.groups.values(), this.#shard));
      this.#mirrored = false;
      waiters.resolve();
    } catch (error) {
      this.#dirty = true;
      waiters.reject(error);
      throw error;
    } finally {
      this.#arm();
    }
  }

  async #mirror(): Promise<void> {
    if (this.#dirty || this.#mirrored) return;
    await this.#file.write(encodeOffsets(this.groups.values(), this.#shard));
    this.#mirrored = true;
  }

  /** One write at a time, in the order of the calls. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const run = this.#last.then(work);
    this.#last = run.catch(() => {});
    return run;
  }

  #arm(keepsAlive = false): void {
    if (this.#closed || (this.#timer && (this.#keepsAlive || !keepsAlive))) return;
    const now_ms = this.#clock.monotonic();
    if (!this.#timer) this.#due_ms = now_ms + this.#interval_ms;
    this.#timer?.cancel();
    this.#keepsAlive = keepsAlive;
    const ended = (): void => {
      this.#timer = undefined;
      this.#inTurn(() => (this.#dirty ? this.#writeChanges() : this.#mirror())).catch((error: unknown) => {
        this.onError(error);
        this.#arm();
      });
    };
    this.#timer = this.#clock.setTimer(ended, Math.max(0, this.#due_ms - now_ms), keepsAlive);
  }
}
