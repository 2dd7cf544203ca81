// Syslog messages as bytes on the wire, and the log record that each has to become: written from the RFCs and the receiver's
// README, so that no code of the receiver judges the receiver. Invariant: each message of a mark is unlike every other.

import { inOrder, type LogRecord, recordsIn } from './log_file.ts';
import { Differs } from './peer.ts';
import type { Stage } from './stage.ts';

/** Facility × severity: each of the 192 priorities once. */
export const PRIORITIES = 192;

/** By severity, RFC 5424 table 2: the text, and the number that OTLP has for it. */
const severities: readonly (readonly [string, number])[] = [
  ['emerg', 21],
  ['alert', 19],
  ['crit', 18],
  ['err', 17],
  ['warning', 13],
  ['notice', 10],
  ['info', 9],
  ['debug', 5],
];
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
const BYTE_ORDER_MARK = '\u{feff}';
const S_PER_DAY = 86_400;
/** Where the sender's clock stands; RFC 5424 says so in each message. */
const ZONE_S = 2 * 3600;
/** A day ago, so that no clock that is somewhat off makes it the future. */
const begun_s = Math.floor(Date.now() / 1000) - S_PER_DAY;

export interface SyslogMessage {
  /** As it is sent to the first program, without framing. */
  readonly bytes: Buffer;
  /** What becomes of it, when it is passed on unchanged. */
  readonly record: LogRecord;
}

/** @param hasLines whether the framing on its way lets a message have several lines */
export function newMessages(mark: string, count: number, hasLines: boolean): SyslogMessage[] {
  return Array.from({ length: count }, (_, index) => newMessage(mark, index, hasLines));
}

/** @param isoTime the relay puts the time as ISO 8601, as rsyslog does by default: UTC, whole seconds */
export function oldMessages(
  mark: string,
  count: number,
  hasLines: boolean,
  isoTime = false,
): SyslogMessage[] {
  return Array.from({ length: count }, (_, index) => oldMessage(mark, index, hasLines, isoTime));
}

/** RFC 5424. */
function newMessage(mark: string, index: number, hasLines: boolean): SyslogMessage {
  const micros = String((index * 7919) % 1_000_000).padStart(6, '0');
  const second = begun_s + index;
  const local = new Date((second + ZONE_S) * 1000).toISOString().slice(0, 19);
  // What is not UTF-8 is taken for Latin-1 as a whole, so such a text stands alone.
  const isNil = index % 5 === 4 || isLatin(index);
  const data = isNil ? [] : structuredData(index);
  const host = `edge-${index % 7}.site.example`;
  const app = `till-${index % 3}`;
  const text = textOf(mark, index, hasLines);
  const written = data.map(([id, pairs]) => `[${[id, ...pairs.map(parameter)].join(' ')}]`).join('');
  const header = `<${priorityOf(index)}>1 ${local}.${micros}+02:00 ${host} ${app} ${isNil ? '- -' : `${1000 + index} ID${index}`} ${written || '-'} `;
  return message(header, text, index, {
    time: `${second}${micros}000`,
    version: 1,
    hostname: host,
    appname: app,
    proc_id: isNil ? undefined : String(1000 + index),
    msg_id: isNil ? undefined : `ID${index}`,
    structured_data: isNil ? undefined : asMaps(data),
  });
}

/** RFC 3164. */
function oldMessage(mark: string, index: number, hasLines: boolean, isoTime: boolean): SyslogMessage {
  const second = begun_s + index;
  const date = new Date(second * 1000);
  const day = String(date.getUTCDate()).padStart(2, ' ');
  const clock = date.toISOString();
  const time = `${MONTHS[date.getUTCMonth()]} ${day} ${clock.slice(11, 19)}`;
  const host = `edge-${index % 7}`;
  const app = `till-${index % 3}`;
  const text = textOf(mark, index, hasLines);
  const rest = ` ${host} ${app}[${1000 + index}]: `;
  const fields = { time: `${second}000000000`, hostname: host, appname: app, proc_id: String(1000 + index) };
  const came = message(`<${priorityOf(index)}>${time}${rest}`, text, index, fields);
  if (!isoTime) return came;
  const iso = `<${priorityOf(index)}>${clock.slice(0, 19)}+00:00${rest}`;
  return { bytes: came.bytes, record: message(iso, text, index, fields).record };
}

interface Fields {
  readonly time: string;
  readonly [attribute: string]: unknown;
}

