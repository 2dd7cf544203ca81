// config/size.ts.

import { formatSize, parseSize } from '../../../config/size.ts';
import type { Parser } from '../parser.ts';
import { checkValue } from './value.ts';

export const sizeParser: Parser = {
  name: 'size',
  promise: 'a whole number of bytes that can be counted exactly; what is printed parses back',
  seeds: ['64MiB', '10MB', '1Gi', '4096', '0B', '1.5 KiB', '8191TiB'].map((text) => Buffer.from(text)),
  words: [
    'B',
    'k',
    'K',
    'kB',
    'M',
    'Mi',
    'GiB',
    'T',
    'TiB',
    '-',
    '.',
    '0',
    '1e9',
    '9007199254740993',
    'Infinity',
    ' ',
    '0x10',
    '٣',
  ],
  inputMax_bytes: 200,
  check: (input) =>
    checkValue(input, parseSize, formatSize, (bytes) => bytes >= 0 && Number.isSafeInteger(bytes), Object.is),
};
