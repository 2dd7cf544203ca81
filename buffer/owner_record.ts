// What the owner file says, as bytes. Invariant: what is read back is what was written, or an error that names the file.

import { StateInvalid } from './errors.ts';
import type { Account } from './ledger.ts';
import { isStreamName } from './names.ts';

export interface OwnerRecord {
  readonly format: number;
  readonly epoch: number;
  readonly pid: number;
  /** ISO 8601. */
  readonly since: string;
  /** How long the log has been open over all its owners, ms: the time by which ages are counted. */
  readonly running_ms: number;
  /** Of the frames, 16 hexadecimal digits; missing in logs from before there were keys. */
  readonly key?: string;
  /** Its owner let go of the directory in good order; missing while it is owned, and after a crash. */
  readonly released?: true;
  /** A stream that is deleted, and whose files may not all be gone. */
  readonly deleting?: string;
  /** What became of all entries of the streams that were deleted; missing: none was. */
  readonly deleted?: Account;
  /** Where the shards of new streams begin: above every offset of a deleted one. */
  readonly firstOffset?: number;
}

const KEY = /^[0-9a-f]{16}$/;

export function encodeOwner(record: OwnerRecord): Buffer {
  return Buffer.from(JSON.stringify(record), 'utf8');
}

/** What stands there, of whatever version. @throws StateInvalid */
export function ownerFields(payload: Buffer): Partial<Record<keyof OwnerRecord, unknown>> {
  let fields: unknown;
  try {
    fields = JSON.parse(payload.toString('utf8'));
  } catch (error) {
    throw new StateInvalid('the owner file', error);
  }
  if (typeof fields !== 'object' || fields === null) throw new StateInvalid('the owner file');
  return fields;
}

/** @throws StateInvalid */
export function decodeOwner(payload: Buffer): OwnerRecord {
  const fields = ownerFields(payload);
  const { format, epoch, pid, since, running_ms, key, deleting, firstOffset = 0 } = fields;
  const counts = [format, epoch, pid, firstOffset].every((count) => Number.isSafeInteger(count));
  const times = typeof since === 'string' && Number.isFinite(running_ms);
  const keyed = key === undefined || KEY.test(String(key));
  // It becomes a path, below which all is removed.
  const named = deleting === undefined || (typeof deleting === 'string' && isStreamName(deleting));
  if (!counts || !times || !keyed || !named) throw new StateInvalid('the owner file');
  return fields as unknown as OwnerRecord;
}
