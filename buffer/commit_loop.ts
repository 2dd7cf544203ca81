// Group commit of one shard: producers copy into the active chain while the passive one is written and made durable; then
// all its waiters resolve at once. Invariants: one commit at a time; a waiter resolves only after its sync succeeded; an
// offset that was handed out is never handed out again, whatever became of it.

import type { BlockPool } from './block_pool.ts';
import type { Budget } from './budget.ts';
import { Chain } from './chain.ts';
import { Deferred, refused } from './deferred.ts';
import { CommitFailed, CommitTimeout, LogClosed, LogFull } from './errors.ts';
import { ENTRY_OVERHEAD_MAX_BYTES } from './frame.ts';
import type { FrameKey } from './frame_key.ts';
import type { Clock, Timer } from './ports/clock.ts';
import { errorCode } from './ports/file_system.ts';
import type { Segment } from './segment.ts';
import type { SegmentWriter } from './segment_writer.ts';

/** Latency of commits, ms: from swap to durable. */
export interface CommitStats {
  commits: number;
  failures: number;
  entries: number;
  bytes: number;
  latency_ms_min: number;
  latency_ms_max: number;
  latency_ms_total: number;
}

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
  /** Makes a sealed chain smaller; undefined where it stays as it is. */
  compress(chain: Chain): Promise<void> | undefined;
  /** The commit is durable: the blocks are the callee's now. */
  onDurable(chain: Chain, segment: Segment, position: number): void;
  /** Makes durable what onFailed told: once the watermark has passed a failed offset, nothing on disk says that it failed. */
  recordFailure(): Promise<void>;
  /** Offsets [from, to) were handed out and will never be durable. */
  onFailed(from: number, to: number, error: unknown): void;
}

const HALT_MIN_ms = 250;
const HALT_MAX_ms = 5000;
const DONE = Promise.resolve();

interface Side {
  readonly chain: Chain;
  waiters: Deferred | undefined;
  /** What the entries cost of the in-flight budget. */
  charged_bytes: number;
}

export class CommitLoop {
  readonly stats: CommitStats = {
    commits: 0,
    failures: 0,
    entries: 0,
    bytes: 0,
    latency_ms_min: Number.POSITIVE_INFINITY,
    latency_ms_max: 0,
    latency_ms_total: 0,
  };
  highWatermark: number;
  readonly #options: CommitLoopOptions;
  #active: Side;
  #passive: Side;
  #running = false;
  #closed = false;
  #idle: Deferred | undefined;
  readonly #errands: (() => Promise<void>)[] = [];
  /** After a failure nothing is taken until then (monotonic ms), so that a broken disk is not hammered. */
  #haltedUntil_ms = 0;
  #halt_ms = HALT_MIN_ms;
  #failure: unknown;
  #stuck = false;

  constructor(options: CommitLoopOptions) {
    this.#options = options;
    this.highWatermark = options.next;
    const side = (): Side => ({
      chain: new Chain(options.pool, options.epoch, options.key),
      waiters: undefined,
      charged_bytes: 0,
    });
    this.#active = side();
    this.#passive = side();
    this.#active.chain.reset(options.next);
  }

  get logEnd(): number {
    return this.#active.chain.end;
  }

