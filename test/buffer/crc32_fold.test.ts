// The assembled loops do to memory what their description says, and nothing where there is no WebAssembly.

import { afterEach, describe, expect, it } from '@jest/globals';
import { type FoldCode, foldCode } from '../../buffer/crc32_fold.ts';

const WORD = 16;

function code(history_words: number, taps: readonly number[]): FoldCode {
  const made = foldCode(history_words, taps);
  if (!made) throw new Error('this Node has no WebAssembly');
  made.memory.forEach((_, index) => {
    made.memory[index] = (index * 7 + (index >> 8) * 13) & 0xff;
  });
  return made;
}

const wasm = Object.getOwnPropertyDescriptor(globalThis, 'WebAssembly')!;

afterEach(() => {
  Object.defineProperty(globalThis, 'WebAssembly', wasm);
});

describe('foldCode', () => {
  it.each([
    [8, [0]],
    [300, [0, 89, 117, 155]],
  ])('folds words %i behind, taps %p, and touches no other', (history, taps) => {
    const { memory, fold } = code(history, taps);
    const expected = Buffer.from(memory);
    const [from, to] = [3 * WORD, 23 * WORD];
    for (let at = from; at < to; at++) {
      for (const tap of taps) expected[at + history * WORD]! ^= expected[at + tap * WORD]!;
    }
    fold(from, to);
    expect(memory.equals(expected)).toBe(true);
  });

  it('adds words onto others and touches no other', () => {
    const { memory, add } = code(8, [0]);
    const expected = Buffer.from(memory);
    for (let index = 0; index < 5 * WORD; index++) expected[4096 + index]! ^= expected[64 + index]!;
    add(4096, 64, 64 + 5 * WORD);
    expect(memory.equals(expected)).toBe(true);
  });

  it('is nothing without WebAssembly', () => {
    Object.defineProperty(globalThis, 'WebAssembly', { value: undefined, configurable: true });
    expect(foldCode(300, [0])).toBeUndefined();
  });

  it('is nothing where its memory cannot be had', () => {
    const refusing = {
      Module: class {},
      Instance: class {
        constructor() {
          throw new RangeError('out of memory');
        }
      },
    };
    Object.defineProperty(globalThis, 'WebAssembly', { value: refusing, configurable: true });
    expect(foldCode(300, [0])).toBeUndefined();
  });
});
