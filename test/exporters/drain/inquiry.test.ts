import { describe, expect, it } from '@jest/globals';
import { type Group, Inquiry } from '../../../exporters/drain/inquiry.ts';
import { Slot } from '../../../exporters/drain/slot.ts';
import { decodeEntry } from '../../../otlp/entry.ts';
import { entryOf } from './rig.ts';

function slotOf(count: number, from = 0): Slot {
  const slot = new Slot('traces', from);
  for (let id = from; id < from + count; id += 1) {
    const raw = entryOf(id);
    slot.add(decodeEntry(raw), raw, id, id + 1, undefined);
  }
  return slot;
}

const range = (group: Group | undefined) => group && [group.from, group.to];

describe('the search for poison', () => {
  it('goes depth first, from left to right', () => {
    const inquiry = new Inquiry();
    inquiry.refused(inquiry.add(slotOf(8)), true);
    const asked: unknown[] = [];
    for (let group = inquiry.next(); group && asked.length < 3; group = inquiry.next()) {
      asked.push(range(group));
      inquiry.refused(group, true);
    }
    expect(asked).toEqual([
      [0, 4],
      [0, 2],
      [0, 1],
    ]);
    expect(range(inquiry.next())).toEqual([1, 2]);
  });

  it('asks a suspect again only after something else was accepted', () => {
    const inquiry = new Inquiry();
    const suspect = inquiry.add(slotOf(1));
    inquiry.refused(suspect, true);
    expect(inquiry.next()).toBeUndefined();
    inquiry.acceptedElsewhere();
    expect(inquiry.next()).toBe(suspect);
    // Twice refused with an acceptance in between: a few more times at once, and then it is convicted.
    for (let refusals = 2; refusals < 8; refusals += 1) {
      inquiry.refused(suspect, true);
      expect(inquiry.isPoison(suspect)).toBe(false);
      expect(inquiry.next()).toBe(suspect);
    }
    inquiry.refused(suspect, true);
    expect(inquiry.isPoison(suspect)).toBe(true);
  });

  it('convicts nobody who was not refused alone five times', () => {
    const inquiry = new Inquiry();
    inquiry.refused(inquiry.add(slotOf(64)), true);
    let alone = 0;
    for (let group = inquiry.next()!; ; group = inquiry.next()!) {
      if (group.from > 0) {
        inquiry.accepted(group);
        continue;
      }
      inquiry.refused(group, true);
      if (group.to === 1) alone += 1;
      if (inquiry.isPoison(group)) break;
    }
    expect(alone).toBe(5);
  });

  it('takes a group that is accepted in all its parts for a contradiction too', () => {
    const inquiry = new Inquiry();
    inquiry.refused(inquiry.add(slotOf(2)), true);
    inquiry.accepted(inquiry.next()!);
    inquiry.accepted(inquiry.next()!);
    const suspect = inquiry.add(slotOf(1, 2));
    for (let refusals = 1; refusals < 12; refusals += 1) {
      inquiry.refused(suspect, true);
      inquiry.acceptedElsewhere();
      expect(inquiry.isPoison(suspect)).toBe(false);
    }
    inquiry.refused(suspect, true);
    expect(inquiry.isPoison(suspect)).toBe(true);
  });

  it('convicts nobody while nothing else is accepted, however often it is refused', () => {
    const inquiry = new Inquiry();
    const suspect = inquiry.add(slotOf(1));
    for (let i = 0; i < 10_000; i += 1) inquiry.refused(suspect, true);
    expect(inquiry.isPoison(suspect)).toBe(false);
  });

  it('asks for more evidence once an entry was refused and then accepted', () => {
    const refusalsNeeded = (inquiry: Inquiry, id: number): number => {
      const suspect = inquiry.add(slotOf(1, id));
      for (let refusals = 1; ; refusals += 1) {
        inquiry.refused(suspect, true);
        if (inquiry.isPoison(suspect)) return refusals;
        inquiry.acceptedElsewhere();
      }
    };
    expect(refusalsNeeded(new Inquiry(), 0)).toBe(8);
    const flapping = new Inquiry();
    const innocent = flapping.add(slotOf(1));
    flapping.refused(innocent, true);
    flapping.acceptedElsewhere();
    flapping.accepted(innocent);
    expect(refusalsNeeded(flapping, 1)).toBe(12);
    for (let i = 0; i < 100; i += 1) flapping.acceptedElsewhere();
    expect(refusalsNeeded(flapping, 2)).toBe(8);
  });

  it('takes what was refused during an outage for no evidence', () => {
    const inquiry = new Inquiry();
    const [front, second] = [inquiry.add(slotOf(1)), inquiry.add(slotOf(1, 1))];
    inquiry.hold();
    for (let i = 0; i < 1_000; i += 1) {
      inquiry.refused(front, true);
      inquiry.refused(second, true);
    }
    inquiry.accepted(front);
    expect(inquiry.next()).toBe(second);
    inquiry.refused(second, true);
    expect(inquiry.isPoison(second)).toBe(false);
    expect(second.refusals).toBe(2);
  });

  it('blames no entry for a request that was too large', () => {
    const inquiry = new Inquiry();
    const group = inquiry.add(slotOf(4));
    inquiry.refused(group, false);
    expect(range(inquiry.next())).toEqual([0, 2]);
    expect(inquiry.next()!.refusals).toBe(0);
  });

  it('keeps log order when an earlier slot is added later', () => {
    const inquiry = new Inquiry();
    inquiry.refused(inquiry.add(slotOf(1, 10)), true);
    inquiry.refused(inquiry.add(slotOf(1, 5)), true);
    expect(inquiry.probe(1).slot.offsets).toEqual([5]);
    expect(inquiry.probe(3).slot.offsets).toEqual([10]);
  });
});
