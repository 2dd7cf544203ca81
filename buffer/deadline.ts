// A time limit for one thing after another, such as each commit of a shard or each attempt to send a batch. Invariant: what
// lasts longer than the limit is told of once, while it lasts, and nothing that has ended is.
//
// Nearly everything ends in time, so the timer is nobody's own: it stands until it fires, and is set anew for what is under way
// then. One for each would be made, put in order and taken out again with every request.

import type { Clock, Timer } from './ports/clock.ts';

export class Deadline {
  readonly #clock: Clock;
  readonly #limit_ms: number;
  readonly #passed: () => void;
  /** Of what is under way, monotonic ms; infinite where nothing is. */
  #due_ms = Number.POSITIVE_INFINITY;
  #timer: Timer | undefined;

  constructor(clock: Clock, limit_ms: number, passed: () => void) {
    this.#clock = clock;
    this.#limit_ms = limit_ms;
    this.#passed = passed;
  }

  /** One thing at a time. */
  begin(): void {
    this.#due_ms = this.#clock.monotonic() + this.#limit_ms;
    if (!this.#timer) this.#arm(this.#limit_ms);
  }

  end(): void {
    this.#due_ms = Number.POSITIVE_INFINITY;
  }

  /** Leaves no timer behind. */
  close(): void {
    this.end();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(delay_ms: number): void {
    this.#timer = this.#clock.setTimer(() => this.#fired(), delay_ms);
  }

  #fired(): void {
    this.#timer = undefined;
    if (this.#due_ms === Number.POSITIVE_INFINITY) return;
    const left_ms = this.#due_ms - this.#clock.monotonic();
    if (left_ms > 0) this.#arm(left_ms);
    else {
      this.end();
      this.#passed();
    }
  }
}
