// One of the two sides of a shard's group commit, which take turns: its chain of blocks, who waits for it, and what it costs
// of the in-flight budget. Invariant: what was charged is given back exactly once, whatever became of the commit.

import type { BlockPool } from './block_pool.ts';
import type { Budget } from './budget.ts';
import { Chain } from './chain.ts';
import { Deferred } from './deferred.ts';
import type { FrameKey } from './frame_key.ts';
import type { Clock } from './ports/clock.ts';

export interface CommitSideParts {
  readonly pool: BlockPool;
  readonly budget: Pick<Budget, 'inFlight_bytes'>;
  readonly clock: Clock;
  readonly epoch: number;
  readonly key: FrameKey;
}

export class CommitSide {
  readonly chain: Chain;
  appends = 0;
  /** What the entries cost of the in-flight budget. */
  charged_bytes = 0;
  /** When the first of them came, monotonic ms. */
  since_ms = 0;
  readonly #budget: Pick<Budget, 'inFlight_bytes'>;
  readonly #clock: Clock;
  #waiters: Deferred | undefined;

  constructor({ pool, budget, clock, epoch, key }: CommitSideParts) {
    this.chain = new Chain(pool, epoch, key);
    this.#budget = budget;
    this.#clock = clock;
  }

  /** Empty again, for entries from offset `first` on. */
  begin(first: number): void {
    this.chain.reset(first);
    this.#waiters = undefined;
    this.appends = 0;
  }

  /** One more append was put into the chain. */
  charge(bytes: number): void {
    if (this.appends === 0) this.since_ms = this.#clock.monotonic();
    this.appends += 1;
    this.charged_bytes += bytes;
    this.#budget.inFlight_bytes += bytes;
  }

  /** Settles with the commit: one promise for all who wait. */
  settled(): Promise<void> {
    this.#waiters ??= new Deferred();
    return this.#waiters.promise;
  }

  resolve(): void {
    this.#waiters?.resolve();
  }

  /** Whoever waits is told; whoever asks from now on waits for what comes next. */
  reject(error: unknown): void {
    this.#waiters?.reject(error);
    this.#waiters = undefined;
  }

  /** Gives back the blocks that nobody took over, and the budget. */
  release(): void {
    for (const block of this.chain.blocks) block.release();
    this.chain.blocks.length = 0;
    this.#budget.inFlight_bytes -= this.charged_bytes;
    this.charged_bytes = 0;
  }
}
