// The model's sums and its order come from the figures: worked out by hand once.

import { describe, expect, it } from '@jest/globals';
import { wayReport } from '../../../bench/model/report.ts';

const report = wayReport({
  title: 'a way',
  steps: [
    { name: 'read', costs: [40, 50, 60], least: { name: 'bare', costs: [30, 31, 29] } },
    { name: 'inflate', costs: [100], least: undefined },
    { name: 'copy', costs: [10], least: { name: 'a copy', costs: [10.4] } },
  ],
  whole: [200, 210, 190],
});

describe('the report of a way', () => {
  it('gives each step its median, its share of the whole and its least', () => {
    expect(report).toContain('| read | 50.0 (40.0–60.0) | 25 % | 30.0 (29.0–31.0) | bare |');
    expect(report).toContain('| inflate | 100.0 (100.0–100.0) | 50 % |  | nothing less is known here |');
  });

  it('sums the steps, and says what stands between them and the whole', () => {
    expect(report).toContain('| **sum of the steps** | 160.0 | 80 % | 140.4 |  |');
    expect(report).toMatch(/\| between the steps \| 40\.0 \| 20 % \|/);
  });

  it('orders what is left by size, and leaves out what is at its least', () => {
    expect(report).toContain(
      'is, 60 µs of 200, the largest first: between the steps 40 µs (20 %); read 20 µs (10 %).',
    );
  });
});
