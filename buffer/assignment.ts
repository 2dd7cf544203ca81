// Which shards belong to which of several readers of one group, by counting alone. Invariant: with the same `of`, each
// shard belongs to exactly one index, whatever other streams there are.

import { crc32 } from 'node:zlib';
import { InvalidOption } from './errors.ts';

export interface Assignment {
  /** This reader, from 0 on. */
  readonly index: number;
  /** How many readers there are. */
  readonly of: number;
}

/** @throws InvalidOption */
export function checkAssignment(assignment: Assignment | undefined): void {
  if (!assignment) return;
  const { index, of } = assignment;
  if (Number.isInteger(index) && Number.isInteger(of) && index >= 0 && index < of) return;
  throw new InvalidOption('assignment', `${index} of ${of}`, 'an index from 0 to one below `of` is');
}

/** The shards of one stream lie next to each other, so they spread evenly; streams begin at different readers. */
export function isAssigned(shard: { readonly id: string; readonly index: number }, to?: Assignment): boolean {
  if (!to) return true;
  const stream = shard.id.slice(0, shard.id.lastIndexOf('/'));
  return (crc32(stream) + shard.index) % to.of === to.index;
}
