// Batches on their way to the disk: one is filled, others wait for their commit. Nobody else holds what was read from a socket,
// so a batch is kept until it is durable and offered again where the disk had no room. Invariant: a batch leaves by being
// durable or by being counted as lost; what is held stays near the bound, as long as who fills it heeds `isFull`.

import { HoldfastError } from '../../config/error.ts';
import type { Logger } from '../../config/logger.ts';
import { type LogRequest, LogWriter } from '../../otlp/log_writer.ts';
import { type Intake, IntakeFull } from '../receiver.ts';

/** A batch that is larger leaves at once. Somewhat less than its memory, which would double for the last record. */
const BATCH_BYTES = 240 * 1024;
const BATCH_RECORDS = 4096;
/** Of batches that are not durable yet: some hundred milliseconds of a busy line. */
const UNDURABLE_BYTES_MAX = 8 * 2 ** 20;
/** Writers whose memory is kept for the next batch. */
const SPARE_WRITERS_MAX = 8;

interface Batch {
  readonly writer: LogWriter;
  readonly request: LogRequest;
}

export interface OutboxOptions {
  readonly intake: Intake;
  readonly logger: Logger;
  /** What its records are counted under. */
  readonly transport: string;
  /** `encodeResource` */
  readonly resource: Buffer;
  /** The first record of a batch waits this long at most. */
  readonly flush_ms: number;
  /** Longest message. */
  readonly message_bytes: number;
  /** At least, until what found no room is offered again. */
  readonly retry_ms: number;
  /** There is room again. */
  readonly onRoom: () => void;
}

export class Outbox {
  readonly #options: OutboxOptions;
  /** Bytes at which a request is refused by its writer: no message makes one so large. */
  readonly #limit_bytes: number;
  readonly #spare: LogWriter[] = [];
  #filling: LogWriter;
  #timer: NodeJS.Timeout | undefined;
  /** To be appended, in order. */
  #waiting: Batch[] = [];
  /** Bytes of batches that are not durable. */
  #undurable_bytes = 0;
  #retry: NodeJS.Timeout | undefined;
  #wasFull = false;
  #onEmpty: (() => void) | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
    // Text and body hold a message once each; structured data of many short names grows fourfold.
    this.#limit_bytes = 2 * BATCH_BYTES + 8 * options.message_bytes;
    this.#filling = this.#newWriter();
  }

  /** Where the next record goes; another one after each `added`. */
  get writer(): LogWriter {
    return this.#filling;
  }

  /** As much waits for the disk as may: read no more until `onRoom`. */
  get isFull(): boolean {
    const full = this.#retry !== undefined || this.#undurable_bytes >= UNDURABLE_BYTES_MAX;
    if (full) this.#wasFull = true;
    return full;
  }

  /** A record was written. */
  added(): void {
    const writer = this.#filling;
    if (writer.length >= BATCH_BYTES || writer.items >= BATCH_RECORDS) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), this.#options.flush_ms);
  }

  /** What was written leaves now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const writer = this.#filling;
    const request = writer.finish();
    if (!request) return;
    this.#filling = this.#spare.pop() ?? this.#newWriter();
    this.#undurable_bytes += request.bytes.length;
    this.#waiting.push({ writer, request });
    if (this.#retry === undefined) this.#send();
  }

  /** Resolves when all is durable or counted as lost; what is left when `deadline` aborts is counted so. */
  async close(deadline: AbortSignal): Promise<void> {
    this.flush();
    if (this.#undurable_bytes > 0 && !deadline.aborted) {
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
        deadline.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    clearTimeout(this.#retry);
    for (const { request } of this.#waiting.splice(0)) {
      this.#lose(request, 'the agent stopped before there was room');
      this.#undurable_bytes -= request.bytes.length;
    }
  }

  #newWriter(): LogWriter {
    const writer = new LogWriter(this.#limit_bytes);
    writer.setResource(this.#options.resource);
    return writer;
  }

  #send(): void {
    for (let batch = this.#waiting[0]; batch; batch = this.#waiting[0]) {
      if (!this.#append(batch)) return;
      this.#waiting.shift();
    }
  }

  /** @returns false where the same batch is to be tried again later */
  #append(batch: Batch): boolean {
    const { intake, transport } = this.#options;
    const { bytes, items, shardKey } = batch.request;
    try {
      // Asked first, for what the intake refuses it counts, and this is not lost yet.
      intake.admit(bytes.length);
      const entry = {
        signal: 'logs',
        codec: 'identity',
        bytes,
        rawLength: bytes.length,
        items,
        shardKey,
      } as const;
      intake.append(entry, transport).durable.then(
        () => this.#release(batch),
        (error: unknown) => this.#failed(batch, error),
      );
      return true;
    } catch (error) {
      if (error instanceof HoldfastError && error.retryable) {
        this.#retryIn(error);
        return false;
      }
      this.#report(batch.request, reasonOf(error));
      this.#release(batch);
      return true;
    }
  }

  /** The commit failed after the batch was taken: it goes to the front again. */
  #failed(batch: Batch, error: unknown): void {
    if (error instanceof HoldfastError && error.retryable) {
      this.#waiting.unshift(batch);
      this.#retryIn(error);
      return;
    }
    this.#report(batch.request, reasonOf(error));
    this.#release(batch);
  }

  #retryIn(error: HoldfastError): void {
    if (this.#retry !== undefined) return;
    this.#wasFull = true;
    const { logger, transport, retry_ms } = this.#options;
    const asked_ms = error instanceof IntakeFull ? error.retryAfter_s * 1000 : 0;
    const after_ms = Math.max(retry_ms, asked_ms);
    logger.debug('no room; held back', { transport, retry_ms: after_ms, reason: error.message });
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#send();
      this.#tellRoom();
    }, after_ms);
  }

  #release({ writer, request }: Batch): void {
    this.#undurable_bytes -= request.bytes.length;
    if (this.#spare.length < SPARE_WRITERS_MAX) this.#spare.push(writer);
    this.#tellRoom();
    if (this.#undurable_bytes === 0) this.#onEmpty?.();
  }

  #tellRoom(): void {
    // Half of it free, so that sockets do not stop and go with each batch.
    if (!this.#wasFull || this.#retry !== undefined) return;
    if (this.#undurable_bytes > UNDURABLE_BYTES_MAX / 2) return;
    this.#wasFull = false;
    this.#options.onRoom();
  }

  #lose(request: LogRequest, reason: string): void {
    this.#options.intake.refused('logs', this.#options.transport, request.items);
    this.#report(request, reason);
  }

  /** Of what the intake has counted already. */
  #report(request: LogRequest, reason: string): void {
    const { logger, transport } = this.#options;
    logger.error('messages lost', { transport, messages: request.items, reason });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
