// Drains one shard for one exporter: read, batch, send, commit. Knows no backend. Invariant: what is committed was
// delivered, dead-lettered, or dropped by the user's own word; nothing that an exporter or a backend does ends the loop.

import { type Clock, sleep } from '../../buffer/ports/clock.ts';
import type { Random } from '../../buffer/ports/random.ts';
import type { Logger } from '../../config/logger.ts';
import type { Signal } from '../../otlp/signal.ts';
import type { Exporter, Rejected } from '../exporter.ts';
import type { DrainConfig } from './config.ts';
import { Disposal } from './disposal.ts';
import { Feed } from './feed.ts';
import { Hold } from './hold.ts';
import { Inquiry } from './inquiry.ts';
import { Sender } from './sender.ts';
import type { Slot } from './slot.ts';
import type { DeadLetters, Source } from './source.ts';
import type { DrainTelemetry } from './telemetry.ts';
import { Trouble } from './trouble.ts';
import { Wake } from './wake.ts';
import { Window } from './window.ts';

export interface DrainLoopOptions {
  readonly exporter: Exporter;
  readonly source: Source;
  readonly deadLetters: DeadLetters;
  readonly config: DrainConfig;
  /** What the stream carries: entries that cannot be read are counted under it. */
  readonly signal: Signal;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** May be shared by the loops of one exporter. */
  readonly telemetry: DrainTelemetry;
}

export interface DrainState {
  readonly source: string;
  readonly committed: number;
  /** Requests sent or waiting to be sent again. */
  readonly inFlight: number;
  /** Batches read and not yet committed. */
  readonly uncommittedBatches: number;
  /** Refused entries of which it is not yet known whether they are poison. */
  readonly suspects: number;
  readonly held: boolean;
  readonly heldReason?: string;
  /** The loop met a broken invariant and stands still; nothing more is committed. */
  readonly failed: boolean;
}

/** What an exporter gets, after the deadline cut its request off, to settle before it is left behind. */
const LEFT_BEHIND_AFTER_MS = 250;
/** Batches past one that is not answered, with several in flight: what a crash would send again stays bounded. */
const UNCOMMITTED_BATCHES_MAX = 256;

export class DrainLoop {
  readonly #options: DrainLoopOptions;
  readonly #stopping = new AbortController();
  readonly #wake = new Wake();
  readonly #window: Window;
  readonly #feed: Feed;
  readonly #sender: Sender;
  readonly #disposal: Disposal;
  readonly #trouble: Trouble;
  readonly #inquiry = new Inquiry();
  readonly #hold: Hold;
  #inFlight = 0;
  #running: Promise<void> | undefined;
  #failed = false;

