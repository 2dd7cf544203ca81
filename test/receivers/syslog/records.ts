// Log records as a test wants to compare them, read by the official messages.

import { type LogRequest, LogWriter } from '../../../otlp/log_writer.ts';
import type { SyslogProtocol } from '../../../receivers/syslog/parse.ts';
import { Recorder } from '../../../receivers/syslog/recorder.ts';
import { requestType } from '../../otlp/proto/types.ts';

interface RawValue {
  readonly stringValue?: string;
  readonly intValue?: string;
  readonly boolValue?: boolean;
  readonly arrayValue?: { readonly values?: readonly RawValue[] };
  readonly kvlistValue?: { readonly values?: readonly RawPair[] };
}
interface RawPair {
  readonly key: string;
  readonly value?: RawValue;
}
interface RawRecord {
  readonly timeUnixNano?: string;
  readonly observedTimeUnixNano: string;
  readonly severityNumber?: number;
  readonly severityText?: string;
  readonly body: RawValue;
  readonly attributes?: readonly RawPair[];
}
interface RawRequest {
  readonly resourceLogs?: readonly {
    readonly resource?: { readonly attributes: readonly RawPair[] };
    readonly scopeLogs: readonly { readonly logRecords: readonly RawRecord[] }[];
  }[];
}

export interface PlainRecord {
  /** ISO 8601 to the nanosecond; undefined where the record has none. */
  readonly time: string | undefined;
  readonly observed_ns: bigint;
  readonly severity: number | undefined;
  readonly severityText: string | undefined;
  readonly body: unknown;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export const NOW_MS = Date.UTC(2024, 0, 15, 12, 0, 0, 250);
export const NO_ATTRIBUTES = Buffer.alloc(0);

export function recordsIn(bytes: Uint8Array): PlainRecord[] {
  return requestIn(bytes).flatMap(({ scopeLogs }) =>
    scopeLogs.flatMap(({ logRecords }) => logRecords.map(plain)),
  );
}

export function resourcesIn(bytes: Uint8Array): unknown[] {
  return requestIn(bytes).map(
    ({ resource }) => resource && plainValue({ kvlistValue: { values: resource.attributes } }),
  );
}

/** One message through parser and writer. */
export function recordOf(
  line: string | Buffer,
  options: { protocol?: SyslogProtocol; location?: string; isCut?: boolean } = {},
): PlainRecord {
  const recorder = new Recorder(options.protocol ?? 'auto', options.location ?? 'UTC');
  recorder.arrive(NOW_MS);
  const writer = new LogWriter(2 ** 24);
  const bytes = Buffer.from(line);
  recorder.record(writer, bytes, 0, bytes.length, false, options.isCut ?? false, NO_ATTRIBUTES);
  const { bytes: request } = writer.finish() as LogRequest;
  return recordsIn(request)[0]!;
}

function requestIn(bytes: Uint8Array): NonNullable<RawRequest['resourceLogs']> {
  const decoded = requestType.logs.decode(bytes);
  const options = { longs: String, enums: Number } as const;
  return (requestType.logs.toObject(decoded, options) as RawRequest).resourceLogs ?? [];
}

function plain(record: RawRecord): PlainRecord {
  return {
    time: record.timeUnixNano === undefined ? undefined : isoOf(BigInt(record.timeUnixNano)),
    observed_ns: BigInt(record.observedTimeUnixNano),
    severity: record.severityNumber,
    severityText: record.severityText,
    body: plainValue(record.body),
    attributes: Object.fromEntries(
      (record.attributes ?? []).map(({ key, value }) => [key, plainValue(value)]),
    ),
  };
}

function isoOf(time_ns: bigint): string {
  const second = new Date(Number(time_ns / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  const nanosecond = String(time_ns % 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return `${second}${nanosecond === '' ? '' : `.${nanosecond}`}Z`;
}

function plainValue(value: RawValue | undefined): unknown {
  if (value?.stringValue !== undefined) return value.stringValue;
  if (value?.intValue !== undefined) return Number(value.intValue);
  if (value?.boolValue !== undefined) return value.boolValue;
  if (value?.arrayValue) return (value.arrayValue.values ?? []).map(plainValue);
  if (value?.kvlistValue) {
    return Object.fromEntries(
      (value.kvlistValue.values ?? []).map((pair) => [pair.key, plainValue(pair.value)]),
    );
  }
  return undefined;
}
