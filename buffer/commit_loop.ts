// Group commit of one shard: producers copy into the active chain while the passive one is written and made durable; then
// all its waiters resolve at once. Invariants: one commit at a time; a waiter resolves only when its entries are as
// durable as the policy says; an offset that was handed out is never handed out again, whatever became of it.

import type { BlockPool } from './block_pool.ts';
import type { Budget } from './budget.ts';
import type { Chain } from './chain.ts';
import { CommitMeter } from './commit_meter.ts';
import type { CommitPolicy } from './commit_policy.ts';
import { CommitSide } from './commit_side.ts';
import { Deferred, refused } from './deferred.ts';
import { DiskTrouble } from './disk_trouble.ts';
import { CommitFailed, LogClosed, type OwnershipLost } from './errors.ts';
import { ENTRY_OVERHEAD_MAX_BYTES } from './frame.ts';
import type { FrameKey } from './frame_key.ts';
import { type InvariantBroken, invariant, isBroken } from './invariant.ts';
import { LateSync } from './late_sync.ts';
import type { Clock } from './ports/clock.ts';
import type { Segment } from './segment.ts';
import type { SegmentWriter } from './segment_writer.ts';
import type { SwitchMeter } from './switch_meter.ts';
import type { SwitchReason } from './switch_policy.ts';
import { SwitchTiming } from './switch_timing.ts';

export interface CommitLoopOptions {
  readonly shard: string;
  readonly clock: Clock;
  readonly pool: BlockPool;
  readonly budget: Pick<Budget, 'admit' | 'inFlight_bytes'>;
  readonly writer: SegmentWriter;
  readonly epoch: number;
  readonly key: FrameKey;
  /** Offset of the next entry. */
  readonly next: number;
  readonly reserve_bytes: () => number;
  readonly commitDeadline_ms: number;
  readonly policy: CommitPolicy;
  /** Undefined where the directory is known to be ours, else resolves once it is. */
  confirmOwner(): Promise<void> | undefined;
  /** Makes a sealed chain smaller; undefined where it stays as it is. */
  compress(chain: Chain): Promise<void> | undefined;
  /** The commit is durable: the blocks are the callee's now. */
  onDurable(chain: Chain, segment: Segment, position: number): void;
  /** Makes durable what onFailed told: once the watermark has passed a failed offset, nothing on disk says that it failed. */
  recordFailure(): Promise<void>;
  /** The shard does not understand itself any more, and takes nothing. */
  onPoisoned(error: InvariantBroken | OwnershipLost): void;
  /** Offsets [from, to) were handed out and will never be durable. */
  onFailed(from: number, to: number, error: unknown): void;
  /** Offsets [from, to) are readable and never will be synced: a power cut may take them. Never where each commit syncs. */
  onSyncFailed(from: number, to: number, error: unknown): void;
}

const DONE = Promise.resolve();

export class CommitLoop {
  readonly meter = new CommitMeter();
  /** Everything below is readable: it is as durable as the policy says. */
  highWatermark: number;
  readonly #options: CommitLoopOptions;
  readonly #timing: SwitchTiming;
  readonly #trouble: DiskTrouble;
  readonly #late: LateSync;
  #active: CommitSide;
  #passive: CommitSide;
  /** A step is under way, about to be, or put off by lingering. */
  #running = false;
  #committing = false;
  /**
   * Offsets failed of which the account on disk may not know: no success in between makes it know. At first as well, since what
   * an opening read of the account may stand in the page cache alone.
   */
  #unrecorded = true;
  #closed = false;
  #idle: Deferred | undefined;
  readonly #errands: (() => Promise<void>)[] = [];

