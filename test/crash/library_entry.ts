// Entries that say who they are: every byte follows from an id. Invariant: an entry that was changed anywhere is no entry.

import { Seeded } from '../../bench/load/payload.ts';

const LARGE_BYTES = 100_000;

export function entryOf(id: number): Buffer {
  const random = new Seeded(id);
  const large = random.next() % 50 === 0;
  const entry = Buffer.alloc(4 + (random.next() % (large ? LARGE_BYTES : 1500)), random.next() & 0xff);
  entry.writeUInt32LE(id, 0);
  return entry;
}

/** @throws where the bytes are not those of the id that they begin with */
export function idOf(entry: Uint8Array): number {
  const bytes = Buffer.from(entry.buffer, entry.byteOffset, entry.length);
  const id = bytes.length < 4 ? 0 : bytes.readUInt32LE(0);
  if (!bytes.equals(entryOf(id))) throw new Error(`entry ${id} is not what was appended`);
  return id;
}
