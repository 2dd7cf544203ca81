// Virtual time. Everything that will happen stands in one ordered list, and nothing happens but by taking the next from it.
// Invariant: events run in the order of (time, order of arrival), each after all that the one before it set off.

import type { Clock, Timer } from '../../buffer/ports/clock.ts';

/** Whose events they are: those of a process that died never run. */
export interface Life {
  dead: boolean;
  /** Stopped until then: what is due comes late. */
  frozenUntil_ms?: number;
}

interface Event {
  at_ms: number;
  readonly order: number;
  readonly life: Life;
  callback: (() => void) | undefined;
}

const DONE = Promise.resolve();
const EPOCH_ms = 1_760_000_000_000;

export class SimClock {
  /** Monotonic, ms. */
  time_ms = 0;
  /** How far the wall clock is off. */
  jump_ms = 0;
  readonly #heap: Event[] = [];
  #order = 0;

  /** The clock as one process sees it. */
  of(life: Life): Clock {
    return {
      now: () => EPOCH_ms + Math.floor(this.time_ms) + this.jump_ms,
      monotonic: () => this.time_ms,
      setTimer: (callback, delay_ms) => this.after(Math.max(0, delay_ms), life, callback),
      soon: (callback) => {
        this.after(0, life, callback);
      },
    };
  }

  after(delay_ms: number, life: Life, callback: () => void): Timer {
    const event = this.#plan(delay_ms, life, callback);
    return {
      cancel: () => {
        event.callback = undefined;
      },
    };
  }

  /** As `after`, for what nobody cancels. */
  plan(delay_ms: number, life: Life, callback: () => void): void {
    this.#plan(delay_ms, life, callback);
  }

  /**
   * Runs one event after the other, each once all that the one before it set off has run, until `over` says so. False where
   * no event is left. A tick that a microtask asked for comes when the queue of microtasks is empty, so by then every reaction
   * to a promise has run; a turn of the real event loop would say the same and costs twenty times as much.
   */
  runUntil(over: () => boolean): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        try {
          if (over()) resolve(true);
          else if (this.#runNext()) DONE.then(next);
          else resolve(false);
        } catch (error) {
          reject(error);
        }
      };
      const next = (): void => process.nextTick(turn);
      DONE.then(next);
    });
  }

  #runNext(): boolean {
    for (let event = this.#pop(); event; event = this.#pop()) {
      if (!event.callback || event.life.dead) continue;
      const { frozenUntil_ms } = event.life;
      if (frozenUntil_ms !== undefined && frozenUntil_ms > event.at_ms) {
        event.at_ms = frozenUntil_ms;
        this.#push(event);
        continue;
      }
      if (event.at_ms > this.time_ms) this.time_ms = event.at_ms;
      event.callback();
      return true;
    }
    return false;
  }

  #plan(delay_ms: number, life: Life, callback: () => void): Event {
    const event: Event = { at_ms: this.time_ms + delay_ms, order: this.#order++, life, callback };
    this.#push(event);
    return event;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!before(event, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child += 1;
      if (!before(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function before(a: Event, b: Event): boolean {
  return a.at_ms < b.at_ms || (a.at_ms === b.at_ms && a.order < b.order);
}
