// Counts switches of blocks: why, how long the first entry waited for its switch, how full the block was, and how often a
// switch was considered and put off. Invariant: plain numbers, touched once a commit, never for an entry.

import { type SwitchReason, switchReasons } from './switch_policy.ts';

export interface Spread {
  readonly min: number;
  readonly mean: number;
  readonly max: number;
}

export interface SwitchStats {
  readonly reasons: Readonly<Record<SwitchReason, number>>;
  /** Put off: `busy`, it was due while a commit was under way; `lingering`, company was expected. */
  readonly skipped: { readonly busy: number; readonly lingering: number };
  /** From the first entry in the block until the switch; all 0 where there was none. */
  readonly latency_ms: Spread;
  readonly fill_bytes: Spread;
}

export class SwitchMeter {
  readonly #reasons = Object.fromEntries(switchReasons.map((reason) => [reason, 0])) as Record<
    SwitchReason,
    number
  >;
  #switches = 0;
  busy = 0;
  lingering = 0;
  #latency_ms_min = Number.POSITIVE_INFINITY;
  #latency_ms_max = 0;
  #latency_ms_total = 0;
  #fill_bytes_min = Number.POSITIVE_INFINITY;
  #fill_bytes_max = 0;
  #fill_bytes_total = 0;

  switched(reason: SwitchReason, latency_ms: number, fill_bytes: number): void {
    this.#reasons[reason] += 1;
    this.#switches += 1;
    this.#latency_ms_total += latency_ms;
    this.#latency_ms_min = Math.min(this.#latency_ms_min, latency_ms);
    this.#latency_ms_max = Math.max(this.#latency_ms_max, latency_ms);
    this.#fill_bytes_total += fill_bytes;
    this.#fill_bytes_min = Math.min(this.#fill_bytes_min, fill_bytes);
    this.#fill_bytes_max = Math.max(this.#fill_bytes_max, fill_bytes);
  }

  stats(): SwitchStats {
    const spread = (min: number, total: number, max: number): Spread =>
      this.#switches === 0 ? { min: 0, mean: 0, max: 0 } : { min, mean: total / this.#switches, max };
    return {
      reasons: { ...this.#reasons },
      skipped: { busy: this.busy, lingering: this.lingering },
      latency_ms: spread(this.#latency_ms_min, this.#latency_ms_total, this.#latency_ms_max),
      fill_bytes: spread(this.#fill_bytes_min, this.#fill_bytes_total, this.#fill_bytes_max),
    };
  }
}
