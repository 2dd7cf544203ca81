// Fuzzes parsers one after the other: the checks run in a thread, and the driver looks whether it moves on. Invariant: `fuzz`
// always ends, whatever the parser does; an input that takes for ever is a failure like any other.

import { Worker } from 'node:worker_threads';
import { type Found, INPUT_AT, type Job, SHARED_BYTES } from './job.ts';

/** A check takes far less than a millisecond; one that has not ended in so long on any machine never will. */
const STUCK_MS = 20_000;

export class Driver {
  readonly #shared = new SharedArrayBuffer(SHARED_BYTES);
  readonly #stuck_ms: number;
  #worker: Worker | undefined;

  constructor(stuck_ms = STUCK_MS) {
    this.#stuck_ms = stuck_ms;
  }

  /** Right inputs, the corpus, and so many mutations. One call at a time. */
  async fuzz(parser: string, seed: number, runs: number, corpus: readonly Uint8Array[]): Promise<Found> {
    const shared = this.#shared;
    const progress = new Int32Array(shared, 0, INPUT_AT / 4);
    // Loading it takes its time, and is done once for all parsers.
    this.#worker ??= new Worker(new URL('worker.ts', import.meta.url));
    const worker = this.#worker;
    const ended = Promise.withResolvers<Found>();
    worker.on('message', ended.resolve);
    worker.on('error', ended.reject);
    progress[0] = 0;
    let before = 0;
    const watch = setInterval(() => {
      const now = progress[0]!;
      if (now === before && now > 0) {
        const input = Buffer.from(Buffer.from(shared, INPUT_AT, progress[1]!));
        ended.resolve({ accepted: 0, refused: 0, failure: { message: 'it does not end', input, at: now } });
        void this.close();
      }
      before = now;
    }, this.#stuck_ms);
    worker.postMessage({ parser, seed, runs, corpus, shared } satisfies Job);
    try {
      return await ended.promise;
    } finally {
      clearInterval(watch);
      worker.off('message', ended.resolve);
      worker.off('error', ended.reject);
    }
  }

  /** Ends the thread, whatever it does. */
  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}
