// Serves the agent's counters in the Prometheus text form through OpenTelemetry's observable instruments.
// Invariant: nothing is paid for a metric until somebody asks; hot paths only add to plain numbers.

import type { Attributes, BatchObservableResult, Observable } from '@opentelemetry/api';
import { catalogue, type Metric, type MetricName } from './catalogue.ts';

export type RecordMetric = (name: MetricName, value: number, labels?: Attributes) => void;

/** Reads every counter there is, at the moment of a scrape. */
export type MetricsSource = (record: RecordMetric) => void | Promise<void>;

export interface Metrics {
  /** The whole page, text format 0.0.4. */
  render(): Promise<string>;
  close(): Promise<void>;
}

export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** The SDK is loaded by the first scrape: an agent that nobody scrapes pays neither its start-up time nor its memory. */
export function createMetrics(source: MetricsSource): Metrics {
  let pipeline: Promise<Pipeline> | undefined;
  return {
    async render() {
      pipeline ??= openPipeline(source);
      const { collect } = await pipeline;
      return collect();
    },
    async close() {
      await (await pipeline)?.close();
    },
  };
}

interface Pipeline {
  collect(): Promise<string>;
  close(): Promise<void>;
}

async function openPipeline(source: MetricsSource): Promise<Pipeline> {
  const [{ MeterProvider }, { PrometheusExporter, PrometheusSerializer }] = await Promise.all([
    import('@opentelemetry/sdk-metrics'),
    import('@opentelemetry/exporter-prometheus'),
  ]);
  // Its own server is not used: it answers every method and bounds nothing (admin/server.ts does).
  const reader = new PrometheusExporter({ preventServerStart: true });
  const provider = new MeterProvider({ readers: [reader] });
  const meter = provider.getMeter('holdfast');
  const instruments = new Map<MetricName, Observable>();
  for (const [name, metric] of Object.entries(catalogue) as [MetricName, Metric][]) {
    const { description } = metric;
    instruments.set(
      name,
      metric.kind === 'counter'
        ? meter.createObservableCounter(name, { description })
        : meter.createObservableGauge(name, { description }),
    );
  }
  meter.addBatchObservableCallback(
    async (result: BatchObservableResult) => {
      await source((name, value, labels) => result.observe(instruments.get(name)!, value, labels));
    },
    [...instruments.values()],
  );
  // Without scope labels and target_info: the catalogue has its own, as the Collector serves it.
  const serializer = new PrometheusSerializer('', false, undefined, true, true);
  return {
    async collect() {
      const { resourceMetrics, errors } = await reader.collect();
      if (errors.length > 0) throw new AggregateError(errors, 'reading the counters failed');
      return exactNames(serializer.serialize(resourceMetrics));
    },
    close: () => provider.shutdown(),
  };
}

/** The serializer ends every counter's name with `_total`; the Collector's names have none, and are served so. */
function exactNames(page: string): string {
  const lines = page.split('\n').map((line) => {
    const name = /^(?:# (?:HELP|TYPE) )?(\w+)_total(?=[ {])/.exec(line)?.[1];
    const given = name !== undefined && Object.hasOwn(catalogue, name);
    return given ? line.replace(`${name}_total`, name) : line;
  });
  return `${lines.join('\n').trimEnd()}\n`;
}
