// How long a commit waits for company, learned from what arrives while everybody who was here before is waiting. Whoever
// appends then was not sent by our answers, so it is a stranger who would have come anyway: waiting gathers such, and only
// such. Invariant: a sender who waits for each answer, alone, is never made to wait for others.

import type { Linger } from './switch_policy.ts';

/** Blocked time over which arrivals are averaged: a hundredth of a second's worth of a fast disk is a second of a trickle. */
const MEMORY_ms = 50;
/** Lingering pays when at least every fourth one saves a sync. */
const COMPANY_MIN = 0.25;
/** What is remembered beyond so many lingers' worth of company decides nothing, and would only be longer in going. */
const REMEMBERED_MAX = 0.7;
/** With so many appends a commit, 150 µs of CPU with all that it sets off, costs each a tenth of what a small request does. */
const ENOUGH_APPENDS = 64;
/** How fast the number of those who come together is forgotten, and how long commits took, per commit. */
const KEPT = 7 / 8;
/** A block's first entry comes during the commit before it: a crowd waits for no longer than about one more. */
const CROWD_COMMITS = 2;

export class AdaptiveLinger implements Linger {
  readonly #limit_ms: number;
  /** Arrivals in the remembered blocked time. */
  #arrivals = 0;
  /** The most appends that lately stood open at once: all who are there, where they wait for answers. */
  #together = 1;
  #commit_ms = 0;

  /** @param limit_ms the longest that anybody may be made to wait. */
  constructor(limit_ms: number) {
    this.#limit_ms = limit_ms;
  }

  get max_ms(): number {
    return (this.#arrivals * this.#limit_ms) / MEMORY_ms >= COMPANY_MIN ? this.#limit_ms : 0;
  }

  get enough_appends(): number {
    // One alone is no company, however few there were.
    return Math.max(2, Math.min(ENOUGH_APPENDS, Math.round(this.#together)));
  }

  get crowd_ms(): number {
    return CROWD_COMMITS * this.#commit_ms;
  }

  /** A commit took that long. */
  took(latency_ms: number): void {
    this.#commit_ms = this.#commit_ms * KEPT + latency_ms * (1 - KEPT);
  }

  /** While nobody was answered for `blocked_ms`, `appends` came. No time tells nothing. */
  observe(appends: number, blocked_ms: number): void {
    if (blocked_ms <= 0) return;
    const remembered = this.#arrivals * Math.exp(-blocked_ms / MEMORY_ms) + appends;
    this.#arrivals = Math.min(remembered, (REMEMBERED_MAX * MEMORY_ms) / this.#limit_ms);
  }

  /** `appends` were open at the end of a commit, those that it made durable included. */
  together(appends: number): void {
    this.#together = Math.max(appends, this.#together * KEPT);
  }
}
