// Where entries go that will not be delivered: the dead-letter stream, or, where the configuration says so, nowhere.
// Invariant: an entry counts as resolved only when its dead letter is durable; every entry given up is counted.

import { type Clock, sleep } from '../../buffer/ports/clock.ts';
import type { Random } from '../../buffer/ports/random.ts';
import type { Logger } from '../../config/logger.ts';
import { backoff_ms } from './backoff.ts';
import type { DrainConfig } from './config.ts';
import type { Hold } from './hold.ts';
import type { Slot } from './slot.ts';
import type { DeadLetters } from './source.ts';
import type { DrainTelemetry } from './telemetry.ts';

export interface DisposalParts {
  readonly deadLetters: DeadLetters;
  readonly config: DrainConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly telemetry: DrainTelemetry;
  readonly hold: Hold;
  readonly stop: AbortSignal;
}

export class Disposal {
  readonly #parts: DisposalParts;

  constructor(parts: DisposalParts) {
    this.#parts = parts;
  }

  /** Tries until every entry has its dead letter; false when the loop stopped before, and then none is resolved. */
  async deadLetter(slot: Slot, from: number, to: number, reason: string): Promise<boolean> {
    const { clock, config, deadLetters, hold, random, stop } = this.#parts;
    slot.detach();
    let left = slot.raw.slice(from, to);
    for (let attempt = 0; left.length > 0; attempt += 1) {
      const results = await Promise.allSettled(left.map((entry) => deadLetters.append(entry, reason)));
      left = left.filter((_, i) => results[i]!.status === 'rejected');
      const failure = results.find((result) => result.status === 'rejected');
      if (failure === undefined) break;
      if (stop.aborted) return false;
      hold.enter('no room for dead letters: held, nothing is lost', textOf(failure.reason));
      await sleep(clock, backoff_ms(config.retry, attempt, random.next()), stop);
      if (stop.aborted) return false;
    }
    this.#parts.hold.leave();
    const items = itemsOf(slot, from, to);
    const counters = this.#parts.telemetry.signals[slot.signal];
    counters.deadLetteredEntries += to - from;
    counters.deadLetteredItems += items;
    this.#givenUp(slot, from, to, items, 'dead-lettered', reason);
    return true;
  }

  drop(slot: Slot, from: number, to: number, reason: string): void {
    const items = itemsOf(slot, from, to);
    const counters = this.#parts.telemetry.signals[slot.signal];
    counters.droppedEntries += to - from;
    counters.droppedItems += items;
    this.#givenUp(slot, from, to, items, 'dropped, as on_rejected says', reason);
  }

  /** Nobody will deliver them: counted as failed, said once, and no longer in the way. */
  #givenUp(slot: Slot, from: number, to: number, items: number, what: string, reason: string): void {
    this.#parts.telemetry.signals[slot.signal].sendFailedItems += items;
    const first_offset = slot.offsets[from];
    this.#parts.logger.warn(what, { entries: to - from, items, first_offset, reason });
    slot.resolve(from, to);
  }
}

function itemsOf(slot: Slot, from: number, to: number): number {
  let items = 0;
  for (let i = from; i < to; i += 1) items += slot.entries[i]?.items ?? 0;
  return items;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
