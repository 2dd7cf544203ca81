// Where messages begin and end in a stream: octet counting (RFC 6587, 3.4.1; RFC 5425) or a trailer, LF or NUL (3.4.2), found
// out per connection or as configured. Invariant: every byte of a stream is in a message, a count, a trailer, or beyond the limit
// of a message that is marked as cut; no more than one message of the limit is held.

import { isUtf8 } from 'node:buffer';

export type Framing = 'octets' | 'lf' | 'nul';

/** @param isText of what is known to be UTF-8 @param isCut the message was longer than the limit */
export type OnMessage = (bytes: Buffer, start: number, stop: number, isText: boolean, isCut: boolean) => void;

export interface FramerOptions {
  /** Undefined: found out by the first bytes. */
  readonly framing: Framing | undefined;
  /** False: a count in front is never looked for. */
  readonly mayCount: boolean;
  readonly max_bytes: number;
}

const LF = 0x0a;
const NUL = 0x00;
const CR = 0x0d;
const SPACE = 0x20;
const LESS = 0x3c;
/** First byte of a byte order mark, which some put before the priority. */
const MARK = 0xef;
/** Of a count: 99 MB are no message, so more digits are something else. */
const DIGITS_MAX = 8;
/** Memory for the beginning of a message that waits for its end; given back when nothing is held. */
const HELD_BYTES_MIN = 1024;

export class Framer {
  readonly #options: FramerOptions;
  readonly #onMessage: OnMessage;
  #framing: Framing | undefined;
  /** The beginning of a message that has not ended yet. */
  #held: Buffer = Buffer.alloc(0);
  #held_bytes = 0;
  /** So many bytes of it are known not to hold its end. */
  #searched = 0;
  /** The rest of a message that was cut: so many bytes by its count, or all until the trailer. */
  #skip_bytes = 0;
  #skipsLine = false;
  /** Of the bytes at hand; undefined until a message within asks. */
  #isText: boolean | undefined;

  constructor(options: FramerOptions, onMessage: OnMessage) {
    this.#options = options;
    this.#framing = options.framing;
    this.#onMessage = onMessage;
  }

  /** Undefined until it is known. */
  get framing(): Framing | undefined {
    return this.#framing;
  }

  /** Bytes of a message that has not ended. */
  get held_bytes(): number {
    return this.#held_bytes;
  }

  /** The next bytes of the stream; messages within are told before it returns. `chunk` may be used again then. */
  push(chunk: Buffer): void {
    let data = chunk;
    if (this.#held_bytes > 0) {
      this.#hold(chunk, 0, chunk.length);
      data = this.#held.subarray(0, this.#held_bytes);
    }
    this.#isText = undefined;
    const rest = this.#read(data);
    const isHeld = data !== chunk;
    if (isHeld) {
      this.#held.copyWithin(0, rest, this.#held_bytes);
      this.#held_bytes -= rest;
    } else if (rest < data.length) this.#hold(data, rest, data.length);
    if (this.#held_bytes === 0 && this.#held.length > 0) this.#held = Buffer.alloc(0);
  }

  /** The stream ended: what has come of a message is the message. @param isCut the sender did not end it */
  end(isCut = false): void {
    const data = this.#held.subarray(0, this.#held_bytes);
    this.#held_bytes = 0;
    this.#isText = undefined;
    if (this.#skipsLine) return;
    const start = this.#framing === 'octets' ? countEnd(data, 0) : NO_COUNT;
    // A count says that there should be more.
    if (start > 0) this.#tell(data, start, data.length, true);
    else this.#tell(data, 0, data.length, isCut);
  }

  /** @returns where what was not told begins */
  #read(data: Buffer): number {
    this.#framing ??= this.#findOut(data);
    switch (this.#framing) {
      case undefined:
        return 0;
      case 'octets':
        return this.#readCounted(data);
      case 'lf':
        return this.#readLines(data, LF);
      case 'nul':
        return this.#readLines(data, NUL);
    }
  }

  #findOut(data: Buffer): Framing | undefined {
    if (this.#options.mayCount) {
      const end = countEnd(data, 0);
      // A count and its message's priority, or too little to know.
      if (end === UNDECIDED || (end > 0 && end === data.length)) return undefined;
      if (end > 0 && (data[end] === LESS || data[end] === MARK)) return 'octets';
    }
    const lf = data.indexOf(LF);
    const nul = data.indexOf(NUL);
    if (lf < 0 && nul < 0) return data.length > this.#options.max_bytes ? 'lf' : undefined;
    if (lf < 0 || nul < 0) return lf < 0 ? 'nul' : 'lf';
    if (nul < lf) return 'nul';
    // Messages of several lines have NUL for their trailer: then a message begins behind it, and none behind the LF.
    const beginsAt = (at: number): boolean => at >= data.length || data[at] === LESS;
    return beginsAt(nul + 1) && !beginsAt(lf + 1) ? 'nul' : 'lf';
  }

