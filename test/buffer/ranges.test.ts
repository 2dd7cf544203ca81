// Offsets that hold no entry, against a model that keeps one flag per offset.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type RangeKind, Ranges } from '../../buffer/ranges.ts';

const SPACE = 60;
const kinds: readonly RangeKind[] = ['lost', 'failed'];
const operation = fc.record({
  from: fc.nat(SPACE),
  to: fc.nat(SPACE),
  kind: fc.constantFrom(...kinds),
  trim: fc.boolean(),
});

describe('Ranges', () => {
  it('counts like a flag per offset does, whatever is added and trimmed', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 25 }), (operations) => {
        const ranges = new Ranges();
        const model = new Map<number, RangeKind>();
        for (const { from, to, kind, trim } of operations) {
          if (trim) {
            ranges.trim(from);
            for (const offset of [...model.keys()]) if (offset < from) model.delete(offset);
          } else {
            let added = 0;
            for (let offset = from; offset < to; offset++) {
              if (model.has(offset)) continue;
              model.set(offset, kind);
              added += 1;
            }
            expect(ranges.add(from, to, kind)).toBe(added);
          }
          for (let offset = 0; offset <= SPACE; offset++) {
            expect(ranges.at(offset)?.kind).toBe(model.get(offset));
          }
          const within = [...model].filter(([offset]) => offset >= from && offset < to);
          expect(ranges.count(from, to)).toBe(within.length);
          for (const one of kinds) {
            expect(ranges.count(from, to, one)).toBe(within.filter(([, is]) => is === one).length);
          }
        }
      }),
    );
  });

  it('stays sorted, without overlap, and joins what touches', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 25 }), (operations) => {
        const ranges = new Ranges();
        for (const { from, to, kind } of operations) ranges.add(from, to, kind);
        const list = ranges.list;
        for (let index = 0; index < list.length; index++) {
          expect(list[index]!.from).toBeLessThan(list[index]!.to);
          const next = list[index + 1];
          if (!next) continue;
          expect(list[index]!.to).toBeLessThanOrEqual(next.from);
          if (list[index]!.to === next.from) expect(list[index]!.kind).not.toBe(next.kind);
        }
      }),
    );
  });

  it('keeps what was said first where two kinds overlap', () => {
    const ranges = new Ranges();
    ranges.add(10, 20, 'failed');
    expect(ranges.add(5, 25, 'lost')).toBe(10);
    expect(ranges.list).toEqual([
      { from: 5, to: 10, kind: 'lost' },
      { from: 10, to: 20, kind: 'failed' },
      { from: 20, to: 25, kind: 'lost' },
    ]);
  });

  it('sorts what it is given', () => {
    const ranges = new Ranges([
      { from: 7, to: 9, kind: 'lost' },
      { from: 1, to: 3, kind: 'failed' },
    ]);
    expect(ranges.at(2)?.kind).toBe('failed');
    expect(ranges.at(8)?.kind).toBe('lost');
    expect(ranges.at(3)).toBeUndefined();
  });

  it('takes a hundred thousand separate ranges in the order in which a scan finds them', () => {
    const ranges = new Ranges();
    for (let at = 0; at < 200_000; at += 2) ranges.add(at, at + 1, 'lost');
    expect(ranges.list.length).toBe(100_000);
    expect(ranges.count(0, 200_000)).toBe(100_000);
    expect(ranges.at(199_998)?.from).toBe(199_998);
  });
});
