// A reader's wait for the next entry: ended by whoever wakes it, by time or by a signal. Invariant: however it ends, no
// timer and no listener is left behind, and it counts as waiting exactly as long as it lasts.

import type { Clock, Timer } from './ports/clock.ts';
import type { ReadStats } from './read_meter.ts';

export interface WaitLimits {
  /** Undefined: for ever. */
  readonly wait_ms?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export class Wait {
  readonly #clock: Clock;
  #end: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Ends the wait, if there is one. */
  wake(): void {
    this.#end?.();
  }

  /** Resolves when the wait has ended, for whatever reason; counted in `meters` meanwhile. */
  begin({ wait_ms, signal }: WaitLimits, meters: readonly ReadStats[]): Promise<void> {
    for (const reads of meters) {
      reads.waits += 1;
      reads.waiting += 1;
    }
    return new Promise((resolve) => {
      let timer: Timer | undefined;
      const end = (): void => {
        timer?.cancel();
        signal?.removeEventListener('abort', end);
        this.#end = undefined;
        for (const reads of meters) reads.waiting -= 1;
        resolve();
      };
      this.#end = end;
      if (wait_ms !== undefined) timer = this.#clock.setTimer(end, wait_ms);
      signal?.addEventListener('abort', end, { once: true });
    });
  }
}
