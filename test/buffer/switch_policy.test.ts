// Row "active/passive blocks; switch by size, by time, or both weighted".

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type ActiveBlock,
  CROWD_APPENDS,
  decideSwitch,
  type Linger,
  type SwitchPolicy,
} from '../../buffer/switch_policy.ts';

const policy = (by: SwitchPolicy['by'], timeWeight = 0.4): SwitchPolicy => ({
  by,
  max_bytes: 1000,
  timeWeight,
});
const linger: Linger = {
  max_ms: 10,
  enough_appends: Number.POSITIVE_INFINITY,
  crowd_ms: Number.POSITIVE_INFINITY,
};
const block = (fill_bytes: number, age_ms: number, more: Partial<ActiveBlock> = {}): ActiveBlock => ({
  fill_bytes,
  age_ms,
  appends: 1,
  asked: false,
  ...more,
});

describe('a switch', () => {
  it('comes at once where nobody is waited for, where somebody asks, and where all came who were expected', () => {
    expect(decideSwitch(policy('weighted'), block(1, 0), { ...linger, max_ms: 0 })).toBe('idle');
    expect(decideSwitch(policy('weighted'), block(1, 0, { asked: true }), linger)).toBe('asked');
    const three = { ...linger, enough_appends: 3 };
    expect(decideSwitch(policy('weighted'), block(1, 0, { appends: 3 }), three)).toBe('joined');
    expect(decideSwitch(policy('weighted'), block(1, 0, { appends: 2 }), three)).toBeGreaterThan(0);
  });

  it('waits for those who are late to a crowd no longer than a crowd may, and never longer than anybody', () => {
    const crowd = { appends: CROWD_APPENDS };
    const soon = { ...linger, enough_appends: 64, crowd_ms: 2 };
    expect(decideSwitch(policy('weighted'), block(1, 1.5, crowd), soon)).toBe(0.5);
    expect(decideSwitch(policy('weighted'), block(1, 2, crowd), soon)).toBe('joined');
    expect(decideSwitch(policy('weighted'), block(1, 2, { appends: CROWD_APPENDS - 1 }), soon)).toBe(8);
    expect(decideSwitch(policy('weighted'), block(0, 0, { appends: 64 }), soon)).toBe('joined');
    expect(decideSwitch(policy('time'), block(1, 10, crowd), { ...soon, crowd_ms: 30 })).toBe('time');
    expect(decideSwitch(policy('weighted'), block(834, 0, crowd), soon)).toBe('weighted');
  });

  it.each([
    ['size', 999, 9, 1],
    ['size', 1000, 0, 'size'],
    ['size', 1, 10, 'time'],
    ['time', 5000, 4, 6],
    ['time', 1, 10, 'time'],
    ['weighted', 1000, 0, 'size'],
    ['weighted', 0, 10, 'time'],
    ['weighted', 500, 5, 'weighted'],
    ['weighted', 834, 0, 'weighted'],
    ['weighted', 500, 4, 1],
    ['weighted', 0, 4, 6],
  ] as const)(
    'by %s of a block of %d bytes of 1,000 and %d ms of 10: %s',
    (by, fill_bytes, age_ms, expected) => {
      expect(decideSwitch(policy(by), block(fill_bytes, age_ms), linger)).toBe(expected);
    },
  );

  it.each([
    [0.3, 0.72],
    [0.4, 0.84],
    [0.5, 1],
  ])('weighs time with %d: fill alone is enough from %d on', (timeWeight, share) => {
    const at = (fill: number): unknown =>
      decideSwitch(policy('weighted', timeWeight), block(fill, 0), linger);
    expect(at(share * 1000)).toBe(share === 1 ? 'size' : 'weighted');
    expect(typeof at(share * 1000 - 10)).toBe('number');
  });

  it('is due exactly when the wait that was said is over, and nobody ever waits longer than the linger', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('size' as const, 'time' as const, 'weighted' as const),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 0, max: 2000 }),
        fc.double({ min: 0, max: 20, noNaN: true }),
        (by, timeWeight, fill_bytes, age_ms) => {
          const decision = decideSwitch(policy(by, timeWeight), block(fill_bytes, age_ms), linger);
          if (typeof decision === 'string') return;
          expect(decision).toBeGreaterThan(0);
          expect(age_ms + decision).toBeLessThanOrEqual(linger.max_ms + 1e-9);
          const later = decideSwitch(policy(by, timeWeight), block(fill_bytes, age_ms + decision), linger);
          expect(typeof later).toBe('string');
        },
      ),
    );
  });
});
