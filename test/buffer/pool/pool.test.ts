// The general pool: bounded, by index, and nobody gets at memory that is not lent to him.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ForeignIndex, PoolExhausted, SlotTooLarge, StaleIndex } from '../../../buffer/pool/errors.ts';
import { DEFAULT_TIERS, Pool } from '../../../buffer/pool/pool.ts';
import { ManualClock, settle } from '../manual_clock.ts';

const small = [
  { bytes: 16, slots: 2 },
  { bytes: 4096, slots: 2 },
];

describe('a pool with tiers from 16 B to 256 KiB', () => {
  it('lends the smallest slot that holds what is asked for', () => {
    const pool = new Pool();
    const sizes: [number, number][] = [
      [0, 16],
      [1, 16],
      [16, 16],
      [17, 32],
      [4096, 4096],
      [4097, 8192],
      [262_144, 262_144],
    ];
    for (const [asked, given] of sizes) expect(pool.memory(pool.get(asked)).length).toBe(given);
    expect(() => pool.get(262_145)).toThrow(SlotTooLarge);
    expect(() => pool.get(Number.NaN)).toThrow(SlotTooLarge);
    expect(DEFAULT_TIERS.map((tier) => tier.bytes)).toEqual(
      Array.from({ length: 15 }, (_, step) => 2 ** (step + 4)),
    );
  });

  it('skips sizes that have no tier', () => {
    const pool = new Pool({ tiers: small });
    expect(pool.memory(pool.get(17)).length).toBe(4096);
  });

  it('is bounded: it says so when a tier is exhausted, and the other tiers do not notice', () => {
    const pool = new Pool({ tiers: small });
    const first = pool.get(16);
    pool.get(1);
    expect(() => pool.get(16)).toThrow(PoolExhausted);
    expect(pool.tryGet(16)).toBeUndefined();
    expect(pool.memory(pool.get(17)).length).toBe(4096);
    pool.put(first);
    expect(pool.memory(pool.get(16)).length).toBe(16);
  });

  it('gives, takes, sets and fills values by index', () => {
    const pool = new Pool({ tiers: small });
    const [a, b] = [pool.get(16), pool.get(16)];
    expect(pool.value(a).length).toBe(0);
    pool.setValue(a, Buffer.from('telemetry'));
    pool.fill(b, 0x2a);
    expect(pool.value(a).toString()).toBe('telemetry');
    expect(pool.value(b)).toEqual(Buffer.alloc(16, 0x2a));
    pool.memory(a).write('T');
    pool.setLength(a, 4);
    expect(pool.value(a).toString()).toBe('Tele');
    expect(() => pool.setValue(a, Buffer.alloc(17))).toThrow(SlotTooLarge);
    expect(() => pool.setLength(a, 17)).toThrow(SlotTooLarge);
    expect(pool.value(a).toString()).toBe('Tele');
    pool.put(a);
    expect(pool.value(pool.get(16)).length).toBe(0);
  });

  it.each([
    [[]],
    [[{ bytes: 8, slots: 1 }]],
    [[{ bytes: 48, slots: 1 }]],
    [[{ bytes: 524_288, slots: 1 }]],
    [[{ bytes: 16, slots: 0 }]],
    [[{ bytes: 16, slots: 1.5 }]],
    [[{ bytes: 16, slots: 2 ** 20 + 1 }]],
    [
      [
        { bytes: 32, slots: 1 },
        { bytes: 16, slots: 1 },
      ],
    ],
  ])('refuses tiers that make no sense: %j', (tiers) => {
    expect(() => new Pool({ tiers })).toThrow(RangeError);
  });
});

describe('misuse of a pool', () => {
  it('detects a double put, also when the slot is lent to somebody else by then', () => {
    const pool = new Pool({ tiers: small });
    const index = pool.get(16);
    pool.put(index);
    expect(() => pool.put(index)).toThrow(StaleIndex);
    const other = pool.get(16);
    expect(other).not.toBe(index);
    expect(() => pool.put(index)).toThrow(StaleIndex);
    pool.put(other);
    expect(pool.stats().inUse_bytes).toBe(0);
  });

  it('refuses a slot that was put back for whatever it is used', () => {
    const pool = new Pool({ tiers: small });
    const index = pool.get(16);
    pool.put(index);
    expect(() => pool.value(index)).toThrow(StaleIndex);
    expect(() => pool.memory(index)).toThrow(StaleIndex);
    expect(() => pool.setValue(index, Buffer.alloc(1))).toThrow(StaleIndex);
    expect(() => pool.fill(index, 1)).toThrow(StaleIndex);
  });

  it('detects a foreign put: of another pool, or of none', () => {
    const [mine, theirs] = [new Pool({ tiers: small }), new Pool({ tiers: small })];
    const index = theirs.get(16);
    mine.get(16);
    expect(() => mine.put(index)).toThrow(ForeignIndex);
    for (const made of [-1, 0, 0.5, 1e300, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 36 - 1]) {
      expect(() => mine.put(made)).toThrow(ForeignIndex);
    }
    theirs.put(index);
    expect(mine.stats().inUse_bytes).toBe(16);
  });

  it('tells indexes apart after a slot was lent more often than an index can count', () => {
    const pool = new Pool({ tiers: [{ bytes: 16, slots: 1 }] });
    let before = pool.get(1);
    for (let lending = 0; lending < 2 ** 16 + 5; lending++) {
      pool.put(before);
      const index = pool.get(1);
      if (index === before) throw new Error('the same index twice in a row');
      before = index;
    }
    expect(pool.memory(before).length).toBe(16);
    expect(() => new Pool({ tiers: small }).put(before)).toThrow(ForeignIndex);
  });
});

