// config/duration.ts.

import { formatDuration, parseDuration } from '../../../config/duration.ts';
import type { Parser } from '../parser.ts';
import { checkValue } from './value.ts';

export const durationParser: Parser = {
  name: 'duration',
  promise: 'never negative; what is printed parses back; a reason repeats nothing',
  seeds: ['1m30s', '500ms', '0', '1.5h', '+2d', '250us', '100ns', '.5s'].map((text) => Buffer.from(text)),
  words: [
    'ns',
    'us',
    'µs',
    'μs',
    'ms',
    's',
    'm',
    'h',
    'd',
    '-',
    '+',
    '.',
    '0',
    '1e9',
    '9'.repeat(40),
    'Infinity',
    'NaN',
    ' ',
    '０',
  ],
  inputMax_bytes: 200,
  check: (input) =>
    checkValue(input, parseDuration, formatDuration, (ms) => ms >= 0 && Number.isFinite(ms), sameDuration),
};

/** Below a nanosecond nothing is printed. */
function sameDuration(before_ms: number, after_ms: number): boolean {
  return Math.abs(before_ms - after_ms) <= Math.max(1e-6, before_ms * Number.EPSILON);
}
