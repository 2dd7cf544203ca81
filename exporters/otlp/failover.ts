// Which of several equal destinations a request goes to: the first that works, in the order of the configuration.
// Invariant: one that rests is asked all the same when no other is left, so that a batch always has somewhere to go.

import type { Logger } from '../../config/logger.ts';
import type { Outcome } from '../exporter.ts';

/** How long one that failed is passed over while another works, ms. */
const REST_MS = 30_000;

/** What one destination made of a batch. */
export interface Attempt {
  readonly outcome: Outcome;
  /** Nothing is wrong with the batch as far as anyone knows: another destination may well take it. */
  readonly elsewhere: boolean;
}

export class Failover {
  /** Monotonic ms until which each is passed over; 0: not at all. */
  readonly #restsUntil_ms: number[];
  readonly #destinations: readonly string[];
  readonly #logger: Logger;

  /** @param destinations what each is called in the log, best first. */
  constructor(destinations: readonly string[], logger: Logger) {
    this.#destinations = destinations;
    this.#logger = logger;
    this.#restsUntil_ms = destinations.map(() => 0);
  }

  /** Asks one destination after the other until one of them has an answer that counts, or `signal` aborts. */
  async send(attempt: (index: number) => Promise<Attempt>, signal: AbortSignal): Promise<Outcome> {
    if (this.#destinations.length === 1) return (await attempt(0)).outcome;
    let last: Outcome | undefined;
    for (const index of this.order(performance.now())) {
      if (last !== undefined && signal.aborted) break;
      const { outcome, elsewhere } = await attempt(index);
      if (!elsewhere) {
        this.#worked(index);
        return outcome;
      }
      this.#failed(index, outcome);
      last = outcome;
    }
    return last!;
  }

  /** Indexes, best first: those that work in the configured order, then those that rest, the one longest at rest first. */
  order(now_ms: number): number[] {
    const rank = (index: number): number => {
      const until_ms = this.#restsUntil_ms[index]!;
      return until_ms <= now_ms ? 0 : until_ms;
    };
    return this.#restsUntil_ms.map((_, index) => index).sort((a, b) => rank(a) - rank(b) || a - b);
  }

  #failed(index: number, outcome: Outcome): void {
    const before_ms = this.#restsUntil_ms[index]!;
    this.#restsUntil_ms[index] = performance.now() + REST_MS;
    if (before_ms > 0) return;
    const reason = 'reason' in outcome ? outcome.reason : '';
    this.#logger.warn('a destination failed, the next one is asked', {
      destination: this.#destinations[index],
      reason,
    });
  }

  #worked(index: number): void {
    if (this.#restsUntil_ms[index] === 0) return;
    this.#restsUntil_ms[index] = 0;
    this.#logger.info('a destination works again', { destination: this.#destinations[index] });
  }
}
