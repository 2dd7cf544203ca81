// The committed offsets of all consumer groups on one shard, in one two-slot file: committing needs no free space.
// Invariant: a committed offset never goes back but by an explicit seek.

import type { AckWindow } from './ack_window.ts';
import { TooManyGroups } from './errors.ts';
import { readOffset, writeOffset } from './frame.ts';
import { SLOT_PAYLOAD_MAX_BYTES } from './two_slot.ts';

export interface GroupState {
  readonly name: string;
  /** The offset to read next. */
  committed: number;
  /** Whether retention must keep what this group has not consumed. */
  protect: boolean;
  /** What is acknowledged above the committed offset; in memory only. */
  acks?: AckWindow;
}

/** name length u8, flags u8, committed u64, name. */
const RECORD_BYTES = 10;
const FLAG_PROTECT = 1;

/** @throws TooManyGroups when they do not fit one slot. */
export function encodeOffsets(groups: Iterable<GroupState>, shard: string): Buffer {
  const parts: Buffer[] = [];
  let total = 0;
  for (const group of groups) {
    const name = Buffer.from(group.name, 'latin1');
    const record = Buffer.alloc(RECORD_BYTES + name.length);
    record[0] = name.length;
    record[1] = group.protect ? FLAG_PROTECT : 0;
    writeOffset(record, group.committed, 2);
    record.set(name, RECORD_BYTES);
    parts.push(record);
    total += record.length;
  }
  if (total > SLOT_PAYLOAD_MAX_BYTES) throw new TooManyGroups(shard);
  return Buffer.concat(parts, total);
}

export function decodeOffsets(bytes: Buffer): Map<string, GroupState> {
  const groups = new Map<string, GroupState>();
  let at = 0;
  while (at + RECORD_BYTES <= bytes.length) {
    const length = bytes[at]!;
    const name = bytes.toString('latin1', at + RECORD_BYTES, at + RECORD_BYTES + length);
    groups.set(name, {
      name,
      committed: readOffset(bytes, at + 2),
      protect: (bytes[at + 1]! & FLAG_PROTECT) !== 0,
    });
    at += RECORD_BYTES + length;
  }
  return groups;
}
