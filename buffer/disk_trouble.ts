// What a shard knows of its disk's trouble: the last failure, whether it answers at all, and until when nothing is asked
// of it, so that a broken disk is not hammered. Invariants: one success forgets everything, but that the shard is poisoned,
// which nothing forgets.

import { Deadline } from './deadline.ts';
import { CommitFailed, CommitTimeout, LogFull, OwnershipLost } from './errors.ts';
import { InvariantBroken } from './invariant.ts';
import type { Clock } from './ports/clock.ts';
import { errorCode } from './ports/file_system.ts';

const HALT_MIN_ms = 250;
const HALT_MAX_ms = 5000;

export class DiskTrouble {
  readonly #shard: string;
  readonly #clock: Clock;
  readonly #deadline_ms: number;
  readonly #deadline: Deadline;
  /** Monotonic ms; 0: not halted. */
  #haltedUntil_ms = 0;
  #halt_ms = HALT_MIN_ms;
  #failure: unknown;
  /** The shard does not understand itself any more. */
  #poison: InvariantBroken | OwnershipLost | undefined;
  /** A commit or a sync is beyond its deadline and still under way. */
  #stuck = false;

  /** @param late called where the disk has not answered by the deadline */
  constructor(shard: string, clock: Clock, deadline_ms: number, late: (error: CommitTimeout) => void) {
    this.#shard = shard;
    this.#clock = clock;
    this.#deadline_ms = deadline_ms;
    this.#deadline = new Deadline(clock, deadline_ms, () => {
      this.#stuck = true;
      late(new CommitTimeout(shard, deadline_ms));
    });
  }

  get failure(): unknown {
    if (this.#poison) return this.#poison;
    return this.#stuck ? new CommitTimeout(this.#shard, this.#deadline_ms) : this.#failure;
  }

  get stuck(): boolean {
    return this.#stuck;
  }

  get poisoned(): boolean {
    return this.#poison !== undefined;
  }

  /** The disk has been asked for something, and is expected to answer by the deadline. */
  asked(): void {
    this.#deadline.begin();
  }

  /** Well or badly: it did. */
  answered(): void {
    this.#deadline.end();
    this.#stuck = false;
  }

  /** The disk is not asked any more. */
  close(): void {
    this.#deadline.close();
  }

  /** @throws InvariantBroken or OwnershipLost for good, LogFull while the disk is not to be asked for anything */
  check(): void {
    if (this.#poison) throw this.#poison;
    if (this.#stuck) throw new LogFull(`${this.#shard}: the disk does not answer`, 5);
    if (this.#haltedUntil_ms === 0) return;
    const left_ms = this.#haltedUntil_ms - this.#clock.monotonic();
    if (left_ms <= 0) return;
    const reason = this.#failure instanceof Error ? this.#failure.message : String(this.#failure);
    const retryAfter_s = Math.ceil(left_ms / 1000);
    throw new LogFull(`${this.#shard}: the disk failed (${reason})`, retryAfter_s, this.#failure);
  }

  /** Returns what they are told whose entries it took. */
  failed(cause: unknown): LogFull | CommitFailed {
    this.#failure = cause;
    this.#haltedUntil_ms = this.#clock.monotonic() + this.#halt_ms;
    this.#halt_ms = Math.min(HALT_MAX_ms, this.#halt_ms * 2);
    const code = errorCode(cause);
    if (code !== 'ENOSPC' && code !== 'EDQUOT') return new CommitFailed(this.#shard, cause);
    return new LogFull(`${this.#shard}: no space left on the disk`, 5, cause);
  }

  /** Returns what everybody is told from now on. */
  poison(cause: unknown): InvariantBroken | OwnershipLost {
    if (!this.#poison) {
      const why = cause instanceof Error ? cause.message : String(cause);
      const told = cause instanceof InvariantBroken || cause instanceof OwnershipLost;
      this.#poison = told ? cause : new InvariantBroken(`${this.#shard}: ${why}`, cause);
    }
    return this.#poison;
  }

  succeeded(): void {
    this.#failure = undefined;
    this.#haltedUntil_ms = 0;
    this.#halt_ms = HALT_MIN_ms;
  }
}
