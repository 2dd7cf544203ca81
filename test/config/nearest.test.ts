import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { editDistance, nearest } from '../../config/nearest.ts';

const keys = ['endpoint', 'timeout', 'sending_queue', 'retry_on_failure', 'tls'];

describe('nearest', () => {
  it.each([
    ['endpont', 'endpoint'],
    ['endpiont', 'endpoint'],
    ['Timeout', 'timeout'],
    ['sendingQueue', 'sending_queue'],
    ['retry-on-failure', 'retry_on_failure'],
    ['tsl', 'tls'],
  ])('takes %s for %s', (word, key) => {
    expect(nearest(word, keys)).toBe(key);
  });

  it.each(['banana', 'x', '', 'a'.repeat(1000)])('takes %j for nothing', (word) => {
    expect(nearest(word, keys)).toBeUndefined();
  });

  it('never proposes what was written', () => {
    expect(nearest('tls', ['tls'])).toBeUndefined();
  });
});

describe('editDistance', () => {
  it('counts insertions, deletions, replacements and swaps', () => {
    expect(editDistance('', 'abc')).toBe(3);
    expect(editDistance('abcd', 'acbd')).toBe(1);
    expect(editDistance('kitten', 'sitting')).toBe(3);
  });

  it('is symmetric, zero for equals only, and never above the longer length', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        const distance = editDistance(a, b);
        expect(distance).toBe(editDistance(b, a));
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });
});
