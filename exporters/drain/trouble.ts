// What happens after a destination said no for good: asks with halves, tells poison from outage (inquiry.ts), and where
// nothing is accepted holds and probes. Invariant: one request at a time, and while held one per back-off.

import type { Clock } from '../../buffer/ports/clock.ts';
import type { Random } from '../../buffer/ports/random.ts';
import type { ExportBatch, Rejected } from '../exporter.ts';
import { backoff_ms } from './backoff.ts';
import type { DrainConfig } from './config.ts';
import type { Disposal } from './disposal.ts';
import type { Feed } from './feed.ts';
import type { Hold } from './hold.ts';
import { type Group, type Inquiry, sizeOf } from './inquiry.ts';
import type { Sender } from './sender.ts';
import type { Slot } from './slot.ts';
import type { Wake } from './wake.ts';
import type { Window } from './window.ts';

/** Slots read past the front to find something that is accepted, while nothing is. */
const LOOKAHEAD_MAX = 4;
/** Every so many probes one goes to a neighbour instead of the front. */
const NEIGHBOUR_EVERY = 3;

export interface TroubleParts {
  readonly inquiry: Inquiry;
  readonly sender: Sender;
  readonly disposal: Disposal;
  readonly window: Window;
  readonly feed: Feed;
  readonly hold: Hold;
  readonly wake: Wake;
  readonly clock: Clock;
  readonly random: Random;
  readonly config: DrainConfig;
  readonly stop: AbortSignal;
}

export class Trouble {
  readonly #parts: TroubleParts;
  #reason = '';
  #attempt = 0;
  #turn = 0;
  #neighboursRefused = 0;

  constructor(parts: TroubleParts) {
    this.#parts = parts;
  }

  get isOpen(): boolean {
    return !this.#parts.inquiry.isEmpty;
  }

  /** Takes over a slot that was refused as a whole. */
  open(slot: Slot, rejected: Rejected): void {
    const { inquiry, feed } = this.#parts;
    slot.detach();
    feed.detach();
    const group = inquiry.add(slot);
    inquiry.refused(group, rejected.tooLarge !== true || sizeOf(group) === 1);
    this.#reason = rejected.reason;
    this.#learnSize(slot, rejected);
  }

  /** Until nothing is unresolved, or the loop stops. */
  async run(): Promise<void> {
    const { inquiry, feed, hold } = this.#parts;
    this.#accepted();
    let worthAsking = true;
    while (!inquiry.isEmpty && !this.#parts.stop.aborted) {
      if (worthAsking) {
        const accepted = await this.#round();
        // The round may have ended because its requests were spent: then there is progress, and the rest is asked.
        worthAsking = accepted && inquiry.next() !== undefined;
        if (worthAsking || inquiry.isEmpty) continue;
      }
      const neighbour = this.#neighboursRefused === 0 ? this.#nextSlot() : undefined;
      worthAsking = neighbour ? await this.#askNeighbour(neighbour) : await this.#probe();
    }
    if (inquiry.isEmpty) {
      hold.leave();
      feed.attach();
    }
  }

  /** Asks what can be asked without waiting, within the budget; true when something was accepted. */
  async #round(): Promise<boolean> {
    const { inquiry, stop } = this.#parts;
    let accepted = false;
    for (let left = inquiry.budget; left > 0 && !stop.aborted; left -= 1) {
      const group = inquiry.next();
      if (group === undefined) break;
      accepted = (await this.#ask(group)) || accepted;
    }
    return accepted;
  }

  /** True when it was accepted, or is several entries refused for the first time: both are worth a round. */
  async #askNeighbour(slot: Slot): Promise<boolean> {
    const { inquiry, hold, window } = this.#parts;
    window.push(slot);
    if (slot.undecodable !== undefined) {
      await this.#parts.disposal.deadLetter(slot, 0, 1, slot.undecodable);
      window.advance();
      return false;
    }
    if (slot.unresolved === 0) {
      window.advance();
      return false;
    }
    const group = inquiry.add(slot);
    if (await this.#ask(group)) return true;
    this.#neighboursRefused += 1;
    return sizeOf(group) > 1 && hold.reason === undefined;
  }

