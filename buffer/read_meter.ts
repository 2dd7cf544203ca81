// Counts reads of one shard by what became of them. Invariant: it is touched once for a read, never for an entry, so that
// counting costs nothing where entries are many.

export interface ReadStats {
  /** Reads that gave a batch, and what was in those. */
  batches: number;
  entries: number;
  bytes: number;
  /** Reads that ended without a batch: nothing came in time, `signal`, the reader was closed, the disk refused. */
  empty: number;
  aborted: number;
  closed: number;
  failed: number;
  /** Reads that had to wait, and readers that do now. */
  waits: number;
  waiting: number;
}

export function newReadMeter(): ReadStats {
  return {
    batches: 0,
    entries: 0,
    bytes: 0,
    empty: 0,
    aborted: 0,
    closed: 0,
    failed: 0,
    waits: 0,
    waiting: 0,
  };
}
