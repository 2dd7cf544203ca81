// The messages of OTLP v1 as tables: field number to name and kind, for both directions between protobuf and JSON.
// Invariant: this is the only place that names a field of OTLP; the wire walk and the JSON form are derived from it.
// Source: github.com/open-telemetry/opentelemetry-proto v1.11.0, the .proto files in test/otlp/proto.

import type { Signal } from './signal.ts';

const scalarKinds = [
  'string',
  /** base64 in JSON. */
  'bytes',
  /** 16 bytes or none; hex in JSON, as OTLP/JSON asks instead of base64. */
  'trace_id',
  /** 8 bytes or none; hex in JSON. */
  'span_id',
  'bool',
  'int32',
  'uint32',
  'sint32',
  'enum',
  'int64',
  'uint64',
  'fixed32',
  'fixed64',
  'sfixed64',
  'double',
] as const;
export type ScalarKind = (typeof scalarKinds)[number];
export type Kind = ScalarKind | 'message';

export interface Field {
  readonly number: number;
  /** lowerCamelCase, as JSON has it. */
  readonly jsonName: string;
  /** snake_case, as the .proto file has it; errors use it. */
  readonly protoName: string;
  readonly kind: Kind;
  readonly repeated: boolean;
  /** The message within, for kind `message`. */
  readonly message?: Message;
  /** Fields of one message with the same oneof exclude each other: the last on the wire wins. */
  readonly oneof?: string;
}

export interface Message {
  readonly name: string;
  /** By field number. */
  readonly fields: ReadonlyMap<number, Field>;
}

/** `[repeated] type name [oneof <group>]`; a type that is no scalar kind names a message. */
type Definition = Readonly<Record<number, string>>;

const definitions: Readonly<Record<string, Definition>> = {
  // `AnyValue.string_value_strindex` and `KeyValue.key_strindex` are not here: they belong to profiles, and receivers of
  // other signals are to treat them as absent (common.proto). In protobuf they pass through like any unknown field.
  AnyValue: {
    1: 'string string_value oneof value',
    2: 'bool bool_value oneof value',
    3: 'int64 int_value oneof value',
    4: 'double double_value oneof value',
    5: 'ArrayValue array_value oneof value',
    6: 'KeyValueList kvlist_value oneof value',
    7: 'bytes bytes_value oneof value',
  },
  ArrayValue: { 1: 'repeated AnyValue values' },
  KeyValueList: { 1: 'repeated KeyValue values' },
  KeyValue: { 1: 'string key', 2: 'AnyValue value' },
  EntityRef: {
    1: 'string schema_url',
    2: 'string type',
    3: 'repeated string id_keys',
    4: 'repeated string description_keys',
  },
  InstrumentationScope: {
    1: 'string name',
    2: 'string version',
    3: 'repeated KeyValue attributes',
    4: 'uint32 dropped_attributes_count',
  },
  Resource: {
    1: 'repeated KeyValue attributes',
    2: 'uint32 dropped_attributes_count',
    3: 'repeated EntityRef entity_refs',
  },

  ExportTraceServiceRequest: { 1: 'repeated ResourceSpans resource_spans' },
  ResourceSpans: { 1: 'Resource resource', 2: 'repeated ScopeSpans scope_spans', 3: 'string schema_url' },
  ScopeSpans: { 1: 'InstrumentationScope scope', 2: 'repeated Span spans', 3: 'string schema_url' },
  Span: {
    1: 'trace_id trace_id',
    2: 'span_id span_id',
    3: 'string trace_state',
    4: 'span_id parent_span_id',
    5: 'string name',
    6: 'enum kind',
    7: 'fixed64 start_time_unix_nano',
    8: 'fixed64 end_time_unix_nano',
    9: 'repeated KeyValue attributes',
    10: 'uint32 dropped_attributes_count',
    11: 'repeated Event events',
    12: 'uint32 dropped_events_count',
    13: 'repeated Link links',
    14: 'uint32 dropped_links_count',
    15: 'Status status',
    16: 'fixed32 flags',
  },
  Event: {
    1: 'fixed64 time_unix_nano',
    2: 'string name',
    3: 'repeated KeyValue attributes',
    4: 'uint32 dropped_attributes_count',
  },
  Link: {
    1: 'trace_id trace_id',
    2: 'span_id span_id',
    3: 'string trace_state',
    4: 'repeated KeyValue attributes',
    5: 'uint32 dropped_attributes_count',
    6: 'fixed32 flags',
  },
  Status: { 2: 'string message', 3: 'enum code' },

  ExportMetricsServiceRequest: { 1: 'repeated ResourceMetrics resource_metrics' },
  ResourceMetrics: {
    1: 'Resource resource',
    2: 'repeated ScopeMetrics scope_metrics',
    3: 'string schema_url',
  },
  ScopeMetrics: { 1: 'InstrumentationScope scope', 2: 'repeated Metric metrics', 3: 'string schema_url' },
  Metric: {
    1: 'string name',
    2: 'string description',
    3: 'string unit',
    5: 'Gauge gauge oneof data',
    7: 'Sum sum oneof data',
    9: 'Histogram histogram oneof data',
    10: 'ExponentialHistogram exponential_histogram oneof data',
    11: 'Summary summary oneof data',
    12: 'repeated KeyValue metadata',
  },
  Gauge: { 1: 'repeated NumberDataPoint data_points' },
  Sum: {
    1: 'repeated NumberDataPoint data_points',
    2: 'enum aggregation_temporality',
    3: 'bool is_monotonic',
  },
  Histogram: { 1: 'repeated HistogramDataPoint data_points', 2: 'enum aggregation_temporality' },
  ExponentialHistogram: {
    1: 'repeated ExponentialHistogramDataPoint data_points',
    2: 'enum aggregation_temporality',
  },
  Summary: { 1: 'repeated SummaryDataPoint data_points' },
  NumberDataPoint: {
    2: 'fixed64 start_time_unix_nano',
    3: 'fixed64 time_unix_nano',
    4: 'double as_double oneof value',
    5: 'repeated Exemplar exemplars',
    6: 'sfixed64 as_int oneof value',
    7: 'repeated KeyValue attributes',
    8: 'uint32 flags',
  },
  HistogramDataPoint: {
    2: 'fixed64 start_time_unix_nano',
    3: 'fixed64 time_unix_nano',
    4: 'fixed64 count',
    5: 'double sum',
    6: 'repeated fixed64 bucket_counts',
    7: 'repeated double explicit_bounds',
    8: 'repeated Exemplar exemplars',
    9: 'repeated KeyValue attributes',
    10: 'uint32 flags',
    11: 'double min',
    12: 'double max',
  },
  ExponentialHistogramDataPoint: {
    1: 'repeated KeyValue attributes',
    2: 'fixed64 start_time_unix_nano',
    3: 'fixed64 time_unix_nano',
    4: 'fixed64 count',
    5: 'double sum',
    6: 'sint32 scale',
    7: 'fixed64 zero_count',
    8: 'Buckets positive',
    9: 'Buckets negative',
    10: 'uint32 flags',
    11: 'repeated Exemplar exemplars',
    12: 'double min',
    13: 'double max',
    14: 'double zero_threshold',
  },
  Buckets: { 1: 'sint32 offset', 2: 'repeated uint64 bucket_counts' },
  SummaryDataPoint: {
    2: 'fixed64 start_time_unix_nano',
    3: 'fixed64 time_unix_nano',
    4: 'fixed64 count',
    5: 'double sum',
    6: 'repeated ValueAtQuantile quantile_values',
    7: 'repeated KeyValue attributes',
    8: 'uint32 flags',
  },
  ValueAtQuantile: { 1: 'double quantile', 2: 'double value' },
  Exemplar: {
    2: 'fixed64 time_unix_nano',
    3: 'double as_double oneof value',
    4: 'span_id span_id',
    5: 'trace_id trace_id',
    6: 'sfixed64 as_int oneof value',
    7: 'repeated KeyValue filtered_attributes',
  },

  ExportLogsServiceRequest: { 1: 'repeated ResourceLogs resource_logs' },
  ResourceLogs: { 1: 'Resource resource', 2: 'repeated ScopeLogs scope_logs', 3: 'string schema_url' },
  ScopeLogs: { 1: 'InstrumentationScope scope', 2: 'repeated LogRecord log_records', 3: 'string schema_url' },
  LogRecord: {
    1: 'fixed64 time_unix_nano',
    2: 'enum severity_number',
    3: 'string severity_text',
    5: 'AnyValue body',
    6: 'repeated KeyValue attributes',
    7: 'uint32 dropped_attributes_count',
    8: 'fixed32 flags',
    9: 'trace_id trace_id',
    10: 'span_id span_id',
    11: 'fixed64 observed_time_unix_nano',
    12: 'string event_name',
  },
};

