// The account of one shard: what became of every offset below the log start, which later offsets hold no entry, and up to
// where everything was durable. Written before a segment is removed, so the loss identity holds through any crash:
// durably appended = retained + deleted_consumed + dropped{reason} + quarantined. FORMAT.md, "Ledger".

import { StateInvalid } from './errors.ts';
import { readOffset, writeOffset } from './frame.ts';
import { type FrameKey, NO_KEY, readKey, writeKey } from './frame_key.ts';
import { type OffsetRange, Ranges } from './ranges.ts';
import { SLOT_PAYLOAD_MAX_BYTES } from './two_slot.ts';

/** Why entries were removed that some protecting group had not consumed. The order is the order on disk. */
export const dropReasons = [
  'max_size',
  'max_age',
  'min_free_space',
  'max_lag',
  'unprotected',
  'max_shard_size',
  'force_delete_after',
  'stream_deleted',
] as const;
export type DropReason = (typeof dropReasons)[number];

const REASON_SLOTS = 11;
const KEY_AT = 8 * 5 + 8 * REASON_SLOTS;
const HEADER_BYTES = KEY_AT + 8 + 4;
const RANGE_BYTES = 17;
export const LEDGER_RANGES_MAX = Math.floor((SLOT_PAYLOAD_MAX_BYTES - HEADER_BYTES) / RANGE_BYTES);

/** What became of all entries of a shard that ever were durable; every figure is exact and counts entries. */
export interface Account {
  readonly appended: number;
  readonly retained: number;
  readonly deletedConsumed: number;
  readonly dropped: Readonly<Record<DropReason, number>>;
  readonly quarantined: number;
  /** Answered with an error and never durable; not part of the identity. */
  readonly failed: number;
}

/** What became of nothing yet. */
export const NO_ENTRIES: Account = {
  appended: 0,
  retained: 0,
  deletedConsumed: 0,
  dropped: noneDropped(),
  quarantined: 0,
  failed: 0,
};

/** Both together. */
export function addAccounts(a: Account, b: Account): Account {
  const dropped = noneDropped();
  for (const reason of dropReasons) dropped[reason] = a.dropped[reason] + b.dropped[reason];
  return {
    appended: a.appended + b.appended,
    retained: a.retained + b.retained,
    deletedConsumed: a.deletedConsumed + b.deletedConsumed,
    dropped,
    quarantined: a.quarantined + b.quarantined,
    failed: a.failed + b.failed,
  };
}

function noneDropped(): Record<DropReason, number> {
  return Object.fromEntries(dropReasons.map((reason) => [reason, 0])) as Record<DropReason, number>;
}

export class Ledger {
  logStart = 0;
  /** Everything below was durable when this was written. */
  watermark = 0;
  deletedConsumed = 0;
  /** Quarantined and failed offsets below the log start. */
  quarantinedBelow = 0;
  failedBelow = 0;
  readonly dropped = noneDropped();
  /** Offsets at or above the log start that hold no entry. */
  readonly ranges: Ranges;
  /** Under which the frames of the shard are sealed. */
  readonly key: FrameKey;

  constructor(key: FrameKey = NO_KEY, ranges: Ranges = new Ranges()) {
    this.key = key;
    this.ranges = ranges;
  }

  /** The account when the log holds [logStart, end). */
  account(end: number): Account {
    const lost = this.ranges.count(this.logStart, end, 'lost');
    const failed = this.ranges.count(this.logStart, end, 'failed');
    const retained = end - this.logStart - lost - failed;
    const quarantined = this.quarantinedBelow + lost;
    const dropped = { ...this.dropped };
    const droppedTotal = dropReasons.reduce((sum, reason) => sum + dropped[reason], 0);
    return {
      appended: retained + this.deletedConsumed + droppedTotal + quarantined,
      retained,
      deletedConsumed: this.deletedConsumed,
      dropped,
      quarantined,
      failed: this.failedBelow + failed,
    };
  }

  /** Moves the log start to `to`: entries below `consumedBelow` were consumed, the others are dropped for `reason`. */
  removeUntil(to: number, consumedBelow: number, reason: DropReason): void {
    // Said again because the account could not be written, or overtaken: it is counted already.
    if (to <= this.logStart) return;
    const from = this.logStart;
    const border = Math.min(to, Math.max(from, consumedBelow));
    this.deletedConsumed += border - from - this.ranges.count(from, border);
    this.dropped[reason] += to - border - this.ranges.count(border, to);
    this.quarantinedBelow += this.ranges.count(from, to, 'lost');
    this.failedBelow += this.ranges.count(from, to, 'failed');
    this.logStart = to;
    this.ranges.trim(to);
  }

  encode(): Buffer {
    const ranges = this.#storedRanges();
    const bytes = Buffer.alloc(HEADER_BYTES + ranges.length * RANGE_BYTES);
    writeOffset(bytes, this.logStart, 0);
    writeOffset(bytes, this.watermark, 8);
    writeOffset(bytes, this.deletedConsumed, 16);
    writeOffset(bytes, this.quarantinedBelow, 24);
    writeOffset(bytes, this.failedBelow, 32);
    dropReasons.forEach((reason, index) => {
      writeOffset(bytes, this.dropped[reason], 40 + 8 * index);
    });
    writeKey(bytes, KEY_AT, this.key);
    bytes.writeUInt32LE(ranges.length, HEADER_BYTES - 4);
    let at = HEADER_BYTES;
    for (const range of ranges) {
      writeOffset(bytes, range.from, at);
      writeOffset(bytes, range.to, at + 8);
      bytes[at + 16] = range.kind === 'lost' ? 1 : 0;
      at += RANGE_BYTES;
    }
    return bytes;
  }

  /** All that fit. `lost` ones yield to `failed` ones: whoever reads there finds them again, and they count the same. */
  #storedRanges(): readonly OffsetRange[] {
    const ranges = this.ranges.list;
    if (ranges.length <= LEDGER_RANGES_MAX) return ranges;
    let room = LEDGER_RANGES_MAX - ranges.filter((range) => range.kind === 'failed').length;
    return ranges.filter((range) => range.kind === 'failed' || room-- > 0).slice(0, LEDGER_RANGES_MAX);
  }

  /** @throws StateInvalid */
  static decode(bytes: Buffer): Ledger {
    if (bytes.length < HEADER_BYTES) throw new StateInvalid('the ledger of a shard');
    const count = bytes.readUInt32LE(HEADER_BYTES - 4);
    if (bytes.length !== HEADER_BYTES + count * RANGE_BYTES) throw new StateInvalid('the ledger of a shard');
    const ranges = Array.from({ length: count }, (_, index) => {
      const at = HEADER_BYTES + index * RANGE_BYTES;
      const kind = bytes[at + 16] === 1 ? ('lost' as const) : ('failed' as const);
      return { from: readOffset(bytes, at), to: readOffset(bytes, at + 8), kind };
    });
    const ledger = new Ledger(readKey(bytes, KEY_AT), new Ranges(ranges));
    ledger.logStart = readOffset(bytes, 0);
    ledger.watermark = readOffset(bytes, 8);
    ledger.deletedConsumed = readOffset(bytes, 16);
    ledger.quarantinedBelow = readOffset(bytes, 24);
    ledger.failedBelow = readOffset(bytes, 32);
    dropReasons.forEach((reason, index) => {
      ledger.dropped[reason] = readOffset(bytes, 40 + 8 * index);
    });
    return ledger;
  }
}
