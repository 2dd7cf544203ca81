// One group's reader of one shard: waits, batches, and what became of each read. Invariants: one read at a time; memory
// that it handed out stays until the batch is released; what a read uses stays until that read has ended.

import type { Reader, ReadLimits, ShardBatch } from './batch.ts';
import { LeaseMisuse, LogClosed, OffsetOutOfRange } from './errors.ts';
import { FrameCursor } from './frame_cursor.ts';
import { isBroken } from './invariant.ts';
import { LeasedBatch } from './leased_batch.ts';
import { type Place, resolvePlace } from './place.ts';
import { ReadForms } from './read_forms.ts';
import type { ReadStats } from './read_meter.ts';
import type { AttachedReader, Shard } from './shard.ts';
import { Wait } from './wait.ts';

const READ_BYTES = 1024 * 1024;
const READ_ENTRIES = 8192;

export class ShardReader extends ReadForms implements Reader, AttachedReader {
  readonly #shard: Shard;
  readonly #cursor: FrameCursor;
  readonly #wait: Wait;
  /** For whoever waits for several readers: called when this one may have become ready. */
  onWake: (() => void) | undefined;
  #closed = false;
  /** A read is under way: what it uses must stay until it ends. */
  #reading = false;
  #seekTo: number | undefined;

  constructor(shard: Shard, offset: number) {
    super();
    this.#shard = shard;
    this.#cursor = new FrameCursor(shard, offset);
    this.#wait = new Wait(shard.parts.clock);
    shard.attach(this);
  }

  /** What became of reads of this shard, by whichever reader. */
  get reads(): ReadStats {
    return this.#shard.reads;
  }

  get position(): number {
    return this.#cursor.offset;
  }

  /** Whether a read would not have to wait. */
  get ready(): boolean {
    if (this.#shard.poisoned) return true;
    return this.#closed || this.#seekTo !== undefined || this.#cursor.offset < this.#shard.highWatermark;
  }

  wake(): void {
    this.#wait.wake();
    this.onWake?.();
  }

  /** During a read it takes effect with the next one, but for a read that waits. @throws OffsetOutOfRange */
  seek(offset: number): void {
    const { highWatermark, id, logStart } = this.#shard;
    if (!Number.isInteger(offset) || offset < 0 || offset > highWatermark) {
      throw new OffsetOutOfRange(id, offset, logStart, highWatermark);
    }
    if (this.#reading) {
      this.#seekTo = offset;
      this.#wait.wake();
    } else this.#cursor.moveTo(offset);
  }

  /** Continues from a place that is named in another way, and returns its offset. @throws OffsetOutOfRange */
  async seekTo(place: Place): Promise<number> {
    const offset = await resolvePlace(this.#shard, place);
    this.seek(offset);
    return offset;
  }

  /** @throws LogClosed, or what the disk said */
  async read(limits: ReadLimits = {}): Promise<ShardBatch | undefined> {
    if (this.#reading) throw new LeaseMisuse(`two reads at a time by one reader of ${this.#shard.id}`);
    this.#reading = true;
    const { reads } = this;
    try {
      const batch = await this.#read(limits);
      if (batch) {
        reads.batches += 1;
        reads.entries += batch.length;
        reads.bytes += batch.bytes;
      } else if (limits.signal?.aborted) reads.aborted += 1;
      else reads.empty += 1;
      return batch;
    } catch (error) {
      if (error instanceof LogClosed) reads.closed += 1;
      else reads.failed += 1;
      if (isBroken(error)) this.#shard.poison(error);
      throw error;
    } finally {
      this.#reading = false;
      if (this.#closed) this.#cursor.close();
    }
  }

  async #read(limits: ReadLimits): Promise<LeasedBatch | undefined> {
    for (;;) {
      if (this.#closed) throw new LogClosed(`a reader of ${this.#shard.id}`);
      if (this.#shard.poisoned) throw this.#shard.failure;
      if (this.#seekTo !== undefined) this.#cursor.moveTo(this.#seekTo);
      this.#seekTo = undefined;
      if (this.#cursor.offset < this.#shard.highWatermark) {
        const batch = await this.#collect(limits);
        this.#shard.trimHotTail();
        if (batch) return batch;
      } else if (!(await this.#waitForMore(limits))) {
        return undefined;
      }
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#shard.detach(this);
    if (this.#reading) this.#wait.wake();
    else this.#cursor.close();
    this.onWake?.();
  }

  /** True when there is something to read, or the reader was closed; false when the wait ended otherwise. */
  async #waitForMore(limits: ReadLimits): Promise<boolean> {
    if (limits.wait_ms === 0 || limits.signal?.aborted) return false;
    this.#cursor.rest();
    await this.#wait.begin(limits, [this.reads]);
    return this.ready;
  }

  async #collect(limits: ReadLimits): Promise<LeasedBatch | undefined> {
    const { maxBytes = READ_BYTES, maxEntries = READ_ENTRIES, safe = false } = limits;
    const safe_bytes = typeof safe === 'number' ? safe : safe ? Number.POSITIVE_INFINITY : 0;
    const batch = new LeasedBatch(this.#shard, this.#shard.parts.leases);
    try {
      await this.#cursor.fill(batch, maxBytes, maxEntries > 0 ? maxEntries : 1, safe_bytes);
    } catch (error) {
      // What was read before the disk failed is handed out; the failure comes again with the next read.
      if (batch.length === 0) {
        batch.release();
        throw error;
      }
    }
    if (batch.length > 0) return batch;
    batch.release();
    return undefined;
  }
}
