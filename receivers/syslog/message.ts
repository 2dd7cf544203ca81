// What was understood of one syslog message: bounds in the bytes that came, so that no string is made of them. One object is
// used for all messages of a door. Invariant: a field that is not there has `stop` 0, and bounds lie within the message.

export class SyslogMessage {
  /** 0 to 191: facility · 8 + severity (RFC 5424, 6.2.1); -1: the message has none. */
  priority = -1;
  /** Of the protocol, RFC 5424 only; 0: none. */
  version = 0;
  /** Seconds since 1970; -1: the message has no time. */
  second = -1;
  nanosecond = 0;
  hostStart = 0;
  hostStop = 0;
  appStart = 0;
  appStop = 0;
  procStart = 0;
  procStop = 0;
  idStart = 0;
  idStop = 0;
  /** Of the structured data with its brackets. */
  dataStart = 0;
  dataStop = 0;
  /** Of the text behind all headers, without a byte order mark. */
  textStart = 0;
  textStop = 0;
  /** Why the message could not be understood, or not all of it; empty where it was. */
  error = '';

  clear(): void {
    this.priority = -1;
    this.version = 0;
    this.second = -1;
    this.nanosecond = 0;
    this.hostStop = 0;
    this.appStop = 0;
    this.procStop = 0;
    this.idStop = 0;
    this.dataStop = 0;
    this.textStop = 0;
    this.error = '';
  }

  /** What is left is the text. */
  setText(bytes: Buffer, start: number, stop: number): void {
    this.textStart = afterByteOrderMark(bytes, start, stop);
    this.textStop = stop;
  }
}

/** RFC 5424, 6.4: the mark says that what follows is UTF-8, and is no part of it. */
export function afterByteOrderMark(bytes: Buffer, start: number, stop: number): number {
  const marked =
    stop - start >= 3 && bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf;
  return marked ? start + 3 : start;
}
