// Records of one body on their way into one request: those of one resource after the other. Invariant: what was gathered
// leaves as one entry or, after `reset`, not at all.

import { LogWriter } from '../../otlp/log_writer.ts';

interface Gathered {
  /** A view that is valid until the next record is begun. */
  readonly bytes: Buffer;
  readonly items: number;
  readonly shardKey: number;
}

const NO_RESOURCE = Buffer.alloc(0);

export class Gatherer {
  readonly log: LogWriter;
  readonly #limit_bytes: number;
  /** Requests that are whole: behind each other they are one, as their only field is repeated. */
  #parts: Gathered[] = [];
  #parts_bytes = 0;
  #resource = NO_RESOURCE;

  constructor(limit_bytes: number) {
    this.#limit_bytes = limit_bytes;
    this.log = new LogWriter(limit_bytes);
  }

  /** Of the records from now on; to be called between two. @param resource a view. */
  setResource(resource: Buffer): void {
    if (resource.equals(this.#resource)) return;
    this.#keep();
    this.#resource = Buffer.from(resource);
    this.log.setResource(this.#resource);
  }

  reset(): void {
    this.log.finish();
    this.#parts = [];
    this.#parts_bytes = 0;
    this.#resource = NO_RESOURCE;
    this.log.setResource(NO_RESOURCE);
  }

  /** Bytes gathered so far. */
  get length(): number {
    return this.#parts_bytes + this.log.length;
  }

  get limit_bytes(): number {
    return this.#limit_bytes;
  }

  /** Undefined where there is no record. */
  finish(): Gathered | undefined {
    if (this.#parts.length === 0) return this.log.finish();
    this.#keep();
    const parts = this.#parts;
    this.reset();
    return {
      bytes: Buffer.concat(parts.map(({ bytes }) => bytes)),
      items: parts.reduce((sum, { items }) => sum + items, 0),
      // Of the first resource that there is, as the walk has it.
      shardKey: parts.find(({ shardKey }) => shardKey !== 0)?.shardKey ?? 0,
    };
  }

  #keep(): void {
    const part = this.log.finish();
    if (!part) return;
    this.#parts.push({ ...part, bytes: Buffer.from(part.bytes) });
    this.#parts_bytes += part.bytes.length;
  }
}
