// From a body to its records: JSON values, lines of JSON, lines of text, or the whole as it is. Invariant: every line and value
// becomes a record, or the body is refused with the place; only lines without anything in them are passed over.

import { isUtf8 } from 'node:buffer';
import { CLOSE_ARRAY, COMMA, END, OPEN_ARRAY } from '../../otlp/json/scanner.ts';
import { MalformedOtlp } from '../../otlp/malformed.ts';
import type { BodyFormat } from './config.ts';
import { MalformedBody } from './malformed_body.ts';
import type { RecordWriter, RequestContext } from './records.ts';

const LINE_BREAK = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** @throws MalformedBody, OtlpTooLarge */
export function writeRecords(
  records: RecordWriter,
  format: BodyFormat,
  body: Buffer,
  context: RequestContext,
): void {
  records.begin(body, context);
  switch (format) {
    case 'json':
      json(records, body, context);
      return;
    case 'raw':
      if (body.length > 0) records.plain(body, 0, body.length, isUtf8(body));
      return;
    default:
      lines(records, format, body, context);
  }
}

/** Values behind each other, arrays opened: most senders of JSON send one of the two, some both. */
function json(records: RecordWriter, body: Buffer, { route }: RequestContext): void {
  const { scanner } = records;
  let done = 0;
  try {
    if (!isUtf8(body)) throw new MalformedOtlp('not UTF-8', 0);
    if (scanner.peek() === END) throw scanner.unexpected('a value');
    while (scanner.peek() !== END) {
      if (scanner.peek() !== OPEN_ARRAY) {
        records.value();
        done += 1;
        continue;
      }
      scanner.position++;
      if (scanner.peek() === CLOSE_ARRAY) {
        scanner.position++;
        continue;
      }
      for (let next = COMMA; next === COMMA; ) {
        records.value();
        done += 1;
        next = scanner.peek();
        if (next !== COMMA && next !== CLOSE_ARRAY)
          throw scanner.unexpected('a comma or the end of the array');
        scanner.position++;
      }
    }
  } catch (error) {
    if (!(error instanceof MalformedOtlp)) throw error;
    const reason = `record ${done + 1}, ${error.message}`;
    if (route.malformed === 'refuse')
      throw new MalformedBody(route.path, `record ${done + 1}`, error.message, done + 1);
    // Where a value is broken nobody knows where the next one begins: the body stays together.
    records.reset();
    records.plain(body, 0, body.length, isUtf8(body), reason);
  }
}

function lines(
  records: RecordWriter,
  format: 'ndjson' | 'text',
  body: Buffer,
  context: RequestContext,
): void {
  const { route } = context;
  const allText = isUtf8(body);
  let number = 0;
  for (let start = 0; start < body.length; ) {
    const found = body.indexOf(LINE_BREAK, start);
    const next = found < 0 ? body.length : found + 1;
    let stop = found < 0 ? body.length : found;
    if (stop > start && body[stop - 1] === CARRIAGE_RETURN) stop--;
    number += 1;
    if (stop > start) {
      const isText = allText || isUtf8(body.subarray(start, stop));
      const fault = line(records, format, body, start, stop, isText);
      if (fault !== undefined) {
        if (route.malformed === 'refuse')
          throw new MalformedBody(route.path, `line ${number}`, fault, countLines(body));
        records.plain(body, start, stop, isText, fault);
      }
    }
    start = next;
  }
}

/** @returns what is wrong with it; then nothing was written. */
function line(
  records: RecordWriter,
  format: 'ndjson' | 'text',
  body: Buffer,
  start: number,
  stop: number,
  isText: boolean,
): string | undefined {
  if (!isText) return 'not UTF-8';
  if (format === 'text') {
    records.plain(body, start, stop, true);
    return undefined;
  }
  const { scanner } = records;
  scanner.position = start;
  scanner.end = stop;
  // White space alone says nothing.
  if (scanner.peek() === END) return undefined;
  try {
    records.value(true);
    return undefined;
  } catch (error) {
    if (!(error instanceof MalformedOtlp)) throw error;
    // Bytes are counted from the beginning of the line, as an editor shows it.
    return new MalformedOtlp(error.reason, error.position - start, error.path).message;
  }
}

/** Lines that have anything in them. */
function countLines(body: Buffer): number {
  let count = 0;
  for (let start = 0; start < body.length; ) {
    const found = body.indexOf(LINE_BREAK, start);
    const stop = found < 0 ? body.length : found;
    if (stop > start) count += 1;
    start = stop + 1;
  }
  return count;
}
