// Which formats this program knows, and a look at a directory before it is taken: what a newer program wrote is refused.
// Invariant: nothing is written, and what is damaged is passed over, because to judge damage is recovery's.

import { NewerFormat } from './errors.ts';
import { FRAME_HEADER_BYTES, FRAME_VERSION, newerFrame } from './frame.ts';
import { type FrameKey, parseKey } from './frame_key.ts';
import { readIndex } from './index_file.ts';
import { ledgerKey, shardsOf } from './key_search.ts';
import { segmentBase, segmentName } from './names.ts';
import { decodeOwner, ownerFields } from './owner_record.ts';
import type { FileSystem } from './ports/file_system.ts';
import { TwoSlotFile } from './two_slot.ts';
import { readFully } from './whole_io.ts';

/** Version of everything below the directory. FORMAT.md has a chapter for each. */
export const FORMAT_VERSION = 1;

/** @throws NewerFormat | StateInvalid */
export async function refuseNewer(fileSystem: FileSystem, directory: string): Promise<void> {
  const owner = await payloadOf(fileSystem, directory, 'owner', 'HFOW');
  const { format } = owner ? ownerFields(owner) : {};
  if (typeof format === 'number' && format > FORMAT_VERSION)
    throw new NewerFormat(`${directory}/owner`, format, FORMAT_VERSION);
  const key = owner && decodeOwner(owner).key;
  for (const shard of await shardsOf(fileSystem, directory)) {
    const own = (await ledgerKey(fileSystem, shard)) ?? parseKey(key);
    await payloadOf(fileSystem, shard, 'offsets', 'HFOF');
    const bases = (await fileSystem.list(shard)).map(segmentBase).filter((base) => base !== undefined);
    for (const base of bases) await readIndex(fileSystem, shard, base, 0);
    // Sealed segments are vouched for by their indexes: what is new about a log is new at its end.
    const last = bases.sort((a, b) => a - b).at(-1);
    if (last !== undefined) await refuseNewerFrame(fileSystem, `${shard}/${segmentName(last)}`, own);
  }
}

async function payloadOf(
  fileSystem: FileSystem,
  directory: string,
  name: string,
  magic: string,
): Promise<Buffer | undefined> {
  const file = new TwoSlotFile(fileSystem, directory, name, magic);
  try {
    return (await file.open('read')).payload;
  } finally {
    await file.close();
  }
}

async function refuseNewerFrame(fileSystem: FileSystem, path: string, key: FrameKey): Promise<void> {
  const file = await fileSystem.open(path, 'read');
  try {
    const header = Buffer.alloc(FRAME_HEADER_BYTES);
    const read = await readFully(file, header, 0);
    const newer = newerFrame(header.subarray(0, read), 0, key);
    if (newer !== undefined) throw new NewerFormat(path, newer, FRAME_VERSION);
  } finally {
    await file.close();
  }
}
