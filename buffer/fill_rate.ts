// How fast the room on disk shrinks, over the last minutes: the log's own growth less what it gives back, and what others
// write on the same file system. Invariant: its memory is bounded, and it extrapolates from no less than half a minute.

const WINDOW_ms = 600_000;
const SAMPLES = 60;
const SPAN_MIN_ms = 30_000;

interface Sample {
  readonly at_ms: number;
  readonly room_bytes: number;
}

export class FillRate {
  /** Oldest first, evenly apart but for the last. */
  readonly #samples: Sample[] = [];
  #latest: Sample | undefined;

  /** @param at_ms monotonic */
  sample(at_ms: number, room_bytes: number): void {
    this.#latest = { at_ms, room_bytes };
    const last = this.#samples[this.#samples.length - 1];
    if (last && at_ms - last.at_ms < WINDOW_ms / SAMPLES) return;
    this.#samples.push(this.#latest);
    while (at_ms - this.#samples[0]!.at_ms > WINDOW_ms) this.#samples.shift();
  }

  /** Until `room_bytes` are used up at this pace, ms; 0 when there is none; undefined when it does not shrink, or nobody can say yet. */
  timeToFull_ms(room_bytes: number): number | undefined {
    if (room_bytes <= 0) return 0;
    const first = this.#samples[0];
    const latest = this.#latest;
    if (!first || !latest || latest.at_ms - first.at_ms < SPAN_MIN_ms) return undefined;
    const shrunk_bytes = first.room_bytes - latest.room_bytes;
    if (shrunk_bytes <= 0) return undefined;
    return (room_bytes / shrunk_bytes) * (latest.at_ms - first.at_ms);
  }
}
