// Which batches are shown: the first of each second, then every so manieth. Invariant: what is shown depends on the times and
// numbers of the batches alone.

const SECOND_MS = 1000;

export class Sampling {
  readonly #initial: number;
  readonly #thereafter: number;
  #second = -1;
  #seen = 0;

  /** @param thereafter 1: all; 0: none */
  constructor(initial: number, thereafter: number) {
    this.#initial = initial;
    this.#thereafter = thereafter;
  }

  /** Counts a batch. @param now_ms since the Unix epoch */
  isShown(now_ms: number): boolean {
    const second = Math.floor(now_ms / SECOND_MS);
    if (second !== this.#second) {
      this.#second = second;
      this.#seen = 0;
    }
    this.#seen += 1;
    if (this.#seen <= this.#initial) return true;
    return this.#thereafter > 0 && (this.#seen - this.#initial) % this.#thereafter === 0;
  }
}
