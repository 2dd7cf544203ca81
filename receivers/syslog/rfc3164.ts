// RFC 3164 as it is in the field: what follows the priority of messages that are not RFC 5424. The RFC describes what was seen,
// so everything is optional here: sequence numbers, markers, years, host, tag. Invariant: every byte is in a field or the text,
// but for what only separates, sequence numbers, and the clock's markers; all of it is in the body.

import { readFortiGate } from './fortigate.ts';
import type { SyslogMessage } from './message.ts';
import { readBsdTime, readIsoTime, type TimeContext } from './timestamp.ts';

const SPACE = 0x20;
const PERCENT = 0x25;
const STAR = 0x2a;
const POINT = 0x2e;
const COLON = 0x3a;
const OPENING = 0x5b;
const CLOSING = 0x5d;

/** Longer ones are no sequence numbers. */
const SEQUENCE_DIGITS_MAX = 10;
/** Cisco sends its own counter and, if told to, that of the service. */
const SEQUENCES_MAX = 2;
/** RFC 3164, 4.1.3, says 32; names of units and paths are longer. */
const TAG_BYTES_MAX = 128;
const HOST_BYTES_MAX = 255;

/** Sets time, host, application, process and text of `message`; says so in `error` where there was nothing to go by. */
export function readRfc3164(
  bytes: Buffer,
  start: number,
  stop: number,
  context: TimeContext,
  message: SyslogMessage,
): void {
  let at = afterSequences(bytes, start, stop);
  if (readFortiGate(bytes, at, stop, context, message)) return;
  let afterTime = readTime(bytes, at, stop, context, message);
  if (afterTime < 0) {
    // Cisco's origin-id stands before the time, with a colon behind it.
    const end = hostEnd(bytes, at, stop);
    if (end > at && bytes[end - 1] === COLON && bytes[end] === SPACE) {
      afterTime = readTime(bytes, afterSequences(bytes, end + 1, stop), stop, context, message);
      if (afterTime >= 0) {
        message.hostStart = at;
        message.hostStop = end - 1;
      }
    }
  }
  if (afterTime < 0) {
    at = afterUptime(bytes, at, stop);
    if (message.priority < 0) message.error = 'RFC 3164: neither priority nor timestamp';
    else if (at >= stop) message.error = 'RFC 3164: nothing behind the priority';
    readTag(bytes, at, stop, message);
    return;
  }
  at = afterTime;
  if (at < stop && bytes[at] === COLON) at += 1;
  else if (message.hostStop === 0) at = readHost(bytes, afterSpaces(bytes, at, stop), stop, message);
  readTag(bytes, afterSpaces(bytes, at, stop), stop, message);
}

/** With the markers of a clock that is not set (`*`) or not in step (`.`). */
function readTime(
  bytes: Buffer,
  start: number,
  stop: number,
  context: TimeContext,
  message: SyslogMessage,
): number {
  const at = start < stop && (bytes[start] === STAR || bytes[start] === POINT) ? start + 1 : start;
  const end = readBsdTime(bytes, at, stop, context, message);
  const found = end < 0 ? readIsoTime(bytes, at, stop, context, message) : end;
  if (found < 0) return -1;
  if (found === stop || bytes[found] === SPACE || bytes[found] === COLON) return found;
  message.second = -1;
  return -1;
}

/** A token is the host unless it is a tag: one that ends with a colon, names a process, or is a Cisco mnemonic. */
function readHost(bytes: Buffer, start: number, stop: number, message: SyslogMessage): number {
  const end = hostEnd(bytes, start, stop);
  if (end === start || end >= stop || bytes[end] !== SPACE) return start;
  if (bytes[end - 1] === COLON || bytes[start] === PERCENT) return start;
  message.hostStart = start;
  message.hostStop = end;
  // ASA writes "host : %ASA-6-302013: …".
  return bytes[end + 1] === COLON && bytes[end + 2] === SPACE ? end + 2 : end;
}

