// What OTLP asks of a server (1 to 25) and of an exporter (31 to 42), after the OpenTelemetry protocol specification
// (opentelemetry-proto, docs/specification.md) and the specification's page on protocol exporters. A test says by its name,
// `OTLP 7: …` or `OTLP 6, 7: …`, which of them it holds.

export interface Requirement {
  readonly number: number;
  readonly text: string;
  /** What the OpenTelemetry Collector does instead. */
  readonly collector?: string;
}

export const requirements: readonly { readonly of: string; readonly lines: readonly Requirement[] }[] = [
  {
    of: 'The server',
    lines: [
      { number: 1, text: 'gRPC on 4317, HTTP on 4318 by default; both may be off' },
      { number: 2, text: 'POST /v1/traces, /v1/metrics, /v1/logs; other signals are refused clearly' },
      {
        number: 3,
        text: 'application/x-protobuf and application/json on one port, told apart by Content-Type',
      },
      { number: 4, text: 'The Content-Type of the response equals that of the request' },
      {
        number: 5,
        text: 'Content-Encoding none, gzip, zstd, zlib and deflate; another one is 415 with Accept-Encoding',
        collector: 'answers 400',
      },
      {
        number: 6,
        text: 'The size limit holds before and after decompression; 64 MiB by default on both protocols',
        collector: '20 MiB; 4 MiB over gRPC',
      },
      { number: 7, text: 'HTTP over the limit is 413', collector: 'answers 400' },
      { number: 8, text: 'gRPC over the limit is RESOURCE_EXHAUSTED without RetryInfo' },
      { number: 9, text: 'Success is 200 with an Export*ServiceResponse whose partial_success is unset' },
      { number: 10, text: 'An empty request is a success' },
      { number: 11, text: 'A partial success says how many were rejected, and why' },
      { number: 12, text: 'What cannot be decoded is 400 with a google.rpc.Status' },
      {
        number: 13,
        text: 'Every 4xx and 5xx body is a google.rpc.Status in the encoding of the request',
        collector: 'plain text for some',
      },
      {
        number: 14,
        text: 'Overload is 429 or 503 with Retry-After; UNAVAILABLE with RetryInfo over gRPC',
        collector: 'without RetryInfo',
      },
      { number: 15, text: 'JSON: traceId and spanId are hex in either case, other bytes base64' },
      { number: 16, text: 'JSON: enums are integers, names are refused' },
      { number: 17, text: 'JSON: unknown fields are ignored, keys are lowerCamelCase only' },
      {
        number: 18,
        text: 'JSON: 64-bit integers are strings or numbers, exact above 2^53, written as strings',
      },
      {
        number: 19,
        text: 'Protobuf: unknown fields are kept and passed through',
        collector: 'drops them',
      },
      { number: 20, text: 'CORS: origins with wildcards, headers, max_age; a preflight is answered' },
      { number: 21, text: 'TLS 1.2 or newer, from files or PEM, read again when they change; mTLS' },
      { number: 22, text: 'Bearer token and basic auth that fail closed: 401 with a Status' },
      { number: 23, text: 'gRPC keepalive and limits; unix sockets for both protocols' },
      { number: 24, text: 'Slow, half-open and abandoned connections are bounded' },
      {
        number: 25,
        text: 'A client that leaves before the answer leaks nothing; what was written stays written',
      },
    ],
  },
  {
    of: 'The exporters',
    lines: [
      { number: 31, text: 'HTTP: only 429, 502, 503, 504 and failed connections are tried again' },
      {
        number: 32,
        text: 'gRPC: CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE and DATA_LOSS are tried again, RESOURCE_EXHAUSTED only with RetryInfo',
      },
      { number: 33, text: 'Retry-After as seconds and as a date; RetryInfo' },
      { number: 34, text: 'Exponential back-off with jitter' },
      { number: 35, text: 'A partial success is never sent again: counted, its message logged' },
      {
        number: 36,
        text: 'A request holds at most 64 MiB and is split when too large; 4 MiB of an answer are read',
      },
      {
        number: 37,
        text: 'Time-out of 10 s by default; gzip by default, zstd, none; http/protobuf, http/json, grpc',
      },
      { number: 38, text: 'endpoint + /v1/<signal>; endpoints per signal are used as they are' },
      { number: 39, text: 'Headers, credentials, User-Agent, TLS and mTLS, proxies from the environment' },
      { number: 40, text: 'Connections are kept and pooled; HTTP/2 where it is offered' },
      { number: 41, text: 'Several destinations, each with its own offset and retries' },
      { number: 42, text: 'After a lost answer the batch is sent again' },
    ],
  },
];