function message(
  header: string,
  text: Buffer,
  index: number,
  { time, ...attributes }: Fields,
): SyslogMessage {
  const bytes = Buffer.concat([Buffer.from(header), text]);
  const isUtf8 = Buffer.from(text.toString('utf8')).equals(text);
  const encoding = isUtf8 ? 'utf8' : 'latin1';
  const plain = text.toString(encoding);
  const [severity, severityNumber] = severities[priorityOf(index) % 8]!;
  const record = inOrder({
    time,
    severity,
    severityNumber,
    body: bytes.toString(encoding),
    attributes: {
      ...attributes,
      priority: priorityOf(index),
      facility: Math.floor(priorityOf(index) / 8),
      message: plain.startsWith(BYTE_ORDER_MARK) ? plain.slice(1) : plain,
      'syslog.encoding': isUtf8 ? undefined : 'iso-8859-1',
    },
  });
  return { bytes, record };
}

function priorityOf(index: number): number {
  return index % PRIORITIES;
}

function textOf(mark: string, index: number, hasLines: boolean): Buffer {
  const name = nameOf(mark, index);
  const texts = [
    `${name} opened`,
    `${name} größer 買い物 🛒`,
    `${name} "quoted" [x y="z"] \\ %s {"a":1} <13>1`,
    `${name} a tab\tand a bell\u0007`,
    `${BYTE_ORDER_MARK}${name} behind a byte order mark`,
    `${name} ${'long '.repeat(1200)}end`,
    `${name}   spaces   within`,
    hasLines ? `${name} of\nthree\nlines` : `${name} of one line`,
  ];
  if (isLatin(index)) return Buffer.from(`${name} gr\u00f6\u00dfer in Latin-1`, 'latin1');
  return Buffer.from(texts[index % texts.length]!);
}

function isLatin(index: number): boolean {
  return index % 9 === 8;
}

function nameOf(mark: string, index: number): string {
  return `(${mark}.${index})`;
}

type Data = readonly (readonly [string, readonly (readonly [string, string])[]])[];

function structuredData(index: number): Data {
  const data: Data = [
    [
      'origin@32473',
      [
        ['ip', '192.0.2.1'],
        ['ip', '192.0.2.2'],
        ['software', 'größer 買い物'],
      ],
    ],
    ['escaped@32473', [['value', `a "b" \\ ] ${index}`]]],
    ['empty@32473', []],
  ];
  return data.slice(0, 1 + (index % data.length));
}

function parameter([name, value]: readonly [string, string]): string {
  return `${name}="${value.replaceAll(/["\\\]]/g, '\\$&')}"`;
}

function asMaps(data: Data): object {
  return Object.fromEntries(
    data.map(([id, pairs]) => {
      const names = [...new Set(pairs.map(([name]) => name))];
      const valuesOf = (name: string): unknown => {
        const values = pairs.filter((pair) => pair[0] === name).map(([, value]) => value);
        return values.length === 1 ? values[0] : values;
      };
      return [id, Object.fromEntries(names.map((name) => [name, valuesOf(name)]))];
    }),
  );
}

/** Which of the messages of `mark` have come, by number. */
export function comeOf(mark: string, file: string): Map<number, LogRecord[]> {
  const found = new Map<number, LogRecord[]>();
  for (const record of recordsIn(file)) {
    const text = String(record.attributes['message'] ?? '');
    if (!text.startsWith(`(${mark}.`)) continue;
    const index = Number.parseInt(text.slice(mark.length + 2), 10);
    found.set(index, [...(found.get(index) ?? []), record]);
  }
  return found;
}

/** Waits until all messages of the mark have come, and compares every field of each. @returns how many. @throws Differs */
export async function allCame(
  stage: Stage,
  mark: string,
  sent: readonly SyslogMessage[],
  file: string,
): Promise<number> {
  const missing = (): number => sent.length - comeOf(mark, file).size;
  await stage
    .until(`${mark}: all ${sent.length} messages`, async () => missing() <= 0)
    .catch((error: unknown) => {
      throw new Differs(`${mark}: ${missing()} of ${sent.length} messages are missing`, String(error));
    });
  compareRecords(mark, sent, comeOf(mark, file));
  return sent.length;
}

/** @throws Differs where what has come is not as it was sent */
export function compareRecords(
  mark: string,
  sent: readonly SyslogMessage[],
  came: ReadonlyMap<number, readonly LogRecord[]>,
): void {
  for (const [index, records] of came) {
    const wanted = JSON.stringify(sent[index]?.record);
    for (const record of records) {
      const is = JSON.stringify(record);
      if (is !== wanted) throw new Differs(`${mark}: another record`, `${is}\ninstead of\n${wanted}`);
    }
  }
}
