// Reads ahead by one read and forms slots out of what came, in log order. Invariant: every entry read is handed out in
// exactly one slot, and whenever nothing that was read is left a read is under way, or begins soon.

import type { Batch, Reader } from '../../buffer/batch.ts';
import type { Clock, Timer } from '../../buffer/ports/clock.ts';
import { sleep } from '../../buffer/ports/clock.ts';
import { decodeEntry, type Entry } from '../../otlp/entry.ts';
import type { Signal } from '../../otlp/signal.ts';
import { type BatchLimits, isFull, isWorthSending, mayJoin } from './batching.ts';
import type { DrainConfig } from './config.ts';
import { ownCopies } from './own_copies.ts';
import { Slot } from './slot.ts';
import type { Wake } from './wake.ts';

const READ_ENTRIES_MAX = 8_192;
/** While a batch waits for more anyway, what comes within this time is read together: a read for each small commit costs more than it brings. */
const READS_APART_MS = 5;
/** After a read that failed, or ended without a reason. */
const READ_PAUSE_MS = 1_000;

/** What one read gave, and how far it is used up. */
interface Chunk {
  entries: readonly Uint8Array[];
  readonly offsets: readonly number[];
  readonly next: number;
  /** Keeps the memory under `entries`; undefined where they are copies. */
  lease: Batch | undefined;
  position: number;
}

export interface FeedParts {
  readonly reader: Reader;
  readonly batch: DrainConfig['batch'];
  /** The signal under which an entry is counted that cannot be read. */
  readonly signal: Signal;
  readonly clock: Clock;
  readonly wake: Wake;
  readonly stop: AbortSignal;
  readonly readFailed: (error: unknown) => void;
}

export class Feed {
  readonly #parts: FeedParts;
  #limits: BatchLimits;
  #chunk: Chunk | undefined;
  #reading = false;
  #closed = false;
  #detached = false;
  #draft: Slot | undefined;
  #draftedAt_ms = 0;
  #flushTimer: Timer | undefined;
  #readTimer: Timer | undefined;

  constructor(parts: FeedParts) {
    this.#parts = parts;
    this.#limits = parts.batch;
  }

  get max_bytes(): number {
    return this.#limits.max_bytes;
  }

  /** What the destination turned out to take. */
  limitBytes(max_bytes: number): void {
    this.#limits = { ...this.#limits, max_bytes };
  }