  constructor(options: DrainLoopOptions) {
    this.#options = options;
    const { source, config, clock, telemetry } = options;
    const logger = options.logger.with({ source: source.name });
    const stop = this.#stopping.signal;
    const wake = this.#wake;
    this.#hold = new Hold(logger, telemetry, clock);
    this.#window = new Window(source);
    this.#feed = new Feed({
      reader: source.reader(),
      batch: config.batch,
      signal: options.signal,
      clock,
      wake,
      stop,
      readFailed: (error) => {
        logger.error('cannot read the log, trying again', { reason: String(error) });
      },
    });
    const shared = { ...options, logger, stop, wake, hold: this.#hold };
    this.#sender = new Sender(shared);
    this.#disposal = new Disposal(shared);
    this.#trouble = new Trouble({
      ...shared,
      inquiry: this.#inquiry,
      sender: this.#sender,
      disposal: this.#disposal,
      window: this.#window,
      feed: this.#feed,
    });
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /**
   * Ends every wait at once, lets requests under way finish until `deadline` aborts, and commits what was delivered.
   * Resolves soon after the deadline whatever the backend and the disk do.
   */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#stopping.abort();
    this.#wake.notify();
    const cutOff = (): void => this.#sender.cutOff();
    if (deadline.aborted) cutOff();
    else deadline.addEventListener('abort', cutOff, { once: true });
    await this.#orLeftBehind(this.#running ?? Promise.resolve(), deadline);
    deadline.removeEventListener('abort', cutOff);
    this.#hold.leave();
    this.#feed.close();
    this.#sender.close();
    this.#window.close();
    // A request that ignores its abort may still read its entries: their memory is not given back.
    if (this.#inFlight === 0) this.#window.letGo();
    const flushed = this.#options.source.flush().catch((error: unknown) => {
      this.#options.logger.error(
        'the last committed offset may not be on disk: what it covers is sent again',
        {
          source: this.#options.source.name,
          reason: String(error),
        },
      );
    });
    await this.#orLeftBehind(flushed, deadline);
  }

  state(): DrainState {
    const heldReason = this.#hold.reason;
    return {
      source: this.#options.source.name,
      committed: this.#options.source.committed(),
      inFlight: this.#inFlight,
      uncommittedBatches: this.#window.length,
      suspects: this.#inquiry.entries,
      held: heldReason !== undefined,
      ...(heldReason === undefined ? {} : { heldReason }),
      failed: this.#failed,
    };
  }

  async #run(): Promise<void> {
    const stop = this.#stopping.signal;
    try {
      while (!stop.aborted && !this.#failed) {
        if (this.#trouble.isOpen) {
          if (this.#inFlight === 0) {
            await this.#guarded(this.#trouble.run());
            continue;
          }
        } else if (this.#mayLaunch) {
          const slot = this.#feed.draw();
          if (slot !== undefined) {
            this.#launch(slot);
            continue;
          }
        }
        await this.#wake.wait();
      }
    } catch (error) {
      this.#fail(error);
    }
    while (this.#inFlight > 0) await this.#wake.wait();
  }

  get #mayLaunch(): boolean {
    return (
      this.#inFlight < this.#options.config.max_in_flight && this.#window.length < UNCOMMITTED_BATCHES_MAX
    );
  }

  /** Counts trouble as in flight, so that stop knows whether a request was left behind. */
  async #guarded(work: Promise<void>): Promise<void> {
    this.#inFlight += 1;
    try {
      await work;
    } finally {
      this.#inFlight -= 1;
    }
  }

  #launch(slot: Slot): void {
    this.#window.push(slot);
    if (slot.unresolved === 0) {
      this.#window.advance();
      return;
    }
    this.#inFlight += 1;
    void this.#deliver(slot);
  }

  async #deliver(slot: Slot): Promise<void> {
    try {
      if (slot.undecodable === undefined) await this.#settle(slot);
      else await this.#disposal.deadLetter(slot, 0, 1, slot.undecodable);
      this.#window.advance();
    } catch (error) {
      this.#fail(error);
    }
    this.#inFlight -= 1;
    this.#wake.notify();
  }

  async #settle(slot: Slot): Promise<void> {
    const answer = await this.#sender.untilAnswered(slot, slot.storedBytes, () => {
      slot.detach();
      this.#feed.detach();
    });
    if (answer.kind === 'stopped') return;
    if (answer.kind === 'rejected') await this.#rejected(slot, answer);
    else if (answer.kind === 'expired') {
      await this.#disposal.deadLetter(slot, 0, slot.raw.length, answer.reason);
    } else {
      slot.resolve(0, slot.raw.length);
      this.#inquiry.acceptedElsewhere();
      if (!this.#trouble.isOpen) this.#feed.attach();
    }
  }

  async #rejected(slot: Slot, answer: Rejected): Promise<void> {
    const splits = answer.tooLarge === true && slot.entries.length > 1;
    const { on_rejected } = this.#options.config;
    if (on_rejected === 'drop' && !splits) this.#disposal.drop(slot, 0, slot.raw.length, answer.reason);
    else if (on_rejected === 'dead_letter' && !splits) {
      await this.#disposal.deadLetter(slot, 0, slot.raw.length, answer.reason);
    } else this.#trouble.open(slot, answer);
  }

  #fail(error: unknown): void {
    this.#failed = true;
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#options.logger.error('a broken invariant: this shard is not drained any further', {
      source: this.#options.source.name,
      reason,
    });
  }

  /** Resolves with `work`, or a little after the deadline. */
  async #orLeftBehind(work: Promise<void>, deadline: AbortSignal): Promise<void> {
    const finished = new AbortController();
    const patience = new Promise<void>((resolve) => {
      const begin = (): void => {
        void sleep(this.#options.clock, LEFT_BEHIND_AFTER_MS, finished.signal).then(resolve);
      };
      if (deadline.aborted) begin();
      else deadline.addEventListener('abort', begin, { once: true, signal: finished.signal });
    });
    await Promise.race([work, patience]);
    finished.abort();
  }
}
