// A parser that breaks its promises, to show that the fuzzer sees it. Not in the list of parsers.

import { type Parser, promise } from '../parser.ts';

export const planted: Parser = {
  name: 'planted',
  promise: 'none that it keeps',
  seeds: [Buffer.from('right'), Buffer.from('also ! right')],
  words: ['!'],
  check(input) {
    const text = input.toString('latin1');
    if (text === 'for ever') for (;;);
    if (text === 'a lot') Buffer.alloc(200_000_000);
    promise(text.split('!').length < 3, 'the planted bug');
    return text.includes('!') ? 'accepted' : 'refused';
  },
};
