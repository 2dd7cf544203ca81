// Sizes (`64MiB`, `10MB`, `1Gi`, 4096), to and from bytes. Binary units say so with an `i`: `MB` is a million bytes.

import { type Parsed, parsed, unparsed } from './parsed.ts';

const bytesPer: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['B', 1],
  ['k', 1e3],
  ['K', 1e3],
  ['kB', 1e3],
  ['KB', 1e3],
  ['M', 1e6],
  ['MB', 1e6],
  ['G', 1e9],
  ['GB', 1e9],
  ['T', 1e12],
  ['TB', 1e12],
  ['Ki', 2 ** 10],
  ['KiB', 2 ** 10],
  ['Mi', 2 ** 20],
  ['MiB', 2 ** 20],
  ['Gi', 2 ** 30],
  ['GiB', 2 ** 30],
  ['Ti', 2 ** 40],
  ['TiB', 2 ** 40],
]);

/** Longer text is no size, and is not worth scanning. */
const maxTextLength = 64;

/** A number is bytes; text may carry a unit. The result is a whole number of bytes. */
export function parseSize(input: string | number): Parsed<number> {
  const text = String(input).trim();
  if (text === '' || text.length > maxTextLength) return unparsed('not a size');
  if (text.startsWith('-')) return unparsed('a size cannot be negative');
  const match = /^(\d+(?:\.\d+)?) ?([A-Za-z]*)$/.exec(text);
  if (match === null) return unparsed('not a size');
  const unit = bytesPer.get(match[2]!);
  if (unit === undefined) {
    return unparsed('unknown unit; the units are B, kB, MB, GB, TB (1000) and KiB, MiB, GiB, TiB (1024)');
  }
  const bytes = Number(match[1]) * unit;
  if (unit === 1 && !Number.isInteger(bytes)) return unparsed('bytes come whole');
  const whole = Math.round(bytes);
  if (!Number.isSafeInteger(whole)) return unparsed('larger than can be counted exactly');
  return parsed(whole);
}

const written: readonly (readonly [unit: string, bytes: number])[] = [
  ['TiB', 2 ** 40],
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
  ['TB', 1e12],
  ['GB', 1e9],
  ['MB', 1e6],
  ['kB', 1e3],
];

/** Bytes → the largest unit in which they are a whole number; parses back to the same bytes. */
export function formatSize(bytes: number): string {
  if (bytes === 0) return '0B';
  let shortest = `${bytes}B`;
  for (const [unit, size] of written) {
    if (bytes % size !== 0) continue;
    const text = `${bytes / size}${unit}`;
    if (text.length < shortest.length) shortest = text;
  }
  return shortest;
}
