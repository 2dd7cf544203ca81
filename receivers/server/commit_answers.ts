// Whoever waits for the same commit hears of it in one pass: one promise a commit and none a request, since with small requests a
// promise each, and what waits on it, was a tenth of their cost. Invariant: each that was added gets one of both ends, once, in
// the order in which it came.

import type { Ticket } from '../receiver.ts';

export class CommitAnswers<Waiting> {
  readonly #succeeded: (waiting: Waiting) => void;
  readonly #failed: (waiting: Waiting, error: unknown) => void;
  /** Those who wait on `#ticket`, until it has settled. */
  #waiting: Waiting[] = [];
  #ticket: Ticket | undefined;

  /** Neither may throw: it would keep those behind from hearing anything. */
  constructor(succeeded: (waiting: Waiting) => void, failed: (waiting: Waiting, error: unknown) => void) {
    this.#succeeded = succeeded;
    this.#failed = failed;
  }

  add(ticket: Ticket, waiting: Waiting): void {
    if (this.#ticket !== ticket) this.#begin(ticket);
    this.#waiting.push(waiting);
  }

  /** Of two tickets that take turns each change begins another list: what is late is only a promise, never an answer. */
  #begin(ticket: Ticket): void {
    const all: Waiting[] = [];
    this.#ticket = ticket;
    this.#waiting = all;
    const close = (): void => {
      // Nothing may join a list that was gone through: it would never be answered.
      if (this.#waiting === all) this.#ticket = undefined;
    };
    ticket.durable.then(
      () => {
        close();
        for (const each of all) this.#succeeded(each);
      },
      (error: unknown) => {
        close();
        for (const each of all) this.#failed(each, error);
      },
    );
  }
}
