// Counts how often a mark stands in a file that grows. Invariant: every byte is read once, and a mark that comes in two parts is
// counted once.

import fs from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const CHUNK_BYTES = 1 << 20;
const ASK_AGAIN_MS = 20;
const PATIENCE_MS = 300_000;

export class FileCounter {
  readonly #file: string;
  readonly #mark: Buffer;
  readonly #chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  #read_bytes = 0;
  /** Bytes at the start of the chunk that may begin a mark. */
  #kept = 0;
  #found = 0;

  constructor(file: string, mark: string) {
    this.#file = file;
    this.#mark = Buffer.from(mark);
  }

  /** Resolves when so many more have come since the last time. @throws Error when that takes too long */
  async arrived(count: number): Promise<void> {
    const end_ms = performance.now() + PATIENCE_MS;
    for (;;) {
      this.#readOn();
      if (this.#found >= count) break;
      if (performance.now() > end_ms) throw new Error(`${this.#found} of ${count} have come out`);
      await pause(ASK_AGAIN_MS);
    }
    this.#found -= count;
  }

  #readOn(): void {
    if (!fs.existsSync(this.#file)) return;
    const descriptor = fs.openSync(this.#file, 'r');
    try {
      for (;;) {
        const kept = this.#kept;
        const read = fs.readSync(descriptor, this.#chunk, kept, CHUNK_BYTES - kept, this.#read_bytes);
        if (read === 0) return;
        this.#read_bytes += read;
        this.#count(kept + read);
      }
    } finally {
      fs.closeSync(descriptor);
    }
  }

  #count(length: number): void {
    const bytes = this.#chunk.subarray(0, length);
    let behind = 0;
    for (let at = bytes.indexOf(this.#mark); at >= 0; at = bytes.indexOf(this.#mark, behind)) {
      this.#found += 1;
      behind = at + this.#mark.length;
    }
    const from = Math.max(behind, length - this.#mark.length + 1);
    bytes.copy(this.#chunk, 0, from);
    this.#kept = length - from;
  }
}
