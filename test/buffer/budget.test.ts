// What an append may take: memory in flight, disk, free space; refused with a reason and a time to come back.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Budget, type BudgetLimits } from '../../buffer/budget.ts';
import { LogFull } from '../../buffer/errors.ts';

const limits: BudgetLimits = {
  maxSize_bytes: 1000,
  maxShardSize_bytes: Number.POSITIVE_INFINITY,
  minFreeSpace_bytes: 100,
  inFlightMax_bytes: 200,
  headroom_bytes: 0,
  whenFull: 'reject',
};

function refusal(action: () => void): LogFull {
  try {
    action();
  } catch (error) {
    if (error instanceof LogFull) return error;
    throw error;
  }
  throw new Error('it was admitted');
}

describe('Budget', () => {
  it('admits up to the very limit of the disk and refuses the byte beyond', () => {
    const budget = new Budget(limits);
    budget.written(800);
    expect(() => budget.admit(200, 0)).not.toThrow();
    const error = refusal(() => budget.admit(201, 0));
    expect(error).toMatchObject({ code: 'HF_BUFFER_FULL', retryable: true, retryAfter_s: 5 });
    expect(error.message).toMatch(/800 of 1000 bytes/);
  });

  it('counts what is in flight as if it were written', () => {
    const budget = new Budget(limits);
    budget.written(850);
    budget.inFlight_bytes = 100;
    expect(() => budget.admit(50, 0)).not.toThrow();
    refusal(() => budget.admit(51, 0));
  });

  it('leaves the free space that must stay, and says which limit it was', () => {
    const budget = new Budget(limits);
    budget.measured(150);
    expect(() => budget.admit(50, 0)).not.toThrow();
    expect(refusal(() => budget.admit(51, 0)).message).toMatch(/150 bytes free, 100 must stay free/);
    budget.written(40);
    expect(budget.free_bytes).toBe(110);
    refusal(() => budget.admit(11, 0));
    budget.removed(40);
    expect(() => budget.admit(50, 0)).not.toThrow();
  });

  it('lets a stream with a reserve go so far beyond, and no further', () => {
    const budget = new Budget(limits);
    budget.written(1000);
    expect(() => budget.admit(60, 60)).not.toThrow();
    refusal(() => budget.admit(61, 60));
  });

  it('bounds what is in flight but for one entry that is larger alone', () => {
    const budget = new Budget(limits);
    expect(() => budget.admit(500, 0)).not.toThrow();
    budget.inFlight_bytes = 1;
    expect(() => budget.admit(199, 0)).not.toThrow();
    expect(refusal(() => budget.admit(200, 0)).retryAfter_s).toBe(1);
  });

  it('asks for room whenever a disk limit is met', () => {
    const budget = new Budget(limits);
    let asked = 0;
    budget.onPressure = () => {
      asked += 1;
    };
    budget.admit(10, 0);
    expect([asked, budget.pressed]).toEqual([0, false]);
    budget.written(1000);
    refusal(() => budget.admit(10, 0));
    expect([asked, budget.pressed]).toEqual([1, true]);
  });

  it('goes on under drop_oldest while the oldest is being dropped, but not without bound', () => {
    const budget = new Budget({ ...limits, whenFull: 'drop_oldest' });
    budget.written(1000);
    expect(() => budget.admit(200, 0)).not.toThrow();
    expect(refusal(() => budget.admit(201, 0)).retryAfter_s).toBe(1);
    expect(budget.pressure()).toBeUndefined();
    budget.written(1);
    expect(budget.pressure()).toBe('max_size');
    expect(budget.overflow_bytes()).toBe(1);
  });

  it('names the limit that is passed', () => {
    const budget = new Budget(limits);
    budget.measured(99);
    expect(budget.pressure()).toBe('min_free_space');
    budget.written(1001);
    expect(budget.pressure()).toBe('max_size');
  });

  it('never admits beyond a limit, whatever came before', () => {
    const step = fc.record({ bytes: fc.nat(300), durable: fc.boolean(), removed: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.nat(3000), (steps, free) => {
        const budget = new Budget(limits);
        budget.measured(free);
        for (const { bytes, durable, removed } of steps) {
          try {
            budget.admit(bytes, 0);
            budget.inFlight_bytes += bytes;
            expect(budget.used_bytes + budget.inFlight_bytes).toBeLessThanOrEqual(limits.maxSize_bytes);
            expect(budget.free_bytes - budget.inFlight_bytes).toBeGreaterThanOrEqual(
              limits.minFreeSpace_bytes,
            );
          } catch (error) {
            expect(error).toBeInstanceOf(LogFull);
          }
          if (durable) {
            budget.written(budget.inFlight_bytes);
            budget.inFlight_bytes = 0;
          }
          if (removed) budget.removed(budget.used_bytes >>> 1);
        }
      }),
    );
  });
});
