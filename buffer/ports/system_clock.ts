// The real clock: Date, performance and timers, and nothing else of the house may touch them for the log.

import type { Clock } from './clock.ts';

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(callback, delay_ms) {
    const timer = setTimeout(callback, delay_ms);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
  soon(callback) {
    setImmediate(callback);
  },
};
