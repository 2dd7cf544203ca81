// Durations as Go and the Collector write them (`1m30s`, `500ms`, `0`), to and from milliseconds. What is printed
// parses back to the same number. `d` (24 h) is ours: retention is thought of in days.

import { type Parsed, parsed, unparsed } from './parsed.ts';

const nanosecondsPer: ReadonlyMap<string, number> = new Map([
  ['ns', 1],
  ['us', 1e3],
  ['µs', 1e3], // U+00B5, micro sign
  ['μs', 1e3], // U+03BC, Greek mu: Go takes both
  ['ms', 1e6],
  ['s', 1e9],
  ['m', 60e9],
  ['h', 3600e9],
  ['d', 86_400e9],
]);

const nanosecondsPerMillisecond = 1e6;
/** Go holds a duration in 63 bits of nanoseconds; what is longer is a mistake, not a wish. */
const maxNanoseconds = 2 ** 63;
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
  let nanoseconds = 0;
  while (part.lastIndex < trimmed.length) {
    const match = part.exec(trimmed);
    if (match === null) return unparsed('not a duration');
    const unit = nanosecondsPer.get(match[2]!);
    if (unit === undefined) return unparsed('unknown unit; the units are ns, us, ms, s, m, h and d');
    nanoseconds += Number(match[1]) * unit;
  }
  if (part.lastIndex === 0 || nanoseconds === 0) {
    return nanoseconds === 0 && part.lastIndex !== 0 ? parsed(0) : unparsed('not a duration');
  }
  if (nanoseconds >= maxNanoseconds) return unparsed('longer than 292 years');
  return parsed(nanoseconds / nanosecondsPerMillisecond);
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
  const microseconds = milliseconds * 1000;
  if (Number.isInteger(microseconds)) return `${microseconds}us`;
  return `${Math.round(milliseconds * nanosecondsPerMillisecond)}ns`;
}
