// FortiGate's lines: nothing but key=value behind the priority, date and time first. Source: FortiOS Log Message Reference, "Log
// field format". Invariant: the whole line stays the text, as its keys are its content; time and device are read from it.

import type { SyslogMessage } from './message.ts';
import { civilDay, clockSecond, four, type TimeContext, two } from './timestamp.ts';

const SPACE = 0x20;
const QUOTE = 0x22;
const DASH = 0x2d;
const PLUS = 0x2b;
const date = Buffer.from('date=');
const time = Buffer.from(' time=');
const deviceName = Buffer.from(' devname=');
const zoneKey = Buffer.from(' tz=');
/** Both keys come early; beyond this nobody looks for them. */
const HEAD_BYTES = 512;

/** date=2024-05-01 time=12:00:00 devname="FG" … tz="+0200" …; false where the line begins with something else. */
export function readFortiGate(
  bytes: Buffer,
  start: number,
  stop: number,
  context: TimeContext,
  message: SyslogMessage,
): boolean {
  const clockAt = start + date.length + 10;
  if (!isAt(bytes, start, stop, date) || !isAt(bytes, clockAt, stop, time)) return false;
  const dateAt = start + date.length;
  const day =
    bytes[dateAt + 4] === DASH && bytes[dateAt + 7] === DASH
      ? civilDay(four(bytes, dateAt), two(bytes, dateAt + 5), two(bytes, dateAt + 8))
      : -1;
  const clock = clockSecond(bytes, clockAt + time.length, stop);
  if (day < 0 || clock < 0) return false;
  const head = bytes.subarray(start, Math.min(stop, start + HEAD_BYTES));
  const local_s = day * 86_400 + clock;
  const offset_s = zoneOffset(head);
  message.second = Math.max(0, offset_s === undefined ? context.zone.utcSecond(local_s) : local_s - offset_s);
  message.nanosecond = 0;
  readDevice(bytes, start, head, message);
  message.setText(bytes, start, stop);
  return true;
}

function readDevice(bytes: Buffer, start: number, head: Buffer, message: SyslogMessage): void {
  const found = head.indexOf(deviceName);
  if (found < 0) return;
  const at = start + found + deviceName.length;
  const stop = start + head.length;
  const quoted = bytes[at] === QUOTE;
  const from = quoted ? at + 1 : at;
  let end = from;
  while (end < stop && bytes[end] !== (quoted ? QUOTE : SPACE)) end += 1;
  if (end === from || end === stop) return;
  message.hostStart = from;
  message.hostStop = end;
}

/** Seconds east of UTC of tz="+0200"; undefined where the line does not say. */
function zoneOffset(head: Buffer): number | undefined {
  const found = head.indexOf(zoneKey);
  if (found < 0) return undefined;
  let at = found + zoneKey.length;
  if (head[at] === QUOTE) at += 1;
  const sign = head[at];
  if ((sign !== PLUS && sign !== DASH) || at + 5 > head.length) return undefined;
  const hours = two(head, at + 1);
  const minutes = two(head, at + 3);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return undefined;
  return (sign === PLUS ? 1 : -1) * (hours * 3600 + minutes * 60);
}

function isAt(bytes: Buffer, at: number, stop: number, word: Buffer): boolean {
  if (at + word.length > stop) return false;
  for (let index = 0; index < word.length; index += 1) if (bytes[at + index] !== word[index]) return false;
  return true;
}
