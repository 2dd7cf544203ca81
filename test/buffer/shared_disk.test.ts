// Several budgets over one limit, as several logs hold them: exact to the page, whoever asks.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Budget, type BudgetLimits } from '../../buffer/budget.ts';
import { SharedDisk } from '../../buffer/shared_disk.ts';
import { appendDurably, LogOnMemory, openedOnMemory } from './log_on_memory.ts';

const PAGE = 4096;
const limits: BudgetLimits = {
  maxSize_bytes: 100 * PAGE,
  maxShardSize_bytes: Number.POSITIVE_INFINITY,
  minFreeSpace_bytes: 10 * PAGE,
  inFlightMax_bytes: 50 * PAGE,
  headroom_bytes: 0,
  whenFull: 'reject',
};

function budgets(count: number): Budget[] {
  const memory = SharedDisk.memory(count);
  return Array.from({ length: count }, (_, log) => new Budget(limits, new SharedDisk(memory, log)));
}

describe('budgets over one disk', () => {
  it('count what the others hold, on disk and in flight, against one limit', () => {
    const [a, b] = budgets(2) as [Budget, Budget];
    a.written(60 * PAGE);
    b.inFlight_bytes = 30 * PAGE;
    expect(() => a.admit(10 * PAGE, 0)).not.toThrow();
    expect(() => a.admit(10 * PAGE + 1, 0)).toThrow(/the log is full: 368640 of 409600 bytes/);
    expect(a.room_bytes).toBe(10 * PAGE);
    expect(b.room_bytes).toBe(10 * PAGE);
    a.removed(20 * PAGE);
    expect(() => b.admit(20 * PAGE, 0)).not.toThrow();
    expect([a.used_bytes, b.used_bytes]).toEqual([40 * PAGE, 0]);
  });

  it('take from free space what the others wrote since it was measured, and not what stood there before', () => {
    const [a, b] = budgets(2) as [Budget, Budget];
    b.written(5 * PAGE);
    a.measured(40 * PAGE);
    expect(a.free_bytes).toBe(40 * PAGE);
    b.written(10 * PAGE);
    a.written(5 * PAGE);
    expect(a.free_bytes).toBe(25 * PAGE);
    expect(a.pressure(15 * PAGE)).toBeUndefined();
    expect(a.pressure(15 * PAGE + 1)).toBe('min_free_space');
  });

  it('hear of an append that another log had to refuse, so that what is kept for replay makes room for it', () => {
    const [a, b] = budgets(2) as [Budget, Budget];
    b.written(95 * PAGE);
    expect(() => a.admit(8 * PAGE, 0)).toThrow('the log is full');
    expect(b.takePressure()).toEqual({ pressed: true, refused_bytes: 8 * PAGE });
    expect(a.takePressure()).toEqual({ pressed: true, refused_bytes: 8 * PAGE });
    expect(b.takePressure()).toEqual({ pressed: false, refused_bytes: 0 });
  });

  it('let one log at a time make room, and forget the turn of a thread that is gone', () => {
    const memory = SharedDisk.memory(2);
    const [a, b] = [0, 1].map((log) => new SharedDisk(memory, log)) as [SharedDisk, SharedDisk];
    expect([a.takeTurn(), b.takeTurn()]).toEqual([true, false]);
    b.endTurn();
    expect(b.takeTurn()).toBe(false);
    a.want(3 * PAGE);
    a.hold(7 * PAGE);
    SharedDisk.abandon(memory, 0);
    expect(b.takeTurn()).toBe(true);
    expect([b.othersWanted_bytes, b.others_bytes]).toEqual([0, 7 * PAGE]);
  });

  it('count what a log holds while it is opened again: its room is not given to others until all of it is found', async () => {
    const memory = SharedDisk.memory(2);
    const other = new SharedDisk(memory, 1);
    const open = (on: LogOnMemory) => openedOnMemory({ sharedDisk: new SharedDisk(memory, 0) }, on);
    const first = await open(new LogOnMemory());
    await appendDurably(first.shard, 'x'.repeat(3 * PAGE));
    await appendDurably((await first.log.stream('t')).shardOf(0), 'x'.repeat(5 * PAGE));
    const left = first.on.killed();
    const before = other.others_bytes;
    await first.log.close();
    const seen = new Set<number>();
    left.fileSystem.hook = () => void seen.add(other.others_bytes);
    const again = await open(left);
    expect(before).toBeGreaterThan(8 * PAGE);
    expect([...seen]).toEqual([before]);
    await again.log.deleteStream('t', { force: true });
    expect(other.others_bytes).toBe(4 * PAGE);
    await again.log.close();
  });

  it('has a place for the logs that it was made for, and no other', () => {
    expect(() => new SharedDisk(SharedDisk.memory(2), 2)).toThrow(RangeError);
  });

  it('never admit beyond the limit, in any order of any logs', () => {
    const step = fc.record({
      log: fc.nat(2),
      pages: fc.integer({ min: 1, max: 40 }),
      does: fc.constantFrom('append', 'append', 'durable', 'remove'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const all = budgets(3);
        for (const { log, pages, does } of steps) {
          const budget = all[log]!;
          if (does === 'append') {
            try {
              budget.admit(pages * PAGE, 0);
            } catch {
              continue;
            }
            budget.inFlight_bytes += pages * PAGE;
          } else if (does === 'durable') {
            const bytes = budget.inFlight_bytes;
            budget.inFlight_bytes = 0;
            budget.written(bytes);
          } else budget.removed(Math.min(budget.used_bytes, pages * PAGE));
          const held = all.reduce((sum, each) => sum + each.used_bytes + each.inFlight_bytes, 0);
          expect(held).toBeLessThanOrEqual(limits.maxSize_bytes);
          expect(all.every((each) => each.room_bytes === limits.maxSize_bytes - held)).toBe(true);
        }
      }),
    );
  });
});
