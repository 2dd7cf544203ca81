// Entries moved into memory of our own. Who has to wait long holds these instead of views, so that an outage pins none of
// the log's blocks.

/** The same entries, in one allocation for all of them. */
export function ownCopies(entries: readonly Uint8Array[]): Uint8Array[] {
  let total = 0;
  for (const entry of entries) total += entry.length;
  const memory = new Uint8Array(total);
  let at = 0;
  return entries.map((entry) => {
    memory.set(entry, at);
    at += entry.length;
    return memory.subarray(at - entry.length, at);
  });
}
