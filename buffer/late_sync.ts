// Syncs what commits left unsynced, where they are looser than fsync: once an interval, or when somebody asks; and tells once
// what never will be. Invariants: everything below `syncedBelow` is synced, or is known on disk to be missing; a file whose
// sync failed is not synced again.

import type { CommitMeter } from './commit_meter.ts';
import type { CommitPolicy } from './commit_policy.ts';
import type { DiskTrouble } from './disk_trouble.ts';
import type { Clock, Timer } from './ports/clock.ts';
import type { SegmentWriter } from './segment_writer.ts';

export interface LateSyncParts {
  readonly clock: Clock;
  readonly policy: Pick<CommitPolicy, 'durability' | 'syncInterval_ms'>;
  readonly writer: Pick<SegmentWriter, 'sync' | 'unsyncable'>;
  readonly trouble: DiskTrouble;
  readonly meter: Pick<CommitMeter, 'failures'>;
  /** Everything below is readable. */
  highWatermark(): number;
  /** Runs `errand` while no commit is under way, within the deadline that a commit has. */
  exclusively(errand: () => Promise<void>): Promise<void>;
  /** Offsets [from, to) are readable and never will be synced: a power cut may take them. Never where each commit syncs. */
  onSyncFailed(from: number, to: number, error: unknown): void;
}

export class LateSync {
  syncedBelow: number;
  readonly #parts: LateSyncParts;
  #timer: Timer | undefined;
  /** A sync that has not begun yet: whoever asks for one shares it. */
  #next: Promise<void> | undefined;
  /** Why what is readable will not be synced, once that was told. */
  #unsyncable: unknown;
  #closed = false;

  constructor(parts: LateSyncParts, syncedBelow: number) {
    this.#parts = parts;
    this.syncedBelow = syncedBelow;
  }

  /** A commit that was synced, all before it included, or is to be some time, if the policy says when. */
  committed(synced: boolean): void {
    if (synced) this.syncedBelow = this.#parts.highWatermark();
    else this.#arm();
  }

  /** Resolves when everything that is readable now is synced. Rejects with what the disk said. */
  async all(): Promise<void> {
    if (this.syncedBelow >= this.#parts.highWatermark()) return;
    this.#next ??= this.#parts.exclusively(() => {
      this.#next = undefined;
      return this.#sync();
    });
    await this.#next;
  }

  /** For whoever is about to hold another file while no commit is under way: nobody waits for a second one while he holds one unsynced. */
  async beforeOtherFile(): Promise<void> {
    if (this.#unsyncable === undefined) await this.#parts.writer.sync();
  }

  /** Wherever a sync failed that covered earlier commits too: one of this, a commit's, or sealing's. Until others are written it is told once. */
  tellUnsyncable(): void {
    const { unsyncable } = this.#parts.writer;
    if (unsyncable !== undefined && this.#unsyncable === undefined)
      this.#parts.onSyncFailed(this.syncedBelow, this.#parts.highWatermark(), unsyncable);
    this.#unsyncable = unsyncable;
  }

  /** Nothing is synced by itself from here on. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #arm(): void {
    const { clock, policy } = this.#parts;
    if (policy.durability !== 'interval' || this.#timer || this.#closed) return;
    this.#timer = clock.setTimer(() => {
      this.#timer = undefined;
      // The failure was told where it happened; what is written later is synced with what is written then.
      this.all().catch(() => {});
    }, policy.syncInterval_ms);
  }

  async #sync(): Promise<void> {
    // No new failure of the disk: offsets ask with every write, and each would keep appends out for another while.
    if (this.#unsyncable !== undefined) throw this.#unsyncable;
    const { highWatermark, meter, trouble, writer } = this.#parts;
    const upTo = highWatermark();
    try {
      await writer.sync();
      this.syncedBelow = upTo;
    } catch (error) {
      meter.failures += 1;
      trouble.failed(error);
      throw error;
    }
  }
}
