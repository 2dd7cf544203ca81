// Time as the log and the drain loop see it. The simulator plugs in here, so nothing else in buffer/ or
// exporters/drain may ask Date, performance or timers.

/** What `setTimer` and `soon` return; cancelling twice is harmless. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall clock, milliseconds since the Unix epoch. May jump either way. */
  now(): number;
  /** Milliseconds from an arbitrary start; never goes back. */
  monotonic(): number;
  /**
   * Calls back once, never before `delay_ms` have passed by `monotonic`. Does not keep the process alive, unless it is
   * said that somebody waits for it.
   */
  setTimer(callback: () => void, delay_ms: number, keepsAlive?: boolean): Timer;
  /** Calls back once after the I/O events of this turn of the event loop. */
  soon(callback: () => void): void;
}

/** Resolves after `delay_ms`, or at once when `signal` aborts. Never rejects. */
export function sleep(clock: Clock, delay_ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve();
      return;
    }
    const timer = clock.setTimer(done, delay_ms);
    function done(): void {
      timer.cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    }
    signal?.addEventListener('abort', done, { once: true });
  });
}
