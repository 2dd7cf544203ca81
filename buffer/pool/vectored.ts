// Slots of a pool to and from a file in one system call, and the rest where the system stopped short. Invariant: a write
// returns when every byte is taken, a read when the slots are full or the file has ended.

import type { VectoredFile } from '../ports/vectored_file.ts';
import type { Pool } from './pool.ts';

/** What Linux takes in one call (IOV_MAX). */
const PIECES_MAX = 1024;

/** Writes the values of `indexes` one behind the other at `position`; returns how many bytes that were. */
export async function writeSlots(
  file: VectoredFile,
  pool: Pool,
  indexes: readonly number[],
  position: number,
): Promise<number> {
  let pieces = indexes.map((index) => pool.value(index)).filter((piece) => piece.length > 0);
  let done = 0;
  while (pieces.length > 0) {
    const written = await file.writev(pieces.slice(0, PIECES_MAX), position + done);
    if (written === 0) throw Object.assign(new Error('the disk took no byte of a write'), { code: 'ENOSPC' });
    done += written;
    pieces = behind(pieces, written);
  }
  return done;
}

/** Fills the slots of `indexes` from `position`, which sets their values; returns fewer bytes than they hold only at the end of the file. */
export async function readSlots(
  file: VectoredFile,
  pool: Pool,
  indexes: readonly number[],
  position: number,
): Promise<number> {
  const slots = indexes.map((index) => pool.memory(index));
  let pieces = slots;
  let done = 0;
  while (pieces.length > 0) {
    const read = await file.readv(pieces.slice(0, PIECES_MAX), position + done);
    if (read === 0) break;
    done += read;
    pieces = behind(pieces, read);
  }
  let left = done;
  for (const [at, index] of indexes.entries()) {
    const length = Math.min(left, slots[at]!.length);
    pool.setLength(index, length);
    left -= length;
  }
  return done;
}

/** What is left of `pieces` behind the first `bytes` of them. */
function behind(pieces: Buffer[], bytes: number): Buffer[] {
  let left = bytes;
  let whole = 0;
  while (whole < pieces.length && left >= pieces[whole]!.length) left -= pieces[whole++]!.length;
  const rest = pieces.slice(whole);
  if (left > 0) rest[0] = rest[0]!.subarray(left);
  return rest;
}
