// Which of the disk's failures are switched on at the moment, and how often each has struck, by what the log was doing.
// Invariant: with every rate at zero and no limit set the simulated disk never says no.

import type { LogState } from './log_state.ts';

export const faultKinds = [
  'sync_eio',
  'directory_sync_eio',
  'write_eio',
  'read_eio',
  'metadata_eio',
  'enospc',
  'emfile',
  'short_io',
  'slow_io',
  'bit_flip',
  'harmed_file',
  'lock_dropped',
  'power_cut',
  'kill',
] as const;
export type FaultKind = (typeof faultKinds)[number];

export class Faults {
  /** Probabilities per operation. */
  syncError = 0;
  directorySyncError = 0;
  writeError = 0;
  readError = 0;
  /** Of create, rename, remove. */
  metadataError = 0;
  shortIo = 0;
  slowIo = 0;
  /** How long a slow operation takes, ms. */
  slow_ms = 0;
  /** Whether a file whose sync failed once fails for ever. */
  syncSticky = false;
  /** What the page cache shows after a failed sync. */
  contentAfterFailedSync: 'kept' | 'reverted' = 'kept';
  handlesMax = Number.MAX_SAFE_INTEGER;
  /** Files that are open for direct writes take none any more. */
  directRefused = false;
  /** Files are not opened for direct reads, or refuse them once they are open. */
  directReadsRefused = false;
  readonly struck: Record<FaultKind, number> = Object.fromEntries(
    faultKinds.map((kind) => [kind, 0]),
  ) as Record<FaultKind, number>;
  /** `kind while state` → how often. */
  readonly coverage = new Map<string, number>();

  strike(kind: FaultKind, state: LogState): void {
    this.struck[kind] += 1;
    const key = `${kind} while ${state}`;
    this.coverage.set(key, (this.coverage.get(key) ?? 0) + 1);
  }

  /** The disk is well again; files that are damaged stay damaged. */
  heal(): void {
    this.syncError = 0;
    this.directorySyncError = 0;
    this.writeError = 0;
    this.readError = 0;
    this.metadataError = 0;
    this.shortIo = 0;
    this.slowIo = 0;
    this.handlesMax = Number.MAX_SAFE_INTEGER;
    this.directRefused = false;
    this.directReadsRefused = false;
  }
}
