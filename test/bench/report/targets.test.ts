import { describe, expect, it } from '@jest/globals';
import { reasonOf } from '../../../bench/report/targets.ts';

describe('why a ratio is missed', () => {
  it('is the Collector where it became cheaper and the own figure is what was asked for', () => {
    expect(reasonOf({ before: 17, now: 9, own: 1.3 }, 8)).toBe(
      "the Collector has 9 here, not 17; Holdfast's 1.3 meets the 2.1 of the 8 ×",
    );
  });

  it('is Holdfast where its own figure is not, with what stands with the scenario', () => {
    expect(reasonOf({ before: 86, now: 47, own: 26 }, 4, 'a bound')).toBe(
      "the Collector has 47 here, not 86; Holdfast's 26 is 21 % above the 21.5 of the 4 ×; a bound",
    );
    expect(reasonOf({ before: 10, now: 12, own: 3 }, 5)).toBe("Holdfast's 3 is 50 % above the 2 of the 5 ×");
  });

  it('turns round for rates', () => {
    expect(reasonOf({ before: 92, now: 163, own: 651 }, 5, undefined, true)).toBe(
      "the Collector has 163 here, not 92; Holdfast's 651 meets the 460 of the 5 ×",
    );
    expect(reasonOf({ before: 170, now: 160, own: 765 }, 5, undefined, true)).toBe(
      "Holdfast's 765 is 10 % below the 850 of the 5 ×",
    );
  });
});
