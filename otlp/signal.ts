// The signals of OTLP and what one item of each is called.

export const signals = ['traces', 'metrics', 'logs'] as const;
export type Signal = (typeof signals)[number];

/** The Collector's word for one item of a signal, as its metric names use it. */
export const itemName: Readonly<Record<Signal, 'spans' | 'metric_points' | 'log_records'>> = {
  traces: 'spans',
  metrics: 'metric_points',
  logs: 'log_records',
};