describe('a pool under any use', () => {
  it('never lends the same bytes twice and counts what it lends, against a model', () => {
    const tiers = [
      { bytes: 16, slots: 3 },
      { bytes: 64, slots: 2 },
      { bytes: 8192, slots: 2 },
    ];
    const steps = fc.array(
      fc.oneof(
        fc.record({ get: fc.integer({ min: 0, max: 9000 }) }),
        fc.record({ put: fc.nat({ max: 20 }) }),
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(steps, (actions) => {
        const pool = new Pool({ tiers });
        const lent: { index: number; mark: number; tier: number }[] = [];
        let mark = 0;
        for (const action of actions) {
          if ('put' in action) {
            const [gone] = lent.splice(action.put % Math.max(1, lent.length), 1);
            if (!gone) continue;
            pool.put(gone.index);
            expect(() => pool.put(gone.index)).toThrow(StaleIndex);
          } else {
            const tier = tiers.findIndex((each) => each.bytes >= action.get);
            if (tier === -1) {
              expect(() => pool.get(action.get)).toThrow(SlotTooLarge);
              continue;
            }
            const room = lent.filter((each) => each.tier === tier).length < tiers[tier]!.slots;
            const index = pool.tryGet(action.get);
            expect(index !== undefined).toBe(room);
            if (index === undefined) continue;
            mark = (mark + 1) % 256;
            pool.fill(index, mark);
            lent.push({ index, mark, tier });
          }
          for (const { index, mark: expected, tier } of lent) {
            expect(pool.value(index).equals(Buffer.alloc(tiers[tier]!.bytes, expected))).toBe(true);
          }
        }
        const inUse = pool.stats().tiers.map((tier) => tier.inUse);
        expect(inUse).toEqual(tiers.map((_, tier) => lent.filter((each) => each.tier === tier).length));
      }),
      { numRuns: 100 },
    );
  });

  it('has stats by tier', () => {
    const pool = new Pool({ tiers: small, page_bytes: 4096 });
    const index = pool.get(5);
    pool.get(5);
    pool.tryGet(5);
    pool.put(index);
    pool.get(100);
    expect(pool.stats()).toEqual({
      slab_bytes: 4096 + 2 * 4096,
      inUse_bytes: 16 + 4096,
      tiers: [
        { bytes: 16, slots: 2, inUse: 1, inUse_max: 2, gets: 2, puts: 1, exhausted: 1 },
        { bytes: 4096, slots: 2, inUse: 1, inUse_max: 1, gets: 1, puts: 0, exhausted: 0 },
      ],
    });
  });
});

describe('back-off when a pool is exhausted', () => {
  const exhausted = (): { pool: Pool; held: number; clock: ManualClock } => {
    const pool = new Pool({ tiers: [{ bytes: 16, slots: 1 }] });
    return { pool, held: pool.get(1), clock: new ManualClock() };
  };

  it('gives a free slot at once, without a timer', async () => {
    const { pool, held, clock } = exhausted();
    pool.put(held);
    const index = await pool.getWhenFree(1, clock);
    expect(pool.memory(index).length).toBe(16);
    expect(clock.pending).toBe(0);
  });

  it('waits longer from try to try, and gets the slot once it is put back', async () => {
    const { pool, held, clock } = exhausted();
    const waiting = pool.getWhenFree(1, clock);
    const tries: number[] = [];
    for (let ms = 0; ms < 200; ms++) {
      const before = pool.stats().tiers[0]!.exhausted;
      clock.advance(1);
      await settle();
      if (pool.stats().tiers[0]!.exhausted > before) tries.push(clock.monotonic());
    }
    expect(tries).toEqual([1, 3, 7, 15, 31, 63, 127, 191]);
    pool.put(held);
    clock.advance(64);
    expect(pool.memory(await waiting).length).toBe(16);
  });

  it('gives up after its time, or when it is told to', async () => {
    const { pool, clock } = exhausted();
    const timed = expect(pool.getWhenFree(1, clock, { wait_ms: 10 })).rejects.toThrow(PoolExhausted);
    for (let ms = 0; ms < 10; ms++) {
      clock.advance(1);
      await settle();
    }
    await timed;
    const abort = new AbortController();
    const aborted = expect(pool.getWhenFree(1, clock, { signal: abort.signal })).rejects.toThrow(
      PoolExhausted,
    );
    abort.abort();
    await aborted;
    expect(clock.pending).toBe(0);
  });

  it('does not wait for what can never fit', async () => {
    const { pool, clock } = exhausted();
    await expect(pool.getWhenFree(17, clock)).rejects.toThrow(SlotTooLarge);
  });
});
