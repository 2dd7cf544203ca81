// The real clock: Date, performance and timers, and nothing else of the house may touch them for the log. Invariant: no
// timer fires before its time by `monotonic`; Node's own may, by up to a millisecond, and whoever then finds that it is
// not time yet would wait for ever.

import type { Clock } from './clock.ts';

/** Node takes no longer one, and would fire at once. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(callback, delay_ms, keepsAlive = false) {
    const due_ms = performance.now() + delay_ms;
    let timer: NodeJS.Timeout;
    const arm = (wait_ms: number): void => {
      timer = setTimeout(
        () => {
          const left_ms = due_ms - performance.now();
          if (left_ms > 0) arm(left_ms);
          else callback();
        },
        Math.min(wait_ms, TIMEOUT_MS_MAX),
      );
      if (!keepsAlive) timer.unref();
    };
    arm(delay_ms);
    return { cancel: () => clearTimeout(timer) };
  },
  soon(callback) {
    setImmediate(callback);
  },
};
