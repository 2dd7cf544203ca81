// The ring of acknowledged offsets against a model that remembers every one of them.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AckWindow } from '../../buffer/ack_window.ts';
import { AckWindowExceeded } from '../../buffer/errors.ts';
import { Ranges } from '../../buffer/ranges.ts';

const none = new Ranges();

describe('the window of acknowledgements', () => {
  it('agrees with a model that has no bounds, holes included, wherever the offsets begin', () => {
    const step = fc.record({
      ahead: fc.integer({ min: -20, max: 90 }),
      length: fc.integer({ min: 1, max: 40 }),
    });
    const hole = fc.record({ from: fc.nat({ max: 600 }), length: fc.integer({ min: 1, max: 30 }) });
    fc.assert(
      fc.property(
        fc.constantFrom(0, 37, 2 ** 31 - 50, 2 ** 32 - 50, 2 ** 52),
        fc.array(hole, { maxLength: 4 }),
        fc.array(step, { minLength: 1, maxLength: 200 }),
        (start, gaps, steps) => {
          const holes = new Ranges();
          for (const gap of gaps) holes.add(start + gap.from, start + gap.from + gap.length, 'failed');
          const window = new AckWindow(64);
          const done = new Set<number>();
          let low = start;
          const settled = (offset: number): boolean => done.has(offset) || holes.at(offset) !== undefined;
          for (const { ahead, length } of steps) {
            const from = Math.max(start, low + ahead);
            const base = (() => {
              let at = low;
              while (settled(at)) at++;
              return at;
            })();
            if (from > base && from + length - base > 64) {
              expect(() => window.ack('s/0', low, from, from + length, holes)).toThrow(AckWindowExceeded);
              continue;
            }
            for (let offset = from; offset < from + length; offset++) done.add(offset);
            const before = low;
            while (settled(low)) low++;
            expect(window.ack('s/0', before, from, from + length, holes)).toBe(low);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('forgets what it noted where the committed offset went back, and keeps it where it went forward', () => {
    const window = new AckWindow(64);
    expect(window.ack('s/0', 10, 12, 14, none)).toBe(10);
    expect(window.ack('s/0', 11, 11, 12, none)).toBe(14);
    expect(window.ack('s/0', 14, 16, 18, none)).toBe(14);
    expect(window.pending).toBe(2);
    expect(window.ack('s/0', 5, 5, 6, none)).toBe(6);
    expect(window.pending).toBe(0);
  });

  it('has nothing pending after a jump beyond all of it', () => {
    const window = new AckWindow(64);
    window.ack('s/0', 0, 10, 60, none);
    expect(window.ack('s/0', 1000, 1001, 1002, none)).toBe(1000);
    expect(window.pending).toBe(1);
  });

  it('changes nothing when it is exceeded, and takes the same once the oldest is acknowledged', () => {
    const window = new AckWindow(32);
    expect(window.ack('s/0', 0, 1, 32, none)).toBe(0);
    expect(() => window.ack('s/0', 0, 32, 33, none)).toThrow(AckWindowExceeded);
    expect(window.ack('s/0', 0, 0, 1, none)).toBe(32);
    expect(window.ack('s/0', 32, 32, 5000, none)).toBe(5000);
  });
});
