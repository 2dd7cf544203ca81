// The table that a reader of the bench sees: verdicts follow from the median and nothing else.

import { describe, expect, it } from '@jest/globals';
import { type Figure, HEADING, row } from '../../../bench/buffer/figure.ts';

const figure: Figure = { name: 'drain', unit: 'M/s', digits: 1, values: [1, 3, 2] };

describe('a row of the figures', () => {
  it('shows median and spread, and no verdict where there is no target', () => {
    expect(row(figure)).toBe('| drain | M/s | 2.0 (1.0–3.0) |  |  |  |');
    expect(row(figure).split('|').length).toBe(HEADING.split('\n')[0]!.split('|').length);
  });

  it('says that a target is met by the median, in either direction', () => {
    expect(row({ ...figure, target: { atLeast: 2 } })).toMatch(/≥ 2 \|.*\| met \|$/);
    expect(row({ ...figure, target: { atMost: 2 } })).toMatch(/≤ 2 \|.*\| met \|$/);
  });

  it('says by which factor a target is missed', () => {
    expect(row({ ...figure, target: { atLeast: 5 } })).toContain('**missed** (× 2.50)');
    expect(row({ ...figure, target: { atMost: 0.5 } })).toContain('**missed** (× 4.00)');
  });

  it('names what others reach', () => {
    expect(row({ ...figure, others: 'comet 0.0035' })).toContain('| comet 0.0035 |');
  });
});