  constructor(options: CommitLoopOptions) {
    this.#options = options;
    this.highWatermark = options.next;
    this.#timing = new SwitchTiming(options.policy, options.clock);
    const { clock, commitDeadline_ms, policy, shard, writer } = options;
    this.#trouble = new DiskTrouble(shard, clock, commitDeadline_ms, (error) => this.#refuse(error));
    this.#late = new LateSync(
      {
        clock,
        policy,
        writer,
        trouble: this.#trouble,
        meter: this.meter,
        highWatermark: () => this.highWatermark,
        exclusively: (errand) => this.exclusively(errand),
        onSyncFailed: (from, to, error) => options.onSyncFailed(from, to, error),
      },
      options.next,
    );
    this.#active = new CommitSide(options);
    this.#passive = new CommitSide(options);
    this.#active.begin(options.next);
  }

  get switches(): SwitchMeter {
    return this.#timing.meter;
  }

  /** Everything below is synced, or is known on disk to be missing. Frames and the account claim no more than this. */
  get syncedBelow(): number {
    return this.#late.syncedBelow;
  }

  get logEnd(): number {
    return this.#active.chain.end;
  }

  /** The last failure, while the shard refuses because of it or has not committed since. */
  get failure(): unknown {
    return this.#trouble.failure;
  }

  get poisoned(): boolean {
    return this.#trouble.poisoned;
  }

  /** Appends in the active block: no commit has taken them yet. */
  get openAppends(): number {
    return this.#active.appends;
  }

  /** Throws LogFull or LogClosed unless `bytes` in `entries` entries may be appended now. */
  admit(bytes: number, entries: number): void {
    if (this.#closed) {
      this.meter.closed += 1;
      throw new LogClosed(this.#options.shard);
    }
    try {
      this.#trouble.check();
      this.#options.budget.admit(bytes + entries * ENTRY_OVERHEAD_MAX_BYTES, this.#options.reserve_bytes());
    } catch (error) {
      this.meter.full += 1;
      throw error;
    }
  }

  append(entries: readonly Uint8Array[], bytes: number): number {
    this.admit(bytes, entries.length);
    const first = this.#active.chain.end;
    if (entries.length === 0) return first;
    try {
      this.#active.chain.appendBatch(entries, this.#now(), this.syncedBelow, bytes);
    } catch (error) {
      this.#spoiled(error);
      throw error;
    }
    this.#charge(bytes + entries.length * ENTRY_OVERHEAD_MAX_BYTES);
    return first;
  }

  appendParts(parts: readonly Uint8Array[], bytes: number): number {
    this.admit(bytes, 1);
    const first = this.#active.chain.end;
    try {
      this.#active.chain.appendParts(parts, bytes, this.#now(), this.syncedBelow);
    } catch (error) {
      this.#spoiled(error);
      throw error;
    }
    this.#charge(bytes + ENTRY_OVERHEAD_MAX_BYTES);
    return first;
  }

  /** Resolves once everything up to and including the entry at `offset` is durable. One promise for all of a commit. */
  durable(offset: number): Promise<void> {
    if (offset < this.highWatermark) return DONE;
    if (this.#trouble.stuck || this.#trouble.poisoned) return refused(this.failure);
    const side = offset < this.#active.chain.first ? this.#passive : this.#active;
    if (offset >= side.chain.end || offset < side.chain.first) {
      return refused(new CommitFailed(this.#options.shard, this.failure ?? 'the offset was never durable'));
    }
    return side.settled();
  }

  /** Runs `errand` while no commit is under way, within the deadline that a commit has. */
  exclusively(errand: () => Promise<void>): Promise<void> {
    const done = new Deferred();
    this.#errands.push(async () => {
      try {
        await errand();
        done.resolve();
      } catch (error) {
        done.reject(error);
      }
    });
    this.#hurry();
    return done.promise;
  }

  /** Resolves when all that was appended so far is synced, whatever the policy. Rejects as `durable` does, or with what the disk said. */
  async sync(): Promise<void> {
    if (!this.#active.chain.empty) {
      this.#timing.asked = true;
      this.#hurry();
      await this.durable(this.logEnd - 1);
    } else if (this.#committing) await this.durable(this.#passive.chain.end - 1);
    await this.syncWritten();
  }

  /** Resolves when everything that is readable now is synced. Rejects with what the disk said. */
  syncWritten(): Promise<void> {
    return this.#late.all();
  }

  /** Takes nothing new; resolves when all that was taken is synced or has failed. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#late.close();
    if (this.#running) {
      this.#timing.asked = true;
      this.#hurry();
      this.#idle ??= new Deferred();
      await this.#idle.promise;
    }
    this.#active.release();
    // What cannot be synced was reported; the segment is given up and everything else can still be closed.
    await this.syncWritten().catch(() => {});
    this.#trouble.close();
  }

  /** Whole milliseconds; a clock that stands before 1970 has no form on disk. */
  #now(): number {
    return Math.max(0, Math.trunc(this.#options.clock.now()));
  }

  #charge(bytes: number): void {
    this.#active.charge(bytes);
    if (!this.#running) this.#schedule();
    else if (this.#timing.lingers && this.#timing.isToBeDecided(this.#active)) this.#hurry();
  }

  /** Ends lingering, or begins a step where none is under way. */
  #hurry(): void {
    if (this.#timing.lingers) {
      this.#timing.cut();
      this.#running = false;
    }
    this.#schedule();
  }

  #schedule(): void {
    if (this.#running) return;
    this.#running = true;
    // What arrives in the same turn of the event loop shares the commit.
    this.#options.clock.soon(() => void this.#step());
  }

  async #step(): Promise<void> {
    const errand = this.#errands.shift();
    if (errand) {
      // It asks the disk too, and commits wait behind it. It never rejects.
      this.#trouble.asked();
      await errand();
      this.#trouble.answered();
    } else if (!this.#active.chain.empty) {
      const decision = this.#timing.decide(this.#active);
      if (typeof decision === 'number') {
        this.#timing.linger(this.#active, decision, () => void this.#step());
        return;
      }
      await this.#commit(decision);
    }
    this.#late.tellUnsyncable();
    this.#running = false;
    if (this.#errands.length > 0 || !this.#active.chain.empty) this.#schedule();
    else this.#idle?.resolve();
  }

  /** The passive side is now what was active. */
  #switch(reason: SwitchReason): CommitSide {
    const side = this.#active;
    this.#timing.switched(side, reason);
    this.#active = this.#passive;
    this.#passive = side;
    this.#active.begin(side.chain.end);
    this.meter.accepted += side.appends;
    side.chain.seal();
    return side;
  }

  async #commit(reason: SwitchReason): Promise<void> {
    const side = this.#switch(reason);
    const { chain } = side;
    const { clock, policy, writer } = this.#options;
    const started_ms = clock.monotonic();
    this.#trouble.asked();
    this.#committing = true;
    try {
      invariant(
        chain.first >= this.highWatermark,
        this.#options.shard,
        'a commit begins below the watermark',
      );
      invariant(chain.bytes > 0, this.#options.shard, 'a commit has entries and no bytes');
      if (this.#unrecorded || this.#trouble.failure !== undefined) await this.#recordFailure();
      const compressed = this.#options.compress(chain);
      if (compressed) await compressed;
      // A process that was stopped may wake up when another owner writes these files.
      const before = this.#options.confirmOwner();
      if (before) await before;
      const synced = policy.durability === 'fsync';
      const { segment, position } = await writer.commit(chain.blocks, chain.bytes, chain.first, synced);
      // What another owner's recovery did not see must not be promised: looked up after the sync, it is there for him.
      const confirmed = this.#options.confirmOwner();
      if (confirmed) await confirmed;
      const latency_ms = clock.monotonic() - started_ms;
      this.meter.committed(chain.end - chain.first, chain.bytes, latency_ms);
      this.#timing.committed(side, this.#active, latency_ms);
      this.highWatermark = chain.end;
      this.#late.committed(synced);
      this.#trouble.succeeded();
      this.#options.onDurable(chain, segment, position);
      chain.blocks.length = 0;
      side.resolve();
    } catch (error) {
      // Whoever lost the directory was poisoned where that was found.
      if (isBroken(error) || this.poisoned) this.poison(error);
      else this.#fail(error);
    } finally {
      this.#committing = false;
      this.#trouble.answered();
      side.release();
    }
  }

  /** What is unsynced comes first: nobody waits for a second file while he holds one that cannot be closed. */
  async #recordFailure(): Promise<void> {
    await this.#late.beforeOtherFile();
    // What fails while this is written is for the next commit to record.
    this.#unrecorded = false;
    try {
      await this.#options.recordFailure();
    } catch (error) {
      this.#unrecorded = true;
      throw error;
    }
  }

  /** Nothing of the passive chain was promised; the active one would meet the same disk, so it fails with it. */
  #fail(cause: unknown): void {
    const from = this.#passive.chain.first;
    const to = this.#active.chain.end;
    this.meter.failures += 1;
    this.meter.failed += this.#passive.appends + this.#active.appends;
    this.meter.accepted += this.#active.appends;
    this.#timing.asked = false;
    this.#refuse(this.#trouble.failed(cause));
    for (const side of [this.#passive, this.#active]) {
      side.release();
      side.begin(to);
    }
    this.#unrecorded = true;
    this.#options.onFailed(from, to, cause);
  }

  /** A batch stopped half-way, for want of memory: what stands in the active block with it cannot be told apart any more. */
  #spoiled(cause: unknown): void {
    if (isBroken(cause)) {
      this.poison(cause);
      return;
    }
    const side = this.#active;
    const { first, end } = side.chain;
    this.meter.failed += side.appends;
    this.meter.accepted += side.appends;
    side.reject(this.#trouble.failed(cause));
    side.release();
    side.begin(end);
    this.#unrecorded = true;
    if (end > first) this.#options.onFailed(first, end, cause);
  }

  /** Takes nothing from here on and tells everybody who waits; what was appended and is not durable is not promised. */
  poison(cause: unknown): void {
    if (this.#trouble.poisoned) return;
    const error = this.#trouble.poison(cause);
    this.#refuse(error);
    this.#active.release();
    this.#active.begin(this.#active.chain.end);
    this.#options.onPoisoned(error);
  }

  /** Whoever waits is told; whoever asks from now on waits for what comes next. */
  #refuse(error: unknown): void {
    this.#passive.reject(error);
    this.#active.reject(error);
  }
}
