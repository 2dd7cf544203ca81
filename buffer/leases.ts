// Counts the batches that readers hold, and notices those that were forgotten. Invariant: memory of a lease that was
// never given back is not lent again, for somebody may still hold a view of it; only its account is closed.

import type { Block } from './block_pool.ts';

export interface LeaseStats {
  /** Batches handed out with views of pooled memory and not yet released. */
  readonly open: number;
  /** Batches that the garbage collector found before anybody released them: errors of the program. */
  readonly leaked: number;
}

export class Leases {
  #open = 0;
  #leaked = 0;
  readonly #onLeak: (leaked: number) => void;
  readonly #forgotten = new FinalizationRegistry<Lease>((lease) => {
    this.#open -= 1;
    this.#leaked += 1;
    lease.abandon();
    this.#onLeak(this.#leaked);
  });

  /** @param onLeak called with how many there were so far, some time after a lease was forgotten. */
  constructor(onLeak: (leaked: number) => void = () => {}) {
    this.#onLeak = onLeak;
  }

  /** From now on `lease` counts as open; it is forgotten when `holder` is. */
  begin(holder: object, lease: Lease): void {
    this.#open += 1;
    this.#forgotten.register(holder, lease, lease);
  }

  end(lease: Lease): void {
    this.#open -= 1;
    this.#forgotten.unregister(lease);
  }

  stats(): LeaseStats {
    return { open: this.#open, leaked: this.#leaked };
  }
}

/** The blocks under the views of one batch. It knows nothing of the batch, so that a forgotten one can be noticed. */
export class Lease {
  readonly #blocks: Block[] = [];

  get empty(): boolean {
    return this.#blocks.length === 0;
  }

  /** Keeps `block`; the one that was kept last is not kept twice. */
  keep(block: Block): void {
    if (this.#blocks[this.#blocks.length - 1] === block) return;
    block.retain();
    this.#blocks.push(block);
  }

  release(): void {
    for (const block of this.#blocks) block.release();
  }

  abandon(): void {
    for (const block of this.#blocks) block.abandon();
  }
}
