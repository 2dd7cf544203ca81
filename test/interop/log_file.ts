// What the file exporter wrote, OTLP JSON lines, as plain log records that can be compared field by field. Invariant: no field
// of a record is left out but the time of its arrival, so that one record equals another only where all they say is the same.

import fs from 'node:fs';

export interface LogRecord {
  /** ns since 1970, as OTLP JSON has it; '' where there is none. */
  readonly time: string;
  readonly severity: string;
  readonly severityNumber: number;
  readonly body: unknown;
  /** Sorted by name. */
  readonly attributes: Readonly<Record<string, unknown>>;
}

interface AnyValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  /** int64 is text in OTLP JSON. */
  readonly intValue?: string;
  readonly kvlistValue?: { readonly values?: readonly Pair[] };
  readonly arrayValue?: { readonly values?: readonly AnyValue[] };
}
interface Pair {
  readonly key: string;
  readonly value: AnyValue;
}
interface JsonRecord {
  readonly timeUnixNano?: string;
  readonly severityText?: string;
  readonly severityNumber?: number;
  readonly body?: AnyValue;
  readonly attributes?: readonly Pair[];
}
interface JsonRequest {
  readonly resourceLogs: readonly {
    readonly scopeLogs: readonly { readonly logRecords: readonly JsonRecord[] }[];
  }[];
}

/** All of the file, in its order; nothing where there is no file yet. A last line that is being written is not counted. */
export function recordsIn(file: string): LogRecord[] {
  if (!fs.existsSync(file)) return [];
  const lines = fs.readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.flatMap((line) =>
    (JSON.parse(line) as JsonRequest).resourceLogs.flatMap(({ scopeLogs }) =>
      scopeLogs.flatMap(({ logRecords }) => logRecords.map(plainRecord)),
    ),
  );
}

/** The record with its attributes in the order in which `recordsIn` has them. */
export function inOrder(record: LogRecord): LogRecord {
  const attributes = Object.entries(record.attributes).filter(([, value]) => value !== undefined);
  return { ...record, attributes: Object.fromEntries(attributes.toSorted(byName)) };
}

function plainRecord(record: JsonRecord): LogRecord {
  return inOrder({
    time: record.timeUnixNano ?? '',
    severity: record.severityText ?? '',
    severityNumber: record.severityNumber ?? 0,
    body: record.body && plain(record.body),
    attributes: plainMap(record.attributes ?? []),
  });
}

function plainMap(pairs: readonly Pair[]): Record<string, unknown> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, plain(value)]));
}

function plain({ stringValue, boolValue, intValue, kvlistValue, arrayValue }: AnyValue): unknown {
  if (intValue !== undefined) return Number(intValue);
  if (kvlistValue !== undefined) return plainMap(kvlistValue.values ?? []);
  if (arrayValue !== undefined) return (arrayValue.values ?? []).map(plain);
  return stringValue ?? boolValue;
}

function byName([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : 1;
}
