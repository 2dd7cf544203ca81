// Takes a stream out of a log for good. One write of the owner file decides it: it names the stream and adds its account to
// that of all deleted ones. Invariant: before that write the stream is whole; after it the stream is gone, whatever is left
// of its files is removed, and only then can its name be used again.

import { StreamUnconsumed } from './errors.ts';
import { type Account, addAccounts, NO_ENTRIES } from './ledger.ts';
import type { Owner } from './owner.ts';
import { errorCode, type FileSystem } from './ports/file_system.ts';
import { consumedBelow } from './retention.ts';
import type { Shard } from './shard.ts';

/** Throws StreamUnconsumed unless every protecting group (every group, where none protects) has consumed all of the stream. */
export function checkConsumed(name: string, shards: readonly Shard[]): void {
  let entries = 0;
  const behind = new Set<string>();
  for (const shard of shards) {
    const groups = [...shard.offsets.groups.values()];
    const from = Math.max(shard.logStart, consumedBelow(groups) ?? 0);
    // What is still on its way to the disk is wanted as well.
    const missing = shard.logEnd - from - shard.ledger.ranges.count(from, shard.logEnd);
    if (missing <= 0) continue;
    entries += missing;
    for (const group of groups) if (group.committed < shard.logEnd) behind.add(group.name);
  }
  if (entries > 0) throw new StreamUnconsumed(name, entries, [...behind]);
}

export class StreamDeletion {
  readonly name: string;
  readonly #shards: readonly Shard[];
  #closed = false;

  /** @param shards none where a deletion was decided by an owner that died, or none could be opened */
  constructor(name: string, shards: readonly Shard[] = []) {
    this.name = name;
    this.#shards = shards;
  }

  /**
   * Deletes, or goes on where a call before was cut off. From the first call on the shards take nothing.
   * @throws what the disk says: call it again
   */
  async run(owner: Owner, fileSystem: FileSystem, directory: string): Promise<void> {
    // Called before anything is awaited: no append comes between the check of what is consumed and this.
    const closing = this.#closed ? undefined : this.#shards.map((shard) => shard.close());
    this.#closed = true;
    // What cannot be written now would be removed next.
    if (closing) await Promise.allSettled(closing);
    if (owner.deleting !== this.name) {
      const end = Math.max(0, ...this.#shards.map((shard) => shard.logEnd));
      await owner.beginDeletion(this.name, this.#account(), end);
    }
    await removeTree(fileSystem, `${directory}/${this.name}`);
    await fileSystem.syncDirectory(directory);
    await owner.endDeletion();
    for (const shard of this.#shards) shard.upkeep.removed();
  }

  /** What became of all entries of the stream, now that none is kept. */
  #account(): Account {
    return this.#shards.map((shard) => shard.upkeep.accountOfDeletion()).reduce(addAccounts, NO_ENTRIES);
  }
}

/** Segments go before the ledgers that account for them, and names before the directory that holds them. */
async function removeTree(fileSystem: FileSystem, path: string): Promise<void> {
  if (!(await fileSystem.stat(path))) return;
  for (const name of (await fileSystem.list(path)).sort()) {
    const child = `${path}/${name}`;
    if ((await fileSystem.stat(child))?.directory) await removeTree(fileSystem, child);
    else await removeFile(fileSystem, child);
  }
  // A directory cannot go while a power cut could bring back a name in it.
  await fileSystem.syncDirectory(path);
  await fileSystem.removeDirectory(path);
}

async function removeFile(fileSystem: FileSystem, path: string): Promise<void> {
  try {
    await fileSystem.remove(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}
