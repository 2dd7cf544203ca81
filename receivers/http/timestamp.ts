// When a record happened, from the texts and numbers that programs write. Invariant: exact to the nanosecond where the text
// is; what cannot be read is no time at all, never a guess.

import type { RouteConfig } from './config.ts';

export type TimeFormat = NonNullable<RouteConfig['timestamp']>['format'];

export interface Time {
  /** Since 1970, whole, not negative. */
  readonly second: number;
  readonly nanosecond: number;
}

const NANO_DIGITS = 9;
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
  const number = /^(\d{1,20})(?:\.(\d+))?$/.exec(text);
  if (!number) return format === 'auto' ? rfc3339(text) : undefined;
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
  const found =
    /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:[Zz]|([+-])(\d\d):?(\d\d))?$/.exec(text);
  if (!found) return undefined;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const [, , , , , , , fraction = '', sign, zoneHours = '0', zoneMinutes = '0'] = found;
  // A leap second is the first of the next minute, as everywhere.
  if (month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 60 || Number(zoneHours) > 23 || Number(zoneMinutes) > 59)
    return undefined;
  const zone_s = (Number(zoneHours) * 60 + Number(zoneMinutes)) * 60 * (sign === '-' ? -1 : 1);
  const seconds = Date.UTC(year, month - 1, day, hour, minute, second) / 1000 - zone_s;
  return within(seconds, Number(fraction.padEnd(NANO_DIGITS, '0').slice(0, NANO_DIGITS)));
}

function daysOf(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

function within(second: number, nanosecond: number): Time | undefined {
  return second >= 0 && second <= SECOND_MAX ? { second, nanosecond } : undefined;
}
