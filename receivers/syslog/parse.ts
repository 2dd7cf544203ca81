// One message as it came → what was understood of it: the priority, then RFC 5424 or RFC 3164, found out per message or as
// configured. Invariant: it never throws and makes neither string nor object; what it cannot read is the message's text.

import { afterByteOrderMark, type SyslogMessage } from './message.ts';
import { readRfc3164 } from './rfc3164.ts';
import { looksLikeRfc5424, readRfc5424 } from './rfc5424.ts';
import { StructuredData } from './structured_data.ts';
import type { TimeContext } from './timestamp.ts';

export type SyslogProtocol = 'auto' | 'rfc5424' | 'rfc3164';

const PRIORITY_MAX = 191;
const LESS = 0x3c;
const GREATER = 0x3e;
const SPACE = 0x20;

export class SyslogParser {
  readonly #protocol: SyslogProtocol;
  /** Of the message that was parsed last. */
  readonly data = new StructuredData();

  constructor(protocol: SyslogProtocol) {
    this.#protocol = protocol;
  }

  /** The message in [start, stop), which has no trailer and no byte order mark in front, into `message`. */
  parse(bytes: Buffer, start: number, stop: number, context: TimeContext, message: SyslogMessage): void {
    message.clear();
    const at = readPriority(bytes, start, stop, message);
    const isNew =
      this.#protocol === 'auto' ? looksLikeRfc5424(bytes, at, stop) : this.#protocol === 'rfc5424';
    if (isNew) readRfc5424(bytes, at, stop, context, this.data, message);
    else readRfc3164(bytes, at, stop, context, message);
    if (isNew && message.priority < 0 && message.error === '') message.error = 'RFC 5424: no priority';
  }
}

/** Behind `<34>`, and behind a byte order mark or spaces that some senders put there; `start` where there is none. */
function readPriority(bytes: Buffer, start: number, stop: number, message: SyslogMessage): number {
  if (start >= stop || bytes[start] !== LESS) return start;
  let value = 0;
  let at = start + 1;
  while (at < stop && at < start + 4 && bytes[at]! >= 0x30 && bytes[at]! <= 0x39) {
    value = value * 10 + bytes[at]! - 0x30;
    at += 1;
  }
  if (at === start + 1 || at >= stop || bytes[at] !== GREATER || value > PRIORITY_MAX) return start;
  message.priority = value;
  at = afterByteOrderMark(bytes, at + 1, stop);
  while (at < stop && bytes[at] === SPACE) at += 1;
  return at;
}
