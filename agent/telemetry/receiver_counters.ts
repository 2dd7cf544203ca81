// What one receiver took and refused, by signal and transport: plain numbers, read by metrics and the summary.

import { type Signal, signals } from '../../otlp/signal.ts';

export interface TransportCounts {
  readonly accepted: Record<Signal, number>;
  readonly refused: Record<Signal, number>;
}

export class ReceiverCounters {
  readonly #transports = new Map<string, TransportCounts>();

  /** The counts of one transport; the object is the same for ever, so callers may keep it. */
  of(transport: string): TransportCounts {
    let counts = this.#transports.get(transport);
    if (!counts) {
      counts = { accepted: zeros(), refused: zeros() };
      this.#transports.set(transport, counts);
    }
    return counts;
  }

  entries(): Iterable<[transport: string, counts: TransportCounts]> {
    return this.#transports;
  }

  accepted(): number {
    let sum = 0;
    for (const { accepted } of this.#transports.values())
      for (const signal of signals) sum += accepted[signal];
    return sum;
  }

  refused(): number {
    let sum = 0;
    for (const { refused } of this.#transports.values()) for (const signal of signals) sum += refused[signal];
    return sum;
  }
}

function zeros(): Record<Signal, number> {
  return { traces: 0, metrics: 0, logs: 0 };
}