function compile(): ReadonlyMap<string, Message> {
  const messages = new Map<string, { name: string; fields: Map<number, Field> }>();
  for (const name of Object.keys(definitions)) messages.set(name, { name, fields: new Map() });
  for (const [name, definition] of Object.entries(definitions)) {
    const fields = messages.get(name)!.fields;
    for (const [number, text] of Object.entries(definition)) {
      fields.set(Number(number), parseField(Number(number), text, messages));
    }
  }
  return messages;
}

function parseField(number: number, text: string, messages: ReadonlyMap<string, Message>): Field {
  const words = text.split(' ');
  const repeated = words[0] === 'repeated';
  if (repeated) words.shift();
  const [type, protoName, , oneof] = words;
  const kind = scalarKinds.find((scalar) => scalar === type) ?? 'message';
  const message = messages.get(type!);
  if (protoName === undefined || (kind === 'message' && message === undefined)) {
    throw new Error(`otlp/schema.ts: cannot read the field "${text}"`);
  }
  return {
    number,
    jsonName: protoName.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    protoName,
    kind,
    repeated,
    ...(message && { message }),
    ...(oneof !== undefined && { oneof }),
  };
}

/** Every message by its name in the .proto files, without the package. */
export const messages: ReadonlyMap<string, Message> = compile();

/** The Export*ServiceRequest of each signal. */
export const requestOf: Readonly<Record<Signal, Message>> = {
  traces: messages.get('ExportTraceServiceRequest')!,
  metrics: messages.get('ExportMetricsServiceRequest')!,
  logs: messages.get('ExportLogsServiceRequest')!,
};

/** The wire type of one value of a kind (protobuf encoding, "Message Structure"): 0 varint, 1 I64, 2 LEN, 5 I32. */
export function wireTypeOf(kind: Kind): 0 | 1 | 2 | 5 {
  switch (kind) {
    case 'bool':
    case 'int32':
    case 'uint32':
    case 'sint32':
    case 'enum':
    case 'int64':
    case 'uint64':
      return 0;
    case 'fixed64':
    case 'sfixed64':
    case 'double':
      return 1;
    case 'fixed32':
      return 5;
    case 'string':
    case 'bytes':
    case 'trace_id':
    case 'span_id':
    case 'message':
      return 2;
  }
}
