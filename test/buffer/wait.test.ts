// A wait ends in each of its ways, and nothing of it is left.

import { expect, it } from '@jest/globals';
import { newReadMeter } from '../../buffer/read_meter.ts';
import { Wait } from '../../buffer/wait.ts';
import { ManualClock } from './manual_clock.ts';

it.each(['woken', 'time', 'signal'] as const)(
  'ends by %s, once, and leaves no timer and no listener',
  async (how) => {
    const clock = new ManualClock();
    const wait = new Wait(clock);
    const meter = newReadMeter();
    const abort = new AbortController();
    const listeners = { added: 0, removed: 0 };
    const signal = abort.signal;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = ((...args: Parameters<typeof addEventListener>) => {
      listeners.added += 1;
      return addEventListener.apply(signal, args);
    }) as typeof addEventListener;
    signal.removeEventListener = ((...args: Parameters<typeof removeEventListener>) => {
      listeners.removed += 1;
      return removeEventListener.apply(signal, args);
    }) as typeof removeEventListener;
    const ended = wait.begin({ wait_ms: 100, signal }, [meter]);
    expect(meter).toMatchObject({ waits: 1, waiting: 1 });
    if (how === 'woken') wait.wake();
    else if (how === 'time') clock.advance(100);
    else abort.abort();
    await ended;
    wait.wake();
    expect(meter).toMatchObject({ waits: 1, waiting: 0 });
    expect(clock.pending).toBe(0);
    expect(listeners).toEqual({ added: 1, removed: 1 });
  },
);
