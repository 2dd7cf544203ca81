// Counts commits of one shard and the appends that went into them or were refused. Invariant: plain numbers; an append
// costs one addition, which its side of the commit makes anyway.

export interface CommitStats {
  readonly commits: number;
  readonly failures: number;
  readonly entries: number;
  readonly bytes: number;
  /** From swap to durable. */
  readonly latency_ms_min: number;
  readonly latency_ms_max: number;
  readonly latency_ms_total: number;
}

/** Appends by what became of them; each is one call, of however many entries. */
export interface WriteStats {
  readonly accepted: number;
  /** Refused: no room on disk or in memory, a disk in trouble, a log that is closed. */
  readonly full: number;
  readonly closed: number;
  /** Accepted, and then their commit failed. */
  readonly failed: number;
}

export class CommitMeter {
  commits = 0;
  failures = 0;
  entries = 0;
  bytes = 0;
  latency_ms_min = Number.POSITIVE_INFINITY;
  latency_ms_max = 0;
  latency_ms_total = 0;
  accepted = 0;
  full = 0;
  closed = 0;
  failed = 0;

  committed(entries: number, bytes: number, latency_ms: number): void {
    this.commits += 1;
    this.entries += entries;
    this.bytes += bytes;
    this.latency_ms_total += latency_ms;
    this.latency_ms_min = Math.min(this.latency_ms_min, latency_ms);
    this.latency_ms_max = Math.max(this.latency_ms_max, latency_ms);
  }

  commitStats(): CommitStats {
    const { commits, failures, entries, bytes, latency_ms_min, latency_ms_max, latency_ms_total } = this;
    return { commits, failures, entries, bytes, latency_ms_min, latency_ms_max, latency_ms_total };
  }

  /** @param open appends that stand in the active block. */
  writeStats(open: number): WriteStats {
    const { accepted, full, closed, failed } = this;
    return { accepted: accepted + open, full, closed, failed };
  }
}
