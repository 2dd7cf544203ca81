// What the log was doing when something struck, told by the operation of the disk that it was at. Invariant: the log itself
// is not asked.

export const logStates = [
  'idle',
  'recovering',
  'reading',
  'committing',
  'rolling a segment',
  'writing offsets',
  'writing the ledger',
  'writing the owner',
  'replacing a two-slot file',
  'removing',
  'measuring',
] as const;
export type LogState = (typeof logStates)[number];

const READING: ReadonlySet<string> = new Set(['read', 'readDirect', 'open', 'openToReadDirect', 'size']);

/** `recovering`: the log is not open yet. `renamed`: a rename was not followed by a sync of its directory. */
export function logStateAt(name: string, path: string, recovering: boolean, renamed: boolean): LogState {
  if (recovering) return 'recovering';
  if (name === 'rename' || path.endsWith('.new') || (renamed && name === 'syncDirectory')) {
    return 'replacing a two-slot file';
  }
  if (name === 'remove') return 'removing';
  if (path.endsWith('/offsets')) return 'writing offsets';
  if (path.endsWith('/ledger')) return 'writing the ledger';
  if (path.endsWith('/owner')) return 'writing the owner';
  if (path.endsWith('.index') || name === 'syncDirectory' || name === 'create') return 'rolling a segment';
  if (READING.has(name)) return 'reading';
  if (path.endsWith('.log')) return 'committing';
  return 'measuring';
}
