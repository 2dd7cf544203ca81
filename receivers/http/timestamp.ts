// When a record happened, from the texts and numbers that programs write. Invariant: exact to the nanosecond where the text
// is; what cannot be read is no time at all, never a guess.

import type { RouteConfig } from './config.ts';

type TimeFormat = NonNullable<RouteConfig['timestamp']>['format'];

export interface Time {
  /** Since 1970, whole, not negative. */
  readonly second: number;
  readonly nanosecond: number;
}

const NANO_DIGITS = 9;
const YEAR_DIGITS = 4;
const HYPHEN = 0x2d;
const ZERO = 0x30;
/** `2026-11-21T07:44:50` */
const DATE_TIME_CHARACTERS = 19;
/** Digits of a second that the last digit of each unit is. */
const unitDigits = { unix_s: 0, unix_ms: 3, unix_us: 6, unix_ns: 9 } as const;
/** Whole digits up to which `auto` takes a number for seconds, then milliseconds, then microseconds: seconds until 5138. */
const autoDigits = [
  [11, 'unix_s'],
  [14, 'unix_ms'],
  [17, 'unix_us'],
] as const;
/** 2^64 nanoseconds end in the year 2554. */
const SECOND_MAX = 18_446_744_072;

/** @param text of a string or a number. */
export function timeOf(text: string, format: TimeFormat): Time | undefined {
  if (format === 'rfc3339') return rfc3339(text);
  if (format === 'auto' && text.charCodeAt(YEAR_DIGITS) === HYPHEN) return rfc3339(text);
  const number = /^(\d{1,20})(?:\.(\d+))?$/.exec(text);
  if (!number) return undefined;
  const [, whole = '', fraction = ''] = number;
  const unit =
    format === 'auto' ? (autoDigits.find(([digits]) => whole.length <= digits)?.[1] ?? 'unix_ns') : format;
  const digits = unitDigits[unit];
  // The point moves to where seconds begin; beyond nanoseconds nothing can be kept.
  const padded = whole.padStart(digits + 1, '0');
  const split = padded.length - digits;
  const nanoseconds = `${padded.slice(split)}${fraction}`.padEnd(NANO_DIGITS, '0').slice(0, NANO_DIGITS);
  return within(Number(padded.slice(0, split)), Number(nanoseconds));
}

/** RFC 3339, 5.6, and what is written beside it: a space for the T, a comma for the point, no zone (UTC), `+0100`. */
function rfc3339(text: string): Time | undefined {
  // By hand: one expression for all of it costs as much as the rest of a record.
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 2);
  const day = digits(text, 8, 2);
  const hour = digits(text, 11, 2);
  const minute = digits(text, 14, 2);
  const second = digits(text, 17, 2);
  if (text[4] !== '-' || text[7] !== '-' || text[13] !== ':' || text[16] !== ':') return undefined;
  if (text[10] !== 'T' && text[10] !== 't' && text[10] !== ' ') return undefined;
  if (year < 0 || month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) return undefined;
  // A leap second is the first of the next minute, as everywhere.
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return undefined;
  let at = DATE_TIME_CHARACTERS;
  let nanosecond = 0;
  if (text[at] === '.' || text[at] === ',') {
    const start = ++at;
    while (digits(text, at, 1) >= 0) at++;
    if (at === start) return undefined;
    const kept = Math.min(at - start, NANO_DIGITS);
    nanosecond = digits(text, start, kept) * 10 ** (NANO_DIGITS - kept);
  }
  const zone_s = zoneOf(text, at);
  if (zone_s === undefined) return undefined;
  return within(Date.UTC(year, month - 1, day, hour, minute, second) / 1000 - zone_s, nanosecond);
}

/** What follows the time: nothing or Z for UTC, or `+01:00`. @returns seconds east of UTC */
function zoneOf(text: string, at: number): number | undefined {
  const rest = text.length - at;
  if (rest === 0 || (rest === 1 && (text[at] === 'Z' || text[at] === 'z'))) return 0;
  const sign = text[at] === '+' ? 1 : -1;
  if (sign < 0 && text[at] !== '-') return undefined;
  const colon = text[at + 3] === ':' ? 1 : 0;
  const hours = digits(text, at + 1, 2);
  const minutes = digits(text, at + 3 + colon, 2);
  if (rest !== 5 + colon || hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return undefined;
  return sign * (hours * 60 + minutes) * 60;
}

/** The number of so many digits; −1 where there is anything else. */
function digits(text: string, start: number, count: number): number {
  let value = 0;
  for (let at = start; at < start + count; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function daysOf(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function within(second: number, nanosecond: number): Time | undefined {
  return second >= 0 && second <= SECOND_MAX ? { second, nanosecond } : undefined;
}
