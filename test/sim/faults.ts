// Which of the disk's failures are switched on at the moment, and how often each has struck. Invariant: with every rate at
// zero and no limit set the simulated disk never says no.

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
  readonly struck: Record<FaultKind, number> = Object.fromEntries(
    faultKinds.map((kind) => [kind, 0]),
  ) as Record<FaultKind, number>;

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
  }
}
