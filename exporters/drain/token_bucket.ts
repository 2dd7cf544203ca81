// Holds a thin link to so many bytes a second. One second's worth may leave at once; what is larger than that leaves
// too, and is paid back before the next. Pure but for its own two numbers: time is an argument.

export class TokenBucket {
  readonly #perSecond: number;
  #tokens: number;
  #at_ms: number | undefined;

  /** `perSecond` 0 is unlimited. */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#tokens = perSecond;
  }

  /** Takes `bytes` and returns 0, or takes nothing and returns how long to wait first, ms. `now_ms` is monotonic. */
  take(bytes: number, now_ms: number): number {
    if (this.#perSecond === 0) return 0;
    const passed_ms = this.#at_ms === undefined ? 0 : Math.max(0, now_ms - this.#at_ms);
    this.#at_ms = now_ms;
    this.#tokens = Math.min(this.#perSecond, this.#tokens + (passed_ms * this.#perSecond) / 1000);
    // A request that can never be covered leaves when the bucket is full.
    const needed = Math.min(bytes, this.#perSecond);
    if (this.#tokens < needed)
      return Math.max(1, Math.ceil(((needed - this.#tokens) * 1000) / this.#perSecond));
    this.#tokens -= bytes;
    return 0;
  }
}
