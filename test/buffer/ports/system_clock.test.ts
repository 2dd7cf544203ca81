import { expect, test } from '@jest/globals';
import { systemClock } from '../../../buffer/ports/system_clock.ts';

test('no timer fires before its time by the monotonic clock', async () => {
  const early_ms: number[] = [];
  const delays_ms = Array.from({ length: 200 }, (_, index) => 0.3 + index * 0.37);
  await Promise.all(
    delays_ms.map(
      (delay_ms) =>
        new Promise<void>((resolve) => {
          const due_ms = systemClock.monotonic() + delay_ms;
          systemClock.setTimer(() => {
            const now_ms = systemClock.monotonic();
            if (now_ms < due_ms) early_ms.push(due_ms - now_ms);
            resolve();
          }, delay_ms);
        }),
    ),
  );
  expect(early_ms).toEqual([]);
});

test('a time beyond what Node takes is waited for, not come to at once', async () => {
  const warnings: string[] = [];
  const warned = (warning: Error) => warnings.push(warning.name);
  process.on('warning', warned);
  const timers = [30 * 86_400_000, Number.POSITIVE_INFINITY].map((delay_ms) =>
    systemClock.setTimer(() => warnings.push('fired'), delay_ms),
  );
  await new Promise<void>((resolve) => void systemClock.setTimer(resolve, 20));
  for (const timer of timers) timer.cancel();
  process.off('warning', warned);
  expect(warnings).toEqual([]);
});

test('a cancelled timer stays silent, also when it was armed anew', async () => {
  let fired = 0;
  const timers = Array.from({ length: 50 }, () => systemClock.setTimer(() => (fired += 1), 5));
  const last = new Promise<void>((resolve) => void systemClock.setTimer(resolve, 20));
  for (const timer of timers) timer.cancel();
  await last;
  expect(fired).toBe(0);
});
