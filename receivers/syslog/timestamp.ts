// The times of syslog: RFC 3339 with its relatives, and RFC 3164 with what devices make of it.
// Invariant: a reader returns where the time ended and has set the message's, or returns -1 and has set nothing.

import type { SyslogMessage } from './message.ts';
import type { Zone } from './zone.ts';

/** What times that are incomplete are completed with. */
export interface TimeContext {
  readonly zone: Zone;
  /** Seconds since 1970 at which the message came. */
  readonly now_s: number;
}

const DAY_S = 86_400;
/** On average. */
const YEAR_S = 31_556_952;
/** A time without year lies at most this far ahead: clocks of devices are wrong, but what is older came late. */
const AHEAD_MAX_S = 31 * DAY_S;
/** Between two leap years lie eight at most, around 1900 and 2100. */
const YEARS_BACK_MAX = 8;
const YEAR_MIN = 1970;
/** Beyond it nanoseconds do not fit the signed 64 bits that most backends have for them. */
const YEAR_MAX = 2261;

const SPACE = 0x20;
const COLON = 0x3a;
const DASH = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const COMMA = 0x2c;

/** 2003-10-11T22:14:15.003Z; a space for the T, a comma for the point, +0200 and no zone at all are taken too. */
export function readIsoTime(
  bytes: Buffer,
  start: number,
  stop: number,
  context: TimeContext,
  message: SyslogMessage,
): number {
  if (stop - start < 19) return -1;
  const between = bytes[start + 10]! | 0x20;
  if (bytes[start + 4] !== DASH || bytes[start + 7] !== DASH || (between !== 0x74 && between !== SPACE))
    return -1;
  const day = civilDay(four(bytes, start), two(bytes, start + 5), two(bytes, start + 8));
  const clock = clockSecond(bytes, start + 11, stop);
  if (day < 0 || clock < 0) return -1;
  const local_s = day * DAY_S + clock;
  let at = start + 19;
  const afterFraction = fractionEnd(bytes, at, stop);
  const nanosecond = fraction(bytes, at, afterFraction);
  at = afterFraction;
  const sign = at < stop ? bytes[at]! : 0;
  let second: number;
  if ((sign | 0x20) === 0x7a) {
    second = local_s;
    at += 1;
  } else if (sign === PLUS || sign === DASH) {
    const width = bytes[at + 3] === COLON ? 6 : 5;
    if (at + width > stop) return -1;
    const hours = two(bytes, at + 1);
    const minutes = two(bytes, at + width - 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return -1;
    const offset_s = hours * 3600 + minutes * 60;
    second = local_s + (sign === PLUS ? -offset_s : offset_s);
    at += width;
  } else {
    second = context.zone.utcSecond(local_s);
  }
  if (second < 0) return -1;
  message.second = second;
  message.nanosecond = nanosecond;
  return at;
}

/**
 * Oct 11 22:14:15, with a year before, within or behind, a fraction, and UTC or GMT or, before a colon, any abbreviation,
 * which says nothing: CST is three zones. A year that is missing is the last that does not lie ahead.
 */
export function readBsdTime(
  bytes: Buffer,
  start: number,
  stop: number,
  context: TimeContext,
  message: SyslogMessage,
): number {
  let year = yearAt(bytes, start, stop);
  let at = year > 0 ? start + 5 : start;
  const month = stop - at < 14 ? 0 : monthAt(bytes, at);
  if (month === 0 || bytes[at + 3] !== SPACE) return -1;
  at += bytes[at + 4] === SPACE ? 5 : 4;
  let day = digit(bytes[at]!);
  if (day < 0) return -1;
  at += 1;
  const ones = digit(bytes[at]!);
  if (ones >= 0) {
    day = day * 10 + ones;
    at += 1;
  }
  if (bytes[at] !== SPACE) return -1;
  at += 1;
  if (year === 0) {
    year = yearAt(bytes, at, stop);
    if (year > 0) at += 5;
  }
  const clock = clockSecond(bytes, at, stop);
  if (clock < 0) return -1;
  at += 8;
  const afterFraction = fractionEnd(bytes, at, stop);
  const nanosecond = fraction(bytes, at, afterFraction);
  at = afterFraction;
  if (year === 0 && at < stop && bytes[at] === SPACE) {
    year = yearAt(bytes, at + 1, stop);
    if (year > 0) at += 5;
  }
  const afterName = zoneNameEnd(bytes, at, stop);
  const isUtc = saysUtc(bytes, at + 1, afterName);
  at = afterName;
  const second =
    year > 0
      ? secondOf(civilDay(year, month, day), clock, isUtc, context.zone)
      : latestSecond(month, day, clock, isUtc, context);
  if (second < 0) return -1;
  message.second = second;
  message.nanosecond = nanosecond;
  return at;
}

/** Days since 1970 of a date in the proleptic Gregorian calendar; -1 where there is no such day. */
export function civilDay(year: number, month: number, day: number): number {
  if (year < YEAR_MIN || year > YEAR_MAX || month < 1 || month > 12) return -1;
  if (day < 1 || day > daysIn(year, month)) return -1;
  // Years that begin in March have the leap day at their end.
  const shifted = month > 2 ? year : year - 1;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** Second of the day of hh:mm:ss, a leap second included; -1 where it is none. */
export function clockSecond(bytes: Buffer, at: number, stop: number): number {
  if (at + 8 > stop || bytes[at + 2] !== COLON || bytes[at + 5] !== COLON) return -1;
  const hour = two(bytes, at);
  const minute = two(bytes, at + 3);
  const second = two(bytes, at + 6);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return -1;
  return hour * 3600 + minute * 60 + second;
}

/** Value of two digits; -1 where they are none. */
export function two(bytes: Buffer, at: number): number {
  const tens = digit(bytes[at]!);
  const ones = digit(bytes[at + 1]!);
  return tens < 0 || ones < 0 ? -1 : tens * 10 + ones;
}

/** Value of four digits; negative where they are none. */
export function four(bytes: Buffer, at: number): number {
  const high = two(bytes, at);
  const low = two(bytes, at + 2);
  return high < 0 || low < 0 ? -1 : high * 100 + low;
}

function digit(byte: number): number {
  return byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : -1;
}

function daysIn(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}

function fractionEnd(bytes: Buffer, start: number, stop: number): number {
  if (start + 1 >= stop || (bytes[start] !== POINT && bytes[start] !== COMMA)) return start;
  let at = start + 1;
  while (at < stop && digit(bytes[at]!) >= 0) at += 1;
  return at === start + 1 ? start : at;
}

/** Nanoseconds of what stands behind the point, digits beyond the ninth left out. */
function fraction(bytes: Buffer, start: number, stop: number): number {
  let value = 0;
  let unit = 100_000_000;
  for (let at = start + 1; at < stop && unit >= 1; at += 1) {
    value += digit(bytes[at]!) * unit;
    unit /= 10;
  }
  return value;
}

/** A year that stands alone; 0 where there is none. */
function yearAt(bytes: Buffer, at: number, stop: number): number {
  if (at + 4 >= stop || (bytes[at + 4] !== SPACE && bytes[at + 4] !== COLON)) return 0;
  const year = four(bytes, at);
  return year >= YEAR_MIN && year <= YEAR_MAX ? year : 0;
}

/** Behind " UTC" or, where a colon follows, " CEST"; else `start`. */
function zoneNameEnd(bytes: Buffer, start: number, stop: number): number {
  if (start >= stop || bytes[start] !== SPACE) return start;
  let at = start + 1;
  while (at < stop && at < start + 6 && bytes[at]! >= 0x41 && bytes[at]! <= 0x5a) at += 1;
  if (at < start + 4) return start;
  const follows = at < stop ? bytes[at] : SPACE;
  if (follows === COLON || (follows === SPACE && saysUtc(bytes, start + 1, at))) return at;
  return start;
}

function saysUtc(bytes: Buffer, start: number, stop: number): boolean {
  if (stop - start !== 3) return false;
  const name = (bytes[start]! << 16) | (bytes[start + 1]! << 8) | bytes[start + 2]!;
  return name === 0x555443 || name === 0x474d54;
}

function secondOf(day: number, clock: number, isUtc: boolean, zone: Zone): number {
  if (day < 0) return -1;
  const local_s = day * DAY_S + clock;
  return isUtc ? local_s : zone.utcSecond(local_s);
}

function latestSecond(
  month: number,
  day: number,
  clock: number,
  isUtc: boolean,
  { zone, now_s }: TimeContext,
): number {
  const last_s = now_s + AHEAD_MAX_S;
  // A guess that is never too early, as no zone is a day away.
  const first = YEAR_MIN + Math.floor(last_s / YEAR_S) + 1;
  for (let year = first; year > first - YEARS_BACK_MAX - 2; year -= 1) {
    const days = civilDay(year, month, day);
    // The zone is asked only about times that may be it: its answer for the next year would push out the one that it keeps.
    if (days < 0 || days * DAY_S + clock > last_s + DAY_S) continue;
    const second = secondOf(days, clock, isUtc, zone);
    if (second <= last_s) return second;
  }
  return -1;
}

/** 1 to 12; 0 where no English month begins. */
function monthAt(bytes: Buffer, at: number): number {
  switch ((bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!) {
    case 0x4a616e:
      return 1;
    case 0x466562:
      return 2;
    case 0x4d6172:
      return 3;
    case 0x417072:
      return 4;
    case 0x4d6179:
      return 5;
    case 0x4a756e:
      return 6;
    case 0x4a756c:
      return 7;
    case 0x417567:
      return 8;
    case 0x536570:
      return 9;
    case 0x4f6374:
      return 10;
    case 0x4e6f76:
      return 11;
    case 0x446563:
      return 12;
    default:
      return 0;
  }
}
