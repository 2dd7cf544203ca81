// RFC 5424, section 6: what follows the priority, from the version on. Invariant: what was understood before something was
// wrong is kept, and the rest becomes the text, so nothing of a message is lost to its attributes.

import type { SyslogMessage } from './message.ts';
import type { StructuredData } from './structured_data.ts';
import { readIsoTime, type TimeContext } from './timestamp.ts';

const SPACE = 0x20;
const DASH = 0x2d;
const OPENING = 0x5b;

/** Whether `start` is at `1 -` or `1 2003`: a version, and then a time or none. */
export function looksLikeRfc5424(bytes: Buffer, start: number, stop: number): boolean {
  const space = versionEnd(bytes, start, stop);
  if (space < 0) return false;
  const next = space + 1 < stop ? bytes[space + 1]! : 0;
  return next === DASH
    ? space + 2 === stop || bytes[space + 2] === SPACE
    : isDigit(next) && bytes[space + 5] === DASH;
}

/** Sets everything of `message` but its priority. */
export function readRfc5424(
  bytes: Buffer,
  start: number,
  stop: number,
  context: TimeContext,
  data: StructuredData,
  message: SyslogMessage,
): void {
  message.textStart = start;
  const fault = readFields(bytes, start, stop, context, data, message);
  if (fault !== '') message.error = `RFC 5424: ${fault}`;
  if (message.textStart < stop) message.setText(bytes, message.textStart, stop);
}

/** Leaves in `textStart` where what it did not understand begins. @returns what was wrong; empty: nothing */
function readFields(
  bytes: Buffer,
  start: number,
  stop: number,
  context: TimeContext,
  data: StructuredData,
  message: SyslogMessage,
): string {
  const space = versionEnd(bytes, start, stop);
  if (space < 0) return 'no version';
  message.version = decimal(bytes, start, space);

  let at = space + 1;
  message.textStart = at;
  let end = tokenEnd(bytes, at, stop);
  if (!isNil(bytes, at, end) && readIsoTime(bytes, at, end, context, message) !== end) {
    message.second = -1;
    return 'no timestamp';
  }

  at = end + 1;
  message.textStart = at;
  end = tokenEnd(bytes, at, stop);
  if (end <= at) return 'no hostname';
  if (!isNil(bytes, at, end)) {
    message.hostStart = at;
    message.hostStop = end;
  }

  at = end + 1;
  message.textStart = at;
  end = tokenEnd(bytes, at, stop);
  if (end <= at) return 'no app-name';
  if (!isNil(bytes, at, end)) {
    message.appStart = at;
    message.appStop = end;
  }

  at = end + 1;
  message.textStart = at;
  end = tokenEnd(bytes, at, stop);
  if (end <= at) return 'no procid';
  if (!isNil(bytes, at, end)) {
    message.procStart = at;
    message.procStop = end;
  }

  at = end + 1;
  message.textStart = at;
  end = tokenEnd(bytes, at, stop);
  if (end <= at) return 'no msgid';
  if (!isNil(bytes, at, end)) {
    message.idStart = at;
    message.idStop = end;
  }

  return readData(bytes, end + 1, stop, data, message);
}

function readData(
  bytes: Buffer,
  start: number,
  stop: number,
  data: StructuredData,
  message: SyslogMessage,
): string {
  message.textStart = start;
  let end = tokenEnd(bytes, start, stop);
  if (start < stop && bytes[start] === OPENING) {
    end = data.read(bytes, start, stop);
    if (end < 0) return 'structured data that is none';
    message.dataStart = start;
    message.dataStop = end;
  } else if (!isNil(bytes, start, end)) return 'no structured data';
  message.textStart = end < stop && bytes[end] === SPACE ? end + 1 : end;
  return '';
}

/** Where the space behind one to three digits is, the first not 0; -1 where there is none. */
function versionEnd(bytes: Buffer, start: number, stop: number): number {
  let at = start;
  while (at < stop && at < start + 3 && isDigit(bytes[at]!)) at += 1;
  return at > start && bytes[start] !== 0x30 && at < stop && bytes[at] === SPACE ? at : -1;
}

function tokenEnd(bytes: Buffer, start: number, stop: number): number {
  let at = start;
  while (at < stop && bytes[at] !== SPACE) at += 1;
  return at;
}

function isNil(bytes: Buffer, start: number, end: number): boolean {
  return end === start + 1 && bytes[start] === DASH;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function decimal(bytes: Buffer, start: number, stop: number): number {
  let value = 0;
  for (let at = start; at < stop; at += 1) value = value * 10 + bytes[at]! - 0x30;
  return value;
}
