// A receiver's only view of what lies behind it: entries go into the shard of their resource, and the answer comes when
// they are durable. Invariant: an item is counted as accepted only after its group commit, else as refused, never both.

import { EntryTooLarge, LogFull } from '../buffer/errors.ts';
import { HoldfastError } from '../config/error.ts';
import { encodeEntryHeader } from '../otlp/entry.ts';
import type { Signal } from '../otlp/signal.ts';
import {
  type Intake,
  type IntakeEntry,
  IntakeFull,
  IntakeTooLarge,
  type Ticket,
} from '../receivers/receiver.ts';
import type { ReceiverCounters, TransportCounts } from './telemetry/receiver_counters.ts';

/** As much of a shard as taking in needs. */
export interface IntakeShard {
  appendParts(parts: readonly Uint8Array[]): number;
  durable(offset: number): Promise<void>;
}

/** As much of a stream as taking in needs. */
export interface IntakeStream {
  shardFor(key: number): IntakeShard;
}

export interface IntakeOptions {
  /** One stream per signal that some pipeline of the receiver takes. */
  readonly streams: ReadonlyMap<Signal, IntakeStream>;
  readonly counters: ReceiverCounters;
  /** Milliseconds that never go back. */
  readonly monotonic: () => number;
}

/** After a refusal, how long `admit` says no without asking the log again, ms: short, so that healing shows at once. */
const REFUSAL_HELD_MS = 250;
/** When to come back after an error that says nothing of it, seconds. */
const RETRY_AFTER_S = 1;
/** The same for a log that is closing or broken: a restart is what helps. */
const RETRY_AFTER_RESTART_S = 5;

/** What waits on one group commit of one shard: its ticket, shared by all, and the items to count when it settles. */
interface Waiting {
  readonly durable: Promise<void>;
  readonly ticket: Ticket;
  readonly items: { counts: TransportCounts; signal: Signal; items: number }[];
}

export class ReceiverIntake implements Intake {
  readonly signals: ReadonlySet<Signal>;
  readonly #streams: ReadonlyMap<Signal, IntakeStream>;
  readonly #counters: ReceiverCounters;
  readonly #monotonic: () => number;
  readonly #waiting = new Map<IntakeShard, Waiting>();
  #refusal: { readonly error: IntakeFull; readonly until_ms: number } | undefined;

  constructor(options: IntakeOptions) {
    this.#streams = options.streams;
    this.signals = new Set(options.streams.keys());
    this.#counters = options.counters;
    this.#monotonic = options.monotonic;
  }

  append(entry: IntakeEntry, transport: string): Ticket {
    const counts = this.#counters.of(transport);
    const stream = this.#streams.get(entry.signal);
    if (!stream) throw new HoldfastError('HF_INTAKE_NO_PIPELINE', `no pipeline takes ${entry.signal}`, false);
    const shard = stream.shardFor(entry.shardKey);
    const header = encodeEntryHeader(entry.signal, entry.codec, entry.items, entry.rawLength);
    let durable: Promise<void>;
    try {
      durable = shard.durable(shard.appendParts([header, entry.bytes]));
    } catch (error) {
      counts.refused[entry.signal] += entry.items;
      throw this.#refused(error);
    }
    let waiting = this.#waiting.get(shard);
    if (waiting?.durable !== durable) {
      waiting = this.#wait(shard, durable);
    }
    add(waiting, counts, entry.signal, entry.items);
    return waiting.ticket;
  }

  admit(_bytes: number): void {
    if (!this.#refusal) return;
    if (this.#monotonic() < this.#refusal.until_ms) throw this.#refusal.error;
    this.#refusal = undefined;
  }

  refused(signal: Signal, transport: string, items: number): void {
    this.#counters.of(transport).refused[signal] += items;
  }

  #wait(shard: IntakeShard, durable: Promise<void>): Waiting {
    const items: Waiting['items'] = [];
    // Nothing may join a commit that has settled: it would never be counted.
    const close = (): void => {
      if (this.#waiting.get(shard) === waiting) this.#waiting.delete(shard);
    };
    const settled = durable.then(
      () => {
        close();
        for (const each of items) each.counts.accepted[each.signal] += each.items;
      },
      (error: unknown) => {
        close();
        for (const each of items) each.counts.refused[each.signal] += each.items;
        throw this.#refused(error);
      },
    );
    // A client that went away waits for nothing; its entry's failure must not end the process.
    settled.catch(() => {});
    const waiting: Waiting = { durable, ticket: { durable: settled }, items };
    this.#waiting.set(shard, waiting);
    return waiting;
  }

  /** The error as a receiver knows it. Only what no waiting can help is final: a client drops what it is told is final. */
  #refused(error: unknown): HoldfastError {
    if (error instanceof EntryTooLarge) return new IntakeTooLarge(error.message);
    const full =
      error instanceof LogFull
        ? new IntakeFull(error.message, error.retryAfter_s, error)
        : error instanceof HoldfastError && error.retryable
          ? new IntakeFull(error.message, RETRY_AFTER_S, error)
          : new IntakeFull(reasonOf(error), RETRY_AFTER_RESTART_S, error);
    this.#refusal = { error: full, until_ms: this.#monotonic() + REFUSAL_HELD_MS };
    return full;
  }
}

function add(waiting: Waiting, counts: TransportCounts, signal: Signal, items: number): void {
  // A handful of transports and signals at most, so a list beats a map.
  for (const each of waiting.items) {
    if (each.counts === counts && each.signal === signal) {
      each.items += items;
      return;
    }
  }
  waiting.items.push({ counts, signal, items });
}

function reasonOf(error: unknown): string {
  return error instanceof HoldfastError ? error.message : 'the storage failed; the log of the agent says why';
}
