// Sends one batch through the exporter until there is an answer that is not "later". Invariant: every wait ends at once
// on stop, and nothing that the exporter does can throw out of here.

import { Deadline } from '../../buffer/deadline.ts';
import { type Clock, sleep } from '../../buffer/ports/clock.ts';
import type { Random } from '../../buffer/ports/random.ts';
import { HoldfastError } from '../../config/error.ts';
import type { Logger } from '../../config/logger.ts';
import type { Delivered, ExportBatch, Exporter, Outcome, Partial, Rejected, Retry } from '../exporter.ts';
import { backoff_ms, MAX_ASKED_WAIT_MS } from './backoff.ts';
import type { DrainConfig } from './config.ts';
import type { DrainTelemetry } from './telemetry.ts';
import { TokenBucket } from './token_bucket.ts';

/** Tried for as long as max_elapsed_time allows, without an answer. */
export interface Expired {
  readonly kind: 'expired';
  readonly reason: string;
}
/** The loop is stopping; nothing is known of the batch. */
export interface Stopped {
  readonly kind: 'stopped';
}
export type Answer = Delivered | Partial | Rejected | Expired | Stopped;

export interface SenderParts {
  readonly exporter: Exporter;
  readonly config: DrainConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly telemetry: DrainTelemetry;
  readonly stop: AbortSignal;
}

/** A lasting trouble is said again this often, ms. */
const SAY_AGAIN_MS = 60_000;

/** What cuts off an attempt: its time-out, or the end of the agent. It serves one attempt after another until it has cut one off. */
class Cut {
  readonly #controller = new AbortController();
  readonly #deadline: Deadline;

  constructor(clock: Clock, timeout_ms: number) {
    this.#deadline = new Deadline(clock, timeout_ms, () => {
      this.abort(new HoldfastError('HF_EXPORT_TIMEOUT', `no answer within ${timeout_ms} ms`, true));
    });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  begin(): void {
    this.#deadline.begin();
  }

  /** False where it cannot serve again. */
  end(): boolean {
    this.#deadline.end();
    return !this.signal.aborted;
  }

  abort(reason: HoldfastError): void {
    this.#controller.abort(reason);
  }

  close(): void {
    this.#deadline.close();
  }
}

export class Sender {
  readonly #parts: SenderParts;
  readonly #bucket: TokenBucket;
  readonly #underWay = new Set<Cut>();
  /** Of attempts that have ended. */
  readonly #cuts: Cut[] = [];
  #cutOff = false;
  #failingSince_ms: number | undefined;
  #saidAt_ms = 0;
  #partialSaidAt_ms: number | undefined;

  constructor(parts: SenderParts) {
    this.#parts = parts;
    this.#bucket = new TokenBucket(parts.config.rate_limit_bytes_per_s);
  }

  /** `storedBytes` is what the rate limit counts. `beforeWait` is called each time before a back-off. */
  async untilAnswered(batch: ExportBatch, storedBytes: number, beforeWait: () => void): Promise<Answer> {
    const { clock, config, random, stop, telemetry } = this.#parts;
    const began_ms = clock.monotonic();
    for (let attempt = 0; ; attempt += 1) {
      await this.#paced(storedBytes);
      if (stop.aborted) return { kind: 'stopped' };
      const outcome = await this.#attempt(batch);
      if (outcome.kind !== 'retry') {
        if (outcome.kind !== 'rejected') this.#count(batch, outcome);
        return outcome;
      }
      telemetry.signals[batch.signal].retries += 1;
      if (stop.aborted) return { kind: 'stopped' };
      const wait_ms = backoff_ms(config.retry, attempt, random.next(), outcome.after_ms);
      const elapsed_ms = clock.monotonic() - began_ms;
      const limit_ms = config.retry.max_elapsed_time_ms;
      if (limit_ms > 0 && elapsed_ms + wait_ms > limit_ms) {
        return { kind: 'expired', reason: `given up after ${Math.round(elapsed_ms)} ms: ${outcome.reason}` };
      }
      this.#sayFailing(outcome, wait_ms);
      beforeWait();
      await sleep(clock, wait_ms, stop);
    }
  }

  /** Cuts off every request under way; none is begun after. */
  cutOff(): void {
    this.#cutOff = true;
    for (const cut of this.#underWay) {
      cut.abort(new HoldfastError('HF_EXPORT_STOPPED', 'the agent stops', true));
    }
  }

  /** Leaves no timer behind, and cuts off what is left under way. */
  close(): void {
    this.cutOff();
    for (const cut of this.#cuts) cut.close();
    this.#cuts.length = 0;
  }

  async #paced(bytes: number): Promise<void> {
    const { clock, stop } = this.#parts;
    for (;;) {
      const wait_ms = this.#bucket.take(bytes, clock.monotonic());
      if (wait_ms === 0 || stop.aborted) return;
      await sleep(clock, wait_ms, stop);
    }
  }

  async #attempt(batch: ExportBatch): Promise<Outcome> {
    if (this.#cutOff) return { kind: 'retry', reason: 'the agent stops' };
    const { clock, config, exporter, logger, telemetry } = this.#parts;
    const cut = this.#cuts.pop() ?? new Cut(clock, config.timeout_ms);
    cut.begin();
    this.#underWay.add(cut);
    telemetry.inFlight += 1;
    try {
      return await exporter.send(batch, cut.signal);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      logger.error('the exporter threw, which is a bug; the batch is sent again', { reason });
      return { kind: 'retry', reason };
    } finally {
      telemetry.inFlight -= 1;
      this.#underWay.delete(cut);
      if (cut.end() && !this.#cutOff) this.#cuts.push(cut);
      else cut.close();
    }
  }

  #count(batch: ExportBatch, outcome: Delivered | Partial): void {
    const counters = this.#parts.telemetry.signals[batch.signal];
    const rejected = outcome.kind === 'partial' ? Math.min(batch.items, outcome.rejectedItems) : 0;
    counters.sentBatches += 1;
    counters.sentItems += batch.items - rejected;
    counters.rejectedItems += rejected;
    counters.sendFailedItems += rejected;
    if (outcome.kind === 'partial') this.#sayPartial(outcome);
    if (this.#failingSince_ms === undefined) return;
    const failed_s = Math.round((this.#parts.clock.monotonic() - this.#failingSince_ms) / 1000);
    this.#failingSince_ms = undefined;
    this.#parts.logger.info('delivering again', { failed_s });
  }

  #sayPartial(outcome: Partial): void {
    const now_ms = this.#parts.clock.monotonic();
    if (this.#partialSaidAt_ms !== undefined && now_ms - this.#partialSaidAt_ms < SAY_AGAIN_MS) return;
    this.#partialSaidAt_ms = now_ms;
    this.#parts.logger.warn('the destination took a batch but refused some of its items for good', {
      rejected_items: outcome.rejectedItems,
      reason: outcome.message,
    });
  }

  #sayFailing(outcome: Retry, wait_ms: number): void {
    const { clock, logger } = this.#parts;
    const now_ms = clock.monotonic();
    if (this.#failingSince_ms !== undefined && now_ms - this.#saidAt_ms < SAY_AGAIN_MS) return;
    this.#failingSince_ms ??= now_ms;
    this.#saidAt_ms = now_ms;
    logger.warn('cannot deliver, trying again', {
      reason: outcome.reason,
      next_try_ms: Math.round(wait_ms),
      ...((outcome.after_ms ?? 0) > MAX_ASKED_WAIT_MS ? { asked_wait_ms: outcome.after_ms } : {}),
    });
  }
}
