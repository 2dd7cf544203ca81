// The configuration that the end-to-end tests begin with: OTLP on ports that the system chooses, quick retries.

export interface ConfigurationOptions {
  readonly directory: string;
  /** Name of each otlp_http exporter and where it sends; the first is enough for most tests. */
  readonly backends: Readonly<Record<string, string>>;
  /** More keys of the buffer section, as YAML flow entries. */
  readonly buffer?: string;
  /** Replaces the exporters that `backends` would give. */
  readonly exporters?: string;
  /** `service.workers`; 1 by default. */
  readonly workers?: number;
}

export function configuration(options: ConfigurationOptions): string {
  const names = Object.keys(options.backends);
  const exporters = names
    .map(
      (name) => `  ${name}:
    endpoint: ${options.backends[name]}
    timeout: 5s
    retry_on_failure: { initial_interval: 20ms, max_interval: 100ms }`,
    )
    .join('\n');
  const pipeline = `{ receivers: [otlp], exporters: [${names.join(', ')}] }`;
  return `receivers:
  otlp:
    protocols:
      http: { endpoint: 127.0.0.1:0 }
      grpc: { endpoint: 127.0.0.1:0 }
exporters:
${options.exporters ?? exporters}
buffer: { directory: ${options.directory}/buffer, offsets_interval: 100ms${options.buffer ? `, ${options.buffer}` : ''} }
service:
  workers: ${options.workers ?? 1}
  telemetry: { metrics: { level: none }, logs: { level: debug, encoding: json } }
  pipelines:
    traces: ${pipeline}
    metrics: ${pipeline}
    logs: ${pipeline}
`;
}