  /** The last failure, while the shard refuses because of it or has not committed since. */
  get failure(): unknown {
    return this.#stuck
      ? new CommitTimeout(this.#options.shard, this.#options.commitDeadline_ms)
      : this.#failure;
  }

  /** Throws LogFull or LogClosed unless `bytes` in `entries` entries may be appended now. */
  admit(bytes: number, entries: number): void {
    if (this.#closed) throw new LogClosed(this.#options.shard);
    if (this.#stuck) throw new LogFull(`${this.#options.shard}: the disk does not answer`, 5);
    if (this.#haltedUntil_ms > 0) this.#checkHalt();
    this.#options.budget.admit(bytes + entries * ENTRY_OVERHEAD_MAX_BYTES, this.#options.reserve_bytes());
  }

  append(entries: readonly Uint8Array[], bytes: number): number {
    this.admit(bytes, entries.length);
    const first = this.#active.chain.end;
    this.#active.chain.appendBatch(entries, this.#now(), this.highWatermark, bytes);
    this.#charge(bytes + entries.length * ENTRY_OVERHEAD_MAX_BYTES);
    return first;
  }

  appendParts(parts: readonly Uint8Array[], bytes: number): number {
    this.admit(bytes, 1);
    const first = this.#active.chain.end;
    this.#active.chain.appendParts(parts, bytes, this.#now(), this.highWatermark);
    this.#charge(bytes + ENTRY_OVERHEAD_MAX_BYTES);
    return first;
  }

  /** Resolves once everything up to and including the entry at `offset` is durable. One promise for all of a commit. */
  durable(offset: number): Promise<void> {
    if (offset < this.highWatermark) return DONE;
    if (this.#stuck) return refused(this.failure);
    const side = offset < this.#active.chain.first ? this.#passive : this.#active;
    if (offset >= side.chain.end || offset < side.chain.first) {
      return refused(new CommitFailed(this.#options.shard, this.#failure ?? 'the offset was never durable'));
    }
    side.waiters ??= new Deferred();
    return side.waiters.promise;
  }

  /** Runs `errand` while no commit is under way. */
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
    this.#schedule();
    return done.promise;
  }

  /** Takes nothing new; resolves when all that was taken is durable or has failed. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#running) {
      this.#idle ??= new Deferred();
      await this.#idle.promise;
    }
    this.#release(this.#active);
  }

  /** Whole milliseconds; a clock that stands before 1970 has no form on disk. */
  #now(): number {
    return Math.max(0, Math.trunc(this.#options.clock.now()));
  }

  #checkHalt(): void {
    const left_ms = this.#haltedUntil_ms - this.#options.clock.monotonic();
    if (left_ms <= 0) return;
    const reason = this.#failure instanceof Error ? this.#failure.message : String(this.#failure);
    throw new LogFull(
      `${this.#options.shard}: the disk failed (${reason})`,
      Math.ceil(left_ms / 1000),
      this.#failure,
    );
  }

  #charge(bytes: number): void {
    this.#active.charged_bytes += bytes;
    this.#options.budget.inFlight_bytes += bytes;
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
    if (errand) await errand();
    else if (!this.#active.chain.empty) await this.#commit();
    this.#running = false;
    if (this.#errands.length > 0 || !this.#active.chain.empty) this.#schedule();
    else this.#idle?.resolve();
  }

  async #commit(): Promise<void> {
    const side = this.#active;
    this.#active = this.#passive;
    this.#passive = side;
    const chain = side.chain;
    this.#active.chain.reset(chain.end);
    this.#active.waiters = undefined;
    chain.seal();
    const started_ms = this.#options.clock.monotonic();
    const deadline = this.#armDeadline();
    try {
      if (this.#failure !== undefined) await this.#options.recordFailure();
      const compressed = this.#options.compress(chain);
      if (compressed) await compressed;
      const { segment, position } = await this.#options.writer.commit(chain.blocks, chain.bytes, chain.first);
      this.#measure(chain, this.#options.clock.monotonic() - started_ms);
      this.highWatermark = chain.end;
      this.#failure = undefined;
      this.#haltedUntil_ms = 0;
      this.#halt_ms = HALT_MIN_ms;
      this.#options.onDurable(chain, segment, position);
      chain.blocks.length = 0;
      side.waiters?.resolve();
    } catch (error) {
      this.#fail(error);
    } finally {
      deadline.cancel();
      this.#stuck = false;
      this.#release(side);
    }
  }

  #armDeadline(): Timer {
    return this.#options.clock.setTimer(() => {
      this.#stuck = true;
      this.#refuse(new CommitTimeout(this.#options.shard, this.#options.commitDeadline_ms));
    }, this.#options.commitDeadline_ms);
  }

  /** Nothing of the passive chain was promised; the active one would meet the same disk, so it fails with it. */
  #fail(cause: unknown): void {
    const from = this.#passive.chain.first;
    const to = this.#active.chain.end;
    this.stats.failures += 1;
    this.#failure = cause;
    this.#haltedUntil_ms = this.#options.clock.monotonic() + this.#halt_ms;
    this.#halt_ms = Math.min(HALT_MAX_ms, this.#halt_ms * 2);
    const code = errorCode(cause);
    const error =
      code === 'ENOSPC' || code === 'EDQUOT'
        ? new LogFull(`${this.#options.shard}: no space left on the disk`, 5, cause)
        : new CommitFailed(this.#options.shard, cause);
    this.#refuse(error);
    for (const side of [this.#passive, this.#active]) {
      this.#release(side);
      side.chain.reset(to);
    }
    this.#options.onFailed(from, to, cause);
  }

  /** Whoever waits is told; whoever asks from now on waits for what comes next. */
  #refuse(error: unknown): void {
    for (const side of [this.#passive, this.#active]) {
      side.waiters?.reject(error);
      side.waiters = undefined;
    }
  }

  #release(side: Side): void {
    for (const block of side.chain.blocks) block.release();
    side.chain.blocks.length = 0;
    this.#options.budget.inFlight_bytes -= side.charged_bytes;
    side.charged_bytes = 0;
  }

  #measure(chain: Chain, latency_ms: number): void {
    const stats = this.stats;
    stats.commits += 1;
    stats.entries += chain.end - chain.first;
    stats.bytes += chain.bytes;
    stats.latency_ms_total += latency_ms;
    stats.latency_ms_min = Math.min(stats.latency_ms_min, latency_ms);
    stats.latency_ms_max = Math.max(stats.latency_ms_max, latency_ms);
  }
}