  /** The next slot that is ready to leave; undefined when it is better to wait, and then `wake` says when to ask again. */
  draw(): Slot | undefined {
    const closed = this.#absorb(false);
    const draft = this.#draft;
    if (draft === undefined) return undefined;
    const waits_ms = this.#draftedAt_ms + this.#parts.batch.flush_timeout_ms - this.#parts.clock.monotonic();
    if (closed || isWorthSending(draft, this.#limits) || waits_ms <= 0) return this.#handOver(draft);
    this.#flushTimer ??= this.#parts.clock.setTimer(() => this.#parts.wake.notify(), waits_ms);
    return undefined;
  }

  /** As little as there is, at once: a neighbour to tell poison from outage by. Undefined when nothing was read. */
  take(): Slot | undefined {
    this.#absorb(true);
    return this.#draft === undefined ? undefined : this.#handOver(this.#draft);
  }

  /** True when `take` would give something. */
  get hasEntries(): boolean {
    return this.#draft !== undefined || this.#chunk !== undefined;
  }

  /** From now on all that is read ahead lies in memory of our own: somebody waits, for who knows how long. */
  detach(): void {
    this.#detached = true;
    this.#draft?.detach();
    if (this.#chunk !== undefined) detachChunk(this.#chunk);
  }

  /** Back to views of the log's memory. */
  attach(): void {
    this.#detached = false;
  }

  close(): void {
    this.#closed = true;
    this.#flushTimer?.cancel();
    this.#readTimer?.cancel();
    this.#draft?.letGo();
    this.#chunk?.lease?.release();
    this.#draft = undefined;
    this.#chunk = undefined;
    this.#parts.reader.close();
  }

  #handOver(draft: Slot): Slot {
    this.#flushTimer?.cancel();
    this.#flushTimer = undefined;
    this.#draft = undefined;
    return draft;
  }

  /** Moves entries into the draft until it is closed or nothing is left; true when closed. */
  #absorb(light: boolean): boolean {
    for (let chunk = this.#chunk; chunk !== undefined; ) {
      if (chunk.position >= chunk.entries.length) {
        this.#finish(chunk);
        break;
      }
      if (light && this.#draft !== undefined) return true;
      const raw = chunk.entries[chunk.position]!;
      const entry = decoded(raw);
      if (entry instanceof Error) {
        if (this.#draft !== undefined) return true;
        const slot = this.#newDraft(this.#parts.signal, chunk);
        slot.addUndecodable(raw, ...placeOf(chunk), entry.message);
        this.#step(chunk);
        return true;
      }
      if (this.#draft !== undefined && !mayJoin(this.#draft, entry, this.#limits)) return true;
      const draft = this.#draft ?? this.#newDraft(entry.signal, chunk);
      draft.add(entry, raw, ...placeOf(chunk));
      this.#step(chunk);
      if (isFull(draft, this.#limits)) return true;
    }
    this.#read();
    return this.#draft !== undefined && this.#isClosed(this.#draft);
  }

  #isClosed(draft: Slot): boolean {
    // A slot without entries only moves the committed offset over what was lost.
    return draft.undecodable !== undefined || draft.raw.length === 0 || isFull(draft, this.#limits);
  }

  #newDraft(signal: Signal, chunk: Chunk): Slot {
    this.#draft = new Slot(signal, chunk.next);
    this.#draftedAt_ms = this.#parts.clock.monotonic();
    return this.#draft;
  }

  #step(chunk: Chunk): void {
    chunk.position += 1;
    if (chunk.position < chunk.entries.length) return;
    this.#finish(chunk);
    this.#read();
  }

  #finish(chunk: Chunk): void {
    if (this.#chunk !== chunk) return;
    if (chunk.entries.length === 0) {
      if (this.#draft === undefined) this.#newDraft(this.#parts.signal, chunk);
      else this.#draft.next = chunk.next;
    }
    this.#chunk = undefined;
    chunk.lease?.release();
  }

  /** At once, or a little later where there is a batch to which what comes meanwhile will be added. */
  #read(): void {
    if (this.#reading || this.#closed || this.#chunk !== undefined || this.#parts.stop.aborted) return;
    const draft = this.#draft;
    if (draft !== undefined && !this.#isClosed(draft) && !isWorthSending(draft, this.#limits)) {
      this.#readTimer ??= this.#parts.clock.setTimer(() => this.#begin(), READS_APART_MS);
    } else this.#begin();
  }

  #begin(): void {
    this.#readTimer?.cancel();
    this.#readTimer = undefined;
    if (this.#parts.stop.aborted) return;
    this.#reading = true;
    void this.#readOnce();
  }

  async #readOnce(): Promise<void> {
    const { reader, clock, wake, stop, batch } = this.#parts;
    let read: Batch | undefined;
    try {
      read = await reader.read({ maxBytes: batch.max_bytes, maxEntries: READ_ENTRIES_MAX, signal: stop });
    } catch (error) {
      if (!stop.aborted) this.#parts.readFailed(error);
    }
    if (this.#closed) {
      read?.release();
      return;
    }
    if (read === undefined) await sleep(clock, READ_PAUSE_MS, stop);
    else this.#chunk = this.#chunkOf(read);
    this.#reading = false;
    wake.notify();
  }

  #chunkOf(read: Batch): Chunk {
    const chunk: Chunk = {
      entries: read.entries,
      offsets: read.offsets,
      next: read.next,
      lease: read,
      position: 0,
    };
    if (this.#detached) detachChunk(chunk);
    return chunk;
  }
}

/** Offset of the entry at the chunk's position, the offset after it, and the lease it stands under. */
function placeOf(chunk: Chunk): [offset: number, next: number, lease: Batch | undefined] {
  const at = chunk.position;
  const next = at + 1 < chunk.offsets.length ? chunk.offsets[at + 1]! : chunk.next;
  return [chunk.offsets[at]!, next, chunk.lease];
}

function detachChunk(chunk: Chunk): void {
  if (chunk.lease === undefined) return;
  const left = ownCopies(chunk.entries.slice(chunk.position));
  chunk.entries = [...chunk.entries.slice(0, chunk.position), ...left];
  chunk.lease.release();
  chunk.lease = undefined;
}

function decoded(raw: Uint8Array): Entry | Error {
  try {
    return decodeEntry(raw);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
