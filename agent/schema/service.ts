// The `service` section: pipelines, which extensions run, and what the agent says about itself.
// Invariant: a Collector's section is taken as it is; what means nothing here is accepted and said, never obeyed halfway.

import * as z from 'zod';
import { durationMs, listenAddress, section } from '../../config/fields.ts';

const ids = () => z.preprocess((value) => value ?? [], z.array(z.string()));

export const pipelineSchema = section({
  receivers: ids().prefault([]),
  processors: ids().prefault([]),
  exporters: ids().prefault([]),
});
export type PipelineConfig = z.output<typeof pipelineSchema>;

const lowerCase = (value: unknown): unknown => (typeof value === 'string' ? value.toLowerCase() : value);

const logs = section({
  level: z.preprocess(lowerCase, z.enum(['debug', 'info', 'warn', 'error'])).default('info'),
  /** Unset: console on a terminal, else json. */
  encoding: z.enum(['json', 'console']).optional(),
  development: z.unknown().optional(),
  disable_caller: z.unknown().optional(),
  disable_stacktrace: z.unknown().optional(),
  sampling: z.unknown().optional(),
  output_paths: z.unknown().optional(),
  error_output_paths: z.unknown().optional(),
  initial_fields: z.unknown().optional(),
  processors: z.unknown().optional(),
});

const prometheus = z.looseObject({
  host: z.string().default('127.0.0.1'),
  port: z.number().int().min(0).max(65_535).default(8888),
});

/** One entry of the Collector's `readers`; only a Prometheus page is served, others are reported and left out. */
const reader = z.looseObject({
  pull: z.looseObject({ exporter: z.looseObject({ prometheus: prometheus.optional() }) }).optional(),
});

const metrics = section({
  level: z.preprocess(lowerCase, z.enum(['none', 'basic', 'normal', 'detailed'])).default('normal'),
  /** The Collector's older key. */
  address: listenAddress().optional(),
  readers: z.array(reader).optional(),
  views: z.unknown().optional(),
});

export const telemetrySchema = section({
  logs: logs.prefault({}),
  metrics: metrics.prefault({}),
  traces: z.unknown().optional(),
  resource: z.unknown().optional(),
  /** How often the summary line is written while something happens; 0 is never. */
  summary_interval: durationMs({ max: 3_600_000 }).prefault('10s'),
});
export type TelemetryConfig = z.output<typeof telemetrySchema>;

export const shutdownTimeoutSchema = durationMs({ min: 100, max: 600_000 }).prefault('20s');

/** Threads that take in and drain, each with a log of its own; auto: as many as the process has cores. */
export const workersSchema = z.union([z.literal('auto'), z.int().min(1).max(64)]).default(1);

export const extensionIdsSchema = ids();