  /** The destination takes nothing: one request after a back-off. True when it was accepted. */
  async #probe(): Promise<boolean> {
    const { clock, config, feed, hold, inquiry, random, stop } = this.#parts;
    hold.enter('the destination refuses what it is sent: held, nothing is lost, trying again', this.#reason);
    inquiry.hold();
    const wait_ms = backoff_ms(config.retry, this.#attempt, random.next());
    this.#attempt += 1;
    this.#turn += 1;
    const room = this.#looksAhead && this.#neighboursRefused < LOOKAHEAD_MAX;
    // At the end of the log the next entry to come is the neighbour that is waited for.
    const awaited = room && !feed.hasEntries;
    await this.#pause(wait_ms, clock.monotonic() + wait_ms, awaited);
    if (stop.aborted) return false;
    if (room && ((awaited && feed.hasEntries) || this.#turn % NEIGHBOUR_EVERY === 0)) {
      const slot = this.#nextSlot();
      if (slot !== undefined) return this.#askNeighbour(slot);
    }
    return this.#ask(inquiry.probe(this.#turn));
  }

  async #pause(wait_ms: number, until_ms: number, untilEntries: boolean): Promise<void> {
    const { clock, feed, stop, wake } = this.#parts;
    const timer = clock.setTimer(() => wake.notify(), wait_ms);
    while (!stop.aborted && clock.monotonic() < until_ms && !(untilEntries && feed.hasEntries)) {
      await wake.wait();
    }
    timer.cancel();
  }

  get #looksAhead(): boolean {
    return this.#parts.config.on_rejected === 'auto';
  }

  #nextSlot(): Slot | undefined {
    return this.#looksAhead ? this.#parts.feed.take() : undefined;
  }

  /** Asks one group and draws the conclusion; true when it was accepted. */
  async #ask(group: Group): Promise<boolean> {
    const { sender, inquiry, disposal, window, feed } = this.#parts;
    const { slot, from, to } = group;
    const batch = batchOf(group);
    const answer = await sender.untilAnswered(batch, storedBytesOf(group), () => {
      slot.detach();
      feed.detach();
    });
    if (answer.kind === 'stopped') return false;
    if (answer.kind === 'rejected') {
      this.#reason = answer.reason;
      await this.#refused(group, answer);
      return false;
    }
    if (answer.kind === 'expired') {
      inquiry.remove(group);
      await disposal.deadLetter(slot, from, to, answer.reason);
    } else {
      inquiry.accepted(group);
      slot.resolve(from, to);
      this.#accepted();
    }
    window.advance();
    return answer.kind !== 'expired';
  }

  async #refused(group: Group, rejected: Rejected): Promise<void> {
    const { inquiry, disposal, window, config } = this.#parts;
    const { slot, from, to } = group;
    const splits = rejected.tooLarge === true && sizeOf(group) > 1;
    inquiry.refused(group, !splits);
    this.#learnSize(batchOf(group), rejected);
    if (config.on_rejected === 'drop' && !splits) {
      inquiry.remove(group);
      disposal.drop(slot, from, to, rejected.reason);
    } else if (
      (config.on_rejected === 'dead_letter' && !splits) ||
      (config.on_rejected === 'auto' && inquiry.isPoison(group))
    ) {
      if (await disposal.deadLetter(slot, from, to, rejected.reason)) inquiry.remove(group);
    } else return;
    window.advance();
  }

  #accepted(): void {
    this.#attempt = 0;
    this.#neighboursRefused = 0;
    this.#parts.hold.leave();
  }

  /** What was too large once need not be tried again with every batch. */
  #learnSize(batch: ExportBatch, rejected: Rejected): void {
    const { feed } = this.#parts;
    if (rejected.tooLarge !== true || batch.entries.length < 2) return;
    const half = batch.rawBytes >> 1;
    if (half > 0 && half < feed.max_bytes) feed.limitBytes(half);
  }
}

function batchOf(group: Group): ExportBatch {
  const { slot, from, to } = group;
  if (from === 0 && to === slot.entries.length) return slot;
  const entries = slot.entries.slice(from, to);
  let items = 0;
  let rawBytes = 0;
  for (const entry of entries) {
    items += entry.items;
    rawBytes += entry.rawLength;
  }
  return { signal: slot.signal, entries, items, rawBytes };
}

function storedBytesOf(group: Group): number {
  let bytes = 0;
  for (let i = group.from; i < group.to; i += 1) bytes += group.slot.raw[i]!.length;
  return bytes;
}
