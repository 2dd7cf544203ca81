import { expect, test } from '@jest/globals';
import { Sampling } from '../../../exporters/debug/sampling.ts';

const shown = (sampling: Sampling, count: number, now_ms: number): number[] =>
  Array.from({ length: count }, (_, index) => index).filter(() => sampling.isShown(now_ms));

test('the first of each second are shown, then every so manieth', () => {
  const sampling = new Sampling(2, 3);
  expect(shown(sampling, 9, 5000)).toEqual([0, 1, 4, 7]);
  expect(shown(sampling, 3, 6999)).toEqual([0, 1]);
});

test('1 shows all, 0 none beyond the first', () => {
  expect(shown(new Sampling(1, 1), 4, 0)).toEqual([0, 1, 2, 3]);
  expect(shown(new Sampling(1, 0), 4, 0)).toEqual([0]);
});
