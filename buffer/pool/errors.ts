// Every operating error of the pool, each with a code that never changes and a sentence that says what to do.

import { HoldfastError } from '../../config/error.ts';

/** All slots of the tier are out. */
export class PoolExhausted extends HoldfastError {
  constructor(bytes: number, tier_bytes: number, slots: number) {
    super(
      'HF_POOL_EXHAUSTED',
      `no slot for ${bytes} bytes: all ${slots} of the tier of ${tier_bytes} bytes are in use; put some back, or give the tier more`,
      true,
    );
  }
}

export class SlotTooLarge extends HoldfastError {
  constructor(bytes: number, limit_bytes: number) {
    super(
      'HF_POOL_TOO_LARGE',
      `${bytes} bytes do not fit: ${limit_bytes} is the most here; divide them, or allocate them outside of the pool`,
      false,
    );
  }
}

/** An index that was put back already: whoever uses it still would write into somebody else's memory. */
export class StaleIndex extends HoldfastError {
  constructor(action: string) {
    super(
      'HF_POOL_STALE_INDEX',
      `${action} of a slot that was put back before; put each index once and forget it then`,
      false,
    );
  }
}

/** An index that this pool never gave. */
export class ForeignIndex extends HoldfastError {
  constructor(action: string) {
    super(
      'HF_POOL_FOREIGN_INDEX',
      `${action} of a slot that is of another pool, or of none; give an index to the pool it came from`,
      false,
    );
  }
}

export class AlignedMemoryUnavailable extends HoldfastError {
  constructor(bytes: number, cause?: unknown) {
    super(
      'HF_POOL_NO_ALIGNED_MEMORY',
      `no page-aligned memory of ${bytes} bytes: it needs WebAssembly (not --jitless) and about 10 GiB of address space (ulimit -v)`,
      false,
      { cause },
    );
  }
}
