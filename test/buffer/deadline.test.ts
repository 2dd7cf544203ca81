// What lasts too long is told of, once; what ends in time costs no timer of its own.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Deadline } from '../../buffer/deadline.ts';
import { ManualClock } from './manual_clock.ts';

const LIMIT_ms = 100;

function rig() {
  const clock = new ManualClock();
  let passed = 0;
  const deadline = new Deadline(clock, LIMIT_ms, () => {
    passed += 1;
  });
  return { clock, deadline, passed: () => passed };
}

describe('a deadline', () => {
  it('tells of what lasts longer, to the millisecond, once', () => {
    const { clock, deadline, passed } = rig();
    deadline.begin();
    clock.advance(LIMIT_ms - 1);
    expect(passed()).toBe(0);
    clock.advance(1);
    expect(passed()).toBe(1);
    clock.advance(10 * LIMIT_ms);
    expect(passed()).toBe(1);
  });

  it('says nothing of what has ended, and sets no timer while one stands', () => {
    const { clock, deadline, passed } = rig();
    for (let index = 0; index < 10; index++) {
      deadline.begin();
      clock.advance(1);
      deadline.end();
      expect(clock.pending).toBe(1);
    }
    clock.advance(10 * LIMIT_ms);
    expect(passed()).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it('measures each thing from its own beginning, whenever the timer was set', () => {
    const step = fc.record({ lasts_ms: fc.integer({ min: 0, max: 150 }), pause_ms: fc.nat(150) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const { clock, deadline, passed } = rig();
        for (const { lasts_ms, pause_ms } of steps) {
          const before = passed();
          deadline.begin();
          clock.advance(lasts_ms);
          expect(passed() - before).toBe(lasts_ms >= LIMIT_ms ? 1 : 0);
          deadline.end();
          expect(clock.pending).toBeLessThanOrEqual(1);
          clock.advance(pause_ms);
        }
        clock.advance(10 * LIMIT_ms);
        expect(passed()).toBe(steps.filter(({ lasts_ms }) => lasts_ms >= LIMIT_ms).length);
      }),
    );
  });

  it('leaves no timer behind when it is closed, and tells of nothing after', () => {
    const { clock, deadline, passed } = rig();
    deadline.begin();
    deadline.close();
    expect(clock.pending).toBe(0);
    clock.advance(10 * LIMIT_ms);
    expect(passed()).toBe(0);
  });
});