/** `tag:`, `tag[process]:` or `tag[process]`, then the text; all is text where there is none of them. */
function readTag(bytes: Buffer, start: number, stop: number, message: SyslogMessage): void {
  let at = start;
  const last = Math.min(stop, start + TAG_BYTES_MAX);
  while (at < last && isTagByte(bytes[at]!)) at += 1;
  let text = start;
  if (at > start && at < stop) {
    if (bytes[at] === COLON && (at + 1 === stop || bytes[at + 1] === SPACE)) text = at + 1;
    else if (bytes[at] === OPENING) text = readProcess(bytes, at + 1, stop, message);
    if (text > start) {
      message.appStart = start;
      message.appStop = at;
    } else text = start;
  }
  text = text === start ? start : skipOne(bytes, text, stop);
  if (text < stop) message.setText(bytes, text, stop);
}

/** @returns behind `]:` or `]`; -1 where there is no process */
function readProcess(bytes: Buffer, start: number, stop: number, message: SyslogMessage): number {
  const last = Math.min(stop, start + TAG_BYTES_MAX);
  let at = start;
  while (at < last && bytes[at]! > SPACE && bytes[at] !== CLOSING) at += 1;
  if (at === start || at >= last || bytes[at] !== CLOSING) return -1;
  const behind = at + 1 < stop ? bytes[at + 1] : SPACE;
  if (behind !== COLON && behind !== SPACE) return -1;
  message.procStart = start;
  message.procStop = at;
  return behind === COLON ? at + 2 : at + 1;
}

/** Behind ": " and any "123: " that Cisco puts before the time. */
function afterSequences(bytes: Buffer, start: number, stop: number): number {
  let at = start < stop && bytes[start] === COLON ? afterSpaces(bytes, start + 1, stop) : start;
  for (let sequence = 0; sequence < SEQUENCES_MAX; sequence += 1) {
    let end = at;
    while (end < stop && end < at + SEQUENCE_DIGITS_MAX && isDigit(bytes[end]!)) end += 1;
    if (end === at || end + 1 >= stop || bytes[end] !== COLON || bytes[end + 1] !== SPACE) return at;
    at = afterSpaces(bytes, end + 1, stop);
  }
  return at;
}

/** Cisco without a clock says how long it is up: "00:00:46: %LINK-3-UPDOWN", "1w2d: %SYS-5-CONFIG_I". */
function afterUptime(bytes: Buffer, start: number, stop: number): number {
  let at = start;
  while (at < stop && isUptimeByte(bytes[at]!)) at += 1;
  const isUptime =
    at > start + 1 &&
    isDigit(bytes[start]!) &&
    bytes[at - 1] === COLON &&
    bytes[at] === SPACE &&
    bytes[at + 1] === PERCENT;
  return isUptime && at + 1 < stop ? at + 1 : start;
}

function hostEnd(bytes: Buffer, start: number, stop: number): number {
  const last = Math.min(stop, start + HOST_BYTES_MAX + 1);
  let at = start;
  while (at < last && isHostByte(bytes[at]!)) at += 1;
  return at;
}

function afterSpaces(bytes: Buffer, start: number, stop: number): number {
  let at = start;
  while (at < stop && bytes[at] === SPACE) at += 1;
  return at;
}

function skipOne(bytes: Buffer, at: number, stop: number): number {
  return at < stop && bytes[at] === SPACE ? at + 1 : at;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function isLetter(byte: number): boolean {
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}

/** Names, IPv4 and IPv6 addresses, and what is made of them: . _ - : % */
function isHostByte(byte: number): boolean {
  if (isLetter(byte) || isDigit(byte) || byte === COLON || byte >= 0x80) return true;
  return byte === POINT || byte === 0x5f || byte === 0x2d || byte === PERCENT;
}

/** Whatever can be seen but what ends a tag, and quotes, which begin texts. */
function isTagByte(byte: number): boolean {
  return (
    byte > SPACE && byte !== COLON && byte !== OPENING && byte !== 0x22 && byte !== 0x27 && byte !== 0x7f
  );
}

/** Digits, colons, and the letters of weeks, days, hours, minutes and years. */
function isUptimeByte(byte: number): boolean {
  if (isDigit(byte) || byte === COLON) return true;
  return byte === 0x77 || byte === 0x64 || byte === 0x68 || byte === 0x6d || byte === 0x79;
}
