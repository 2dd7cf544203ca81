// A receiver's only view of what lies behind it: entries go into the shard of their resource, and the answer comes when
// they are durable. Invariant: an item is counted as accepted only after its group commit, else as refused, never both.

import { EntryTooLarge, LogFull } from '../buffer/index.ts';
import { HoldfastError } from '../config/error.ts';
import { ENTRY_HEADER_BYTES, encodeEntryHeader } from '../otlp/entry.ts';
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
  /** Throws unless an entry of `bytes` could be appended now. */
  admit(bytes: number): void;
}

/** As much of a stream as taking in needs. */
export interface IntakeStream {
  readonly shards: readonly unknown[];
  shardOf(key: number): IntakeShard;
}

export interface IntakeOptions {
  /** One stream per signal that some pipeline of the receiver takes. */
  readonly streams: ReadonlyMap<Signal, IntakeStream>;
  readonly counters: ReceiverCounters;
}

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
  /** Every shard that takes entries. */
  readonly #shards: readonly IntakeShard[];
  readonly #waiting = new Map<IntakeShard, Waiting>();
  /** Of the entry that is being appended. */
  readonly #header = new Uint8Array(ENTRY_HEADER_BYTES);

  constructor(options: IntakeOptions) {
    this.#streams = options.streams;
    this.signals = new Set(options.streams.keys());
    this.#counters = options.counters;
    const shards = [...options.streams.values()].flatMap((stream) =>
      stream.shards.map((_, index) => stream.shardOf(index)),
    );
    this.#shards = [...new Set(shards)];
  }

  append(entry: IntakeEntry, transport: string): Ticket {
    const counts = this.#counters.of(transport);
    const stream = this.#streams.get(entry.signal);
    if (!stream) throw new HoldfastError('HF_INTAKE_NO_PIPELINE', `no pipeline takes ${entry.signal}`, false);
    const shard = stream.shardOf(entry.shardKey);
    const { codec, items, rawLength } = entry;
    const header = encodeEntryHeader(entry.signal, codec, items, rawLength, this.#header);
    let durable: Promise<void>;
    try {
      durable = shard.durable(shard.appendParts([header, entry.bytes]));
    } catch (error) {
      counts.refused[entry.signal] += entry.items;
      throw refusedBy(error);
    }
    let waiting = this.#waiting.get(shard);
    if (waiting?.durable !== durable) {
      waiting = this.#wait(shard, durable);
    }
    add(waiting, counts, entry.signal, entry.items);
    return waiting.ticket;
  }

  admit(bytes: number): void {
    let refusal: unknown;
    // Which shard it will be is in the body that was not read yet: one that takes entries is reason enough to read it.
    for (const shard of this.#shards) {
      try {
        shard.admit(bytes);
        return;
      } catch (error) {
        refusal = error;
      }
    }
    if (refusal !== undefined) throw refusedBy(refusal);
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
        throw refusedBy(error);
      },
    );
    // A client that went away waits for nothing; its entry's failure must not end the process.
    settled.catch(() => {});
    const waiting: Waiting = { durable, ticket: { durable: settled }, items };
    this.#waiting.set(shard, waiting);
    return waiting;
  }
}

/** The error as a receiver knows it. Only what no waiting can help is final: a client drops what it is told is final. */
function refusedBy(error: unknown): HoldfastError {
  if (error instanceof EntryTooLarge) return new IntakeTooLarge(error.message);
  if (error instanceof LogFull) return new IntakeFull(error.message, error.retryAfter_s, error);
  if (error instanceof HoldfastError && error.retryable) {
    return new IntakeFull(error.message, RETRY_AFTER_S, error);
  }
  return new IntakeFull(reasonOf(error), RETRY_AFTER_RESTART_S, error);
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
