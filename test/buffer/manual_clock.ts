// Time that stands still until a test moves it. Invariant: timers fire in the order of their times, and only in `advance`.

import type { Clock, Timer } from '../../buffer/ports/clock.ts';

interface Pending {
  readonly at_ms: number;
  readonly callback: () => void;
}

export class ManualClock implements Clock {
  wall_ms = 1_700_000_000_000;
  #monotonic_ms = 0;
  readonly #timers = new Set<Pending>();

  /** Timers that wait: what a closed log must not leave behind. */
  get pending(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.wall_ms;
  }

  monotonic(): number {
    return this.#monotonic_ms;
  }

  setTimer(callback: () => void, delay_ms: number): Timer {
    const timer = { at_ms: this.#monotonic_ms + delay_ms, callback };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  soon(callback: () => void): void {
    setImmediate(callback);
  }

  advance(by_ms: number): void {
    const until_ms = this.#monotonic_ms + by_ms;
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.at_ms <= until_ms);
      const next = due.sort((a, b) => a.at_ms - b.at_ms)[0];
      if (!next) break;
      this.wall_ms += next.at_ms - this.#monotonic_ms;
      this.#monotonic_ms = next.at_ms;
      this.#timers.delete(next);
      next.callback();
    }
    this.wall_ms += until_ms - this.#monotonic_ms;
    this.#monotonic_ms = until_ms;
  }
}

/** Lets everything run that waits for nothing but the event loop. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}