  #readLines(data: Buffer, trailer: number): number {
    const { max_bytes } = this.#options;
    let at = 0;
    while (at < data.length) {
      const end = data.indexOf(trailer, at + this.#searched);
      if (this.#skipsLine) {
        if (end < 0) return data.length;
        this.#skipsLine = false;
      } else if (end < 0) {
        if (data.length - at <= max_bytes) {
          this.#searched = data.length - at;
          return at;
        }
        this.#searched = 0;
        this.#skipsLine = true;
        this.#tell(data, at, at + max_bytes, true);
        return data.length;
      } else if (end - at > max_bytes) this.#tell(data, at, at + max_bytes, true);
      else this.#tell(data, at, end, false);
      this.#searched = 0;
      at = end + 1;
    }
    return at;
  }

  #readCounted(data: Buffer): number {
    const { max_bytes } = this.#options;
    let at = 0;
    while (at < data.length) {
      if (this.#skipsLine) {
        const end = data.indexOf(LF, at);
        if (end < 0) return data.length;
        this.#skipsLine = false;
        at = end + 1;
      } else if (this.#skip_bytes > 0) {
        const skipped = Math.min(this.#skip_bytes, data.length - at);
        this.#skip_bytes -= skipped;
        at += skipped;
      } else if (isSeparator(data[at]!)) at += 1;
      else {
        const start = countEnd(data, at);
        if (start === UNDECIDED) return at;
        if (start === NO_COUNT) {
          const next = this.#readStray(data, at);
          if (next === at) return at;
          at = next;
          continue;
        }
        const count = decimal(data, at, start - 1);
        const kept = Math.min(count, max_bytes);
        if (start + kept > data.length) return at;
        this.#tell(data, start, start + kept, count > kept);
        this.#skip_bytes = count - kept;
        at = start + kept;
      }
    }
    return at;
  }

  /** What has no count between messages that have one is a line. @returns `at` where its end has not come */
  #readStray(data: Buffer, at: number): number {
    const { max_bytes } = this.#options;
    const end = data.indexOf(LF, at);
    if (end < 0 && data.length - at <= max_bytes) return at;
    const stop = end < 0 ? data.length : end;
    const isCut = stop - at > max_bytes;
    this.#tell(data, at, isCut ? at + max_bytes : stop, isCut);
    this.#skipsLine = end < 0;
    return end < 0 ? data.length : end + 1;
  }

  /** Without the trailers of the other ways that are left at its end; nothing is no message. */
  #tell(data: Buffer, start: number, stop: number, isCut: boolean): void {
    let end = stop;
    while (end > start && isTrailer(data[end - 1]!)) end -= 1;
    if (end === start) return;
    this.#isText ??= isUtf8(data);
    this.#onMessage(data, start, end, this.#isText, isCut);
  }

  #hold(from: Buffer, start: number, stop: number): void {
    const needed = this.#held_bytes + stop - start;
    if (needed > this.#held.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(HELD_BYTES_MIN, 2 * this.#held.length, needed));
      this.#held.copy(larger, 0, 0, this.#held_bytes);
      this.#held = larger;
    }
    from.copy(this.#held, this.#held_bytes, start, stop);
    this.#held_bytes = needed;
  }
}

const NO_COUNT = -1;
const UNDECIDED = -2;

/** Where the message begins whose count begins at `at`: behind the digits and a space. */
function countEnd(data: Buffer, at: number): number {
  const first = data[at]!;
  if (first < 0x31 || first > 0x39) return NO_COUNT;
  let end = at + 1;
  while (end < data.length && end - at <= DIGITS_MAX && data[end]! >= 0x30 && data[end]! <= 0x39) end += 1;
  if (end - at > DIGITS_MAX) return NO_COUNT;
  if (end === data.length) return UNDECIDED;
  return data[end] === SPACE ? end + 1 : NO_COUNT;
}

function decimal(data: Buffer, start: number, stop: number): number {
  let value = 0;
  for (let at = start; at < stop; at += 1) value = value * 10 + data[at]! - 0x30;
  return value;
}

function isTrailer(byte: number): boolean {
  return byte === LF || byte === NUL || byte === CR;
}

function isSeparator(byte: number): boolean {
  return isTrailer(byte) || byte === SPACE;
}
