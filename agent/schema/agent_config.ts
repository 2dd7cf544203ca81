// The whole configuration as the agent is built from it: validated, frozen, names resolved, nothing left to look up.

import type { TcpAddress } from '../../config/endpoint.ts';
import type { Problem } from '../../config/problem.ts';
import type { DrainConfig } from '../../exporters/drain/config.ts';
import type { ExporterFactory } from '../../exporters/exporter.ts';
import type { Signal } from '../../otlp/signal.ts';
import type { ReceiverFactory } from '../../receivers/receiver.ts';
import type { BufferConfig } from './buffer.ts';
import type { AuthenticatorConfig, HealthCheckConfig } from './extensions.ts';
import type { TelemetryConfig } from './service.ts';

export interface Components {
  readonly receivers: readonly ReceiverFactory[];
  readonly exporters: readonly ExporterFactory[];
}

export interface ConfiguredReceiver {
  /** As configured, such as `otlp/edge`. */
  readonly id: string;
  readonly factory: ReceiverFactory;
  readonly config: unknown;
  /** The stream that each signal goes to, for the signals that some pipeline takes: `traces.otlp.edge`. */
  readonly streams: ReadonlyMap<Signal, string>;
}

export interface ConfiguredExporter {
  /** As configured, such as `otlphttp/cloud`. */
  readonly id: string;
  /** Its consumer group, by the type's own name whatever alias was written: `otlp_http/cloud`. */
  readonly group: string;
  /** `dead-letter.otlp_http.cloud` */
  readonly deadLetterStream: string;
  readonly factory: ExporterFactory;
  readonly config: unknown;
  readonly drain: DrainConfig;
  /** The streams that its pipelines name. */
  readonly streams: readonly { readonly name: string; readonly signal: Signal }[];
}

export interface ConfiguredPipeline {
  readonly id: string;
  readonly signal: Signal;
  readonly receivers: readonly string[];
  readonly exporters: readonly string[];
}

export interface AgentConfig {
  readonly receivers: readonly ConfiguredReceiver[];
  readonly exporters: readonly ConfiguredExporter[];
  readonly pipelines: readonly ConfiguredPipeline[];
  readonly buffer: BufferConfig & { readonly directory: string };
  readonly authenticators: readonly AuthenticatorConfig[];
  readonly healthChecks: readonly (HealthCheckConfig & { readonly id: string })[];
  /** Where /metrics is served; undefined: nowhere. */
  readonly metrics: TcpAddress | undefined;
  readonly logs: TelemetryConfig['logs'];
  /** 0: never. */
  readonly summary_interval_ms: number;
  readonly shutdown_timeout_ms: number;
  /** Threads that take in and drain; 1: the main thread does. */
  readonly workers: number;
}

export interface ReadConfig {
  /** Undefined when there is an error among the problems. */
  readonly config: AgentConfig | undefined;
  /** Errors and warnings, in the order of the file. */
  readonly problems: readonly Problem[];
  /** What became of parts that the buffer makes needless, one line each. */
  readonly notes: readonly string[];
}
