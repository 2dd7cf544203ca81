// What every exporter can set about how it is drained; the keys are the Collector's where it has them.
// (Schema and defaults; see drain/README.md.)
export interface DrainConfig {
  readonly retry: {
    readonly initial_interval_ms: number;
    readonly max_interval_ms: number;
    readonly multiplier: number;
    /** 0 jitter is exact, 0.5 spreads each wait over ±50 %. */
    readonly randomization_factor: number;
    /** 0 is for ever. After it the batch is dead-lettered. */
    readonly max_elapsed_time_ms: number;
  };
  readonly timeout_ms: number;
  readonly batch: {
    /** Raw bytes that one request may hold; an entry above it goes alone. */
    readonly max_bytes: number;
    readonly max_items: number;
    /** Entries of at least this raw length leave alone, byte for byte as they came. */
    readonly passthrough_bytes: number;
    readonly flush_timeout_ms: number;
  };
  readonly max_in_flight: number;
  /** Bytes per second on the wire; 0 is unlimited. */
  readonly rate_limit_bytes_per_s: number;
  readonly on_rejected: 'hold' | 'dead_letter' | 'drop' | 'auto';
  readonly protect: boolean;
  readonly max_lag: { readonly bytes?: number; readonly age_ms?: number };
}
