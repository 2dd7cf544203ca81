// What was committed when, so that after a crash it can be said what may have been forgotten: the last interval and no
// more. Invariant: a sample counts only while the disk was well from its moment on.

import type { Outlet } from '../../agent/outlet.ts';
import { Violation } from './violation.ts';

interface Sample {
  readonly at_ms: number;
  /** By exporter and shard. */
  readonly committed: ReadonlyMap<string, number>;
}

/** What the writing of offsets may take beyond its interval. */
const COMMIT_GRACE_MS = 1_000;

export class CommitHistory {
  #samples: Sample[] = [];
  #ended_ms = 0;

  /** `at_ms` undefined: it is durable, and all that was before it counts no more. */
  remember(outlets: readonly Outlet[], at_ms: number | undefined): void {
    const sample = { at_ms: at_ms ?? Number.NEGATIVE_INFINITY, committed: committedBy(outlets) };
    if (at_ms === undefined) this.#samples = [sample];
    else this.#samples.push(sample);
  }

  clear(): void {
    this.#samples = [];
  }

  /** The process is gone. */
  ended(at_ms: number): void {
    this.#ended_ms = at_ms;
  }

  /** Compares a new life with the one that ended. @throws Violation */
  check(outlets: readonly Outlet[], interval_ms: number): void {
    const durable_ms = this.#ended_ms - interval_ms - COMMIT_GRACE_MS;
    for (const [key, now] of committedBy(outlets)) {
      const forgotten = this.#samples.find(
        ({ at_ms, committed }) => at_ms <= durable_ms && committed.get(key)! > now,
      );
      if (!forgotten) continue;
      const before = forgotten.committed.get(key);
      throw new Violation(6, `${key} is committed up to ${now}, long ago it was ${before}`);
    }
  }
}

function committedBy(outlets: readonly Outlet[]): Map<string, number> {
  const committed = new Map<string, number>();
  for (const outlet of outlets) {
    for (const source of outlet.sources) committed.set(`${outlet.id} ${source.name}`, source.committed());
  }
  return committed;
}
