// The account of a shard: the loss identity must hold after any sequence of appends, damage and removals.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Account, dropReasons, LEDGER_RANGES_MAX, Ledger } from '../../buffer/ledger.ts';

function identityHolds(account: Account): boolean {
  const dropped = dropReasons.reduce((sum, reason) => sum + account.dropped[reason], 0);
  return account.appended === account.retained + account.deletedConsumed + dropped + account.quarantined;
}

const step = fc.oneof(
  fc.record({ do: fc.constant('append' as const), entries: fc.nat(20) }),
  fc.record({ do: fc.constant('fail' as const), entries: fc.nat(20) }),
  fc.record({ do: fc.constant('damage' as const), at: fc.nat(200), entries: fc.nat(10) }),
  fc.record({
    do: fc.constant('remove' as const),
    until: fc.nat(200),
    consumedBelow: fc.nat(200),
    reason: fc.constantFrom(...dropReasons),
  }),
  fc.record({ do: fc.constant('reopen' as const) }),
);

/** One fate per offset: what the account must add up to. */
class Model {
  readonly fates: string[] = [];
  logStart = 0;

  count(fate: string): number {
    return this.fates.filter((is) => is === fate).length;
  }

  remove(until: number, consumedBelow: number, reason: string): void {
    for (let at = this.logStart; at < until; at++) {
      if (this.fates[at] === 'kept') this.fates[at] = at < consumedBelow ? 'consumed' : reason;
    }
    this.logStart = Math.max(this.logStart, until);
  }
}

describe('Ledger', () => {
  it('adds up exactly after any sequence of appends, failures, damage, removals and restarts', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let ledger = new Ledger();
        const model = new Model();
        for (const now of steps) {
          const end = model.fates.length;
          if (now.do === 'append') {
            for (let entry = 0; entry < now.entries; entry++) model.fates.push('kept');
          } else if (now.do === 'fail') {
            ledger.ranges.add(end, end + now.entries, 'failed');
            for (let entry = 0; entry < now.entries; entry++) model.fates.push('failed');
          } else if (now.do === 'damage') {
            const from = Math.max(now.at, ledger.logStart);
            const to = Math.min(end, now.at + now.entries);
            ledger.ranges.add(from, to, 'lost');
            for (let at = from; at < to; at++) if (model.fates[at] === 'kept') model.fates[at] = 'lost';
          } else if (now.do === 'remove') {
            const until = Math.min(end, now.until);
            ledger.removeUntil(until, now.consumedBelow, now.reason);
            model.remove(until, now.consumedBelow, now.reason);
          } else {
            ledger = Ledger.decode(ledger.encode());
          }
          const account = ledger.account(model.fates.length);
          expect(identityHolds(account)).toBe(true);
          expect(account.appended).toBe(model.fates.length - model.count('failed'));
          expect(account.retained).toBe(model.count('kept'));
          expect(account.deletedConsumed).toBe(model.count('consumed'));
          expect(account.quarantined).toBe(model.count('lost'));
          expect(account.failed).toBe(model.count('failed'));
          for (const reason of dropReasons) expect(account.dropped[reason]).toBe(model.count(reason));
          expect(ledger.logStart).toBe(model.logStart);
        }
      }),
    );
  });

  it('counts a removal once, however often it is said', () => {
    const ledger = new Ledger();
    ledger.removeUntil(10, 4, 'max_size');
    ledger.removeUntil(10, 4, 'max_size');
    ledger.removeUntil(5, 5, 'max_age');
    const account = ledger.account(12);
    expect(account.deletedConsumed).toBe(4);
    expect(account.dropped.max_size).toBe(6);
    expect(account.dropped.max_age).toBe(0);
    expect(ledger.logStart).toBe(10);
  });

  it('takes what was consumed above the removal for nothing more than the removal', () => {
    const ledger = new Ledger();
    ledger.removeUntil(10, 1000, 'max_lag');
    expect(ledger.account(10).deletedConsumed).toBe(10);
    expect(ledger.account(10).dropped.max_lag).toBe(0);
  });

  it('keeps offsets above 2^32 exactly', () => {
    const ledger = new Ledger();
    ledger.logStart = 2 ** 50 + 3;
    ledger.watermark = 2 ** 50 + 9;
    ledger.deletedConsumed = 2 ** 40 + 1;
    ledger.ranges.add(2 ** 50 + 4, 2 ** 50 + 6, 'lost');
    const again = Ledger.decode(ledger.encode());
    expect(again.logStart).toBe(2 ** 50 + 3);
    expect(again.watermark).toBe(2 ** 50 + 9);
    expect(again.deletedConsumed).toBe(2 ** 40 + 1);
    expect(again.ranges.list).toEqual([{ from: 2 ** 50 + 4, to: 2 ** 50 + 6, kind: 'lost' }]);
  });

  it('fits its slot with as many ranges as it may have', () => {
    const ledger = new Ledger();
    for (let range = 0; range < LEDGER_RANGES_MAX; range++)
      ledger.ranges.add(3 * range, 3 * range + 1, 'lost');
    expect(ledger.encode().length).toBeLessThanOrEqual(4096 - 20);
    expect(Ledger.decode(ledger.encode()).ranges.list).toEqual(ledger.ranges.list);
  });

  it('stores failed ranges first where not all fit: lost ones are found again by whoever reads there', () => {
    const ledger = new Ledger();
    const ranges = LEDGER_RANGES_MAX + 50;
    for (let range = 0; range < ranges; range++) {
      ledger.ranges.add(3 * range, 3 * range + 1, range % 10 === 0 ? 'failed' : 'lost');
    }
    const end = 3 * ranges;
    const again = Ledger.decode(ledger.encode());
    expect(again.ranges.list.length).toBe(LEDGER_RANGES_MAX);
    expect(again.account(end).failed).toBe(ledger.account(end).failed);
    for (const range of ledger.ranges.list) again.ranges.add(range.from, range.to, 'lost');
    expect(again.account(end)).toEqual(ledger.account(end));
  });

  it('is refused in words where its length is not what it says (found by test/fuzz)', () => {
    const bytes = new Ledger().encode();
    for (const wrong of [bytes.subarray(0, -1), bytes.subarray(0, -17), Buffer.concat([bytes, bytes])]) {
      expect(() => Ledger.decode(wrong)).toThrow(
        expect.objectContaining({ code: 'HF_BUFFER_STATE_INVALID', retryable: false }),
      );
    }
  });

  it('leaves out the highest failed ranges where not even those fit, until removal makes room', () => {
    const ledger = new Ledger();
    const ranges = LEDGER_RANGES_MAX + 50;
    for (let range = 0; range < ranges; range++) ledger.ranges.add(3 * range, 3 * range + 1, 'failed');
    const end = 3 * ranges;
    const again = Ledger.decode(ledger.encode());
    expect(again.ranges.list).toEqual(ledger.ranges.list.slice(0, LEDGER_RANGES_MAX));
    // What is not known to have failed counts as kept, and as quarantined once a reader finds nothing there.
    expect(again.account(end)).toMatchObject({
      retained: ledger.account(end).retained + 50,
      failed: LEDGER_RANGES_MAX,
    });
    for (const range of ledger.ranges.list) again.ranges.add(range.from, range.to, 'lost');
    expect(again.account(end)).toMatchObject({ retained: ledger.account(end).retained, quarantined: 50 });
    ledger.removeUntil(3 * 50, 3 * 50, 'max_size');
    expect(Ledger.decode(ledger.encode()).account(end)).toEqual(ledger.account(end));
  });
});
