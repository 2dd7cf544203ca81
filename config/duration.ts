// Durations as Go and the Collector write them (`1m30s`, `500ms`, `0`), to and from milliseconds. What is printed
// parses back to the same number. `d` (24 h) is ours: retention is thought of in days.

import { type Parsed, parsed, unparsed } from './parsed.ts';

/** Milliseconds per unit, or units per millisecond: dividing by a whole number rounds once, multiplying by 1e-3 twice. */
const units: ReadonlyMap<string, { readonly times: number } | { readonly divided: number }> = new Map([
  ['ns', { divided: 1e6 }],
  ['us', { divided: 1e3 }],
  ['µs', { divided: 1e3 }], // U+00B5, micro sign
  ['μs', { divided: 1e3 }], // U+03BC, Greek mu: Go takes both
  ['ms', { times: 1 }],
  ['s', { times: 1000 }],
  ['m', { times: 60_000 }],
  ['h', { times: 3_600_000 }],
  ['d', { times: 86_400_000 }],
]);

/** Go holds a duration in 63 bits of nanoseconds; what is longer is a mistake, not a wish. */
const maxMilliseconds = 2 ** 63 / 1e6;
/** Longer text is no duration, and is not worth scanning. */
const maxTextLength = 64;

const part = /(\d+(?:\.\d*)?|\.\d+)([a-zµμ]+)/gy;

/** `text` → milliseconds, with a fraction where it says so (`500us` is 0.5). Never negative. */
export function parseDuration(text: string): Parsed<number> {
  const trimmed = text.trim();
  if (trimmed === '0' || trimmed === '+0' || trimmed === '-0') return parsed(0);
  if (trimmed === '' || trimmed.length > maxTextLength) return unparsed('not a duration');
  if (trimmed.startsWith('-')) return unparsed('a duration cannot be negative');
  if (/^\d+(\.\d+)?$/.test(trimmed)) return unparsed('the unit is missing');
  part.lastIndex = trimmed.startsWith('+') ? 1 : 0;
  if (part.lastIndex === trimmed.length) return unparsed('not a duration');
  let milliseconds = 0;
  while (part.lastIndex < trimmed.length) {
    const match = part.exec(trimmed);
    if (match === null) return unparsed('not a duration');
    const unit = units.get(match[2]!);
    if (unit === undefined) return unparsed('unknown unit; the units are ns, us, ms, s, m, h and d');
    const count = Number(match[1]);
    milliseconds += 'times' in unit ? count * unit.times : count / unit.divided;
  }
  return milliseconds < maxMilliseconds ? parsed(milliseconds) : unparsed('longer than 292 years');
}

const written: readonly (readonly [unit: string, milliseconds: number])[] = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
];

/** Milliseconds → the shortest text that parses back to them: 90000 → `1m30s`, 0.5 → `500us`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds === 0) return '0s';
  if (!Number.isInteger(milliseconds)) return formatFraction(milliseconds);
  let rest = milliseconds;
  let text = '';
  for (const [unit, size] of written) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text;
}

function formatFraction(milliseconds: number): string {
  const microseconds = Math.round(milliseconds * 1e3);
  if (microseconds / 1e3 === milliseconds) return `${microseconds}us`;
  return `${Math.round(milliseconds * 1e6)}ns`;
}
