// Which entries share a request. Pure decisions: a batch holds one signal, stays within its limits, and a compressed
// entry that is large enough leaves alone, so that it can be sent byte for byte as it came.

import type { Entry } from '../../otlp/entry.ts';
import type { ExportBatch } from '../exporter.ts';
import type { DrainConfig } from './config.ts';

export type BatchLimits = Pick<DrainConfig['batch'], 'max_bytes' | 'max_items' | 'passthrough_bytes'>;

/** Merging it would cost a decompression and a compression; raw bytes are merged for free. */
function leavesAlone(entry: Entry, limits: BatchLimits): boolean {
  return entry.codec !== 'identity' && entry.rawLength >= limits.passthrough_bytes;
}

/** Whether `entry` may join a batch that is not empty. */
export function mayJoin(batch: ExportBatch, entry: Entry, limits: BatchLimits): boolean {
  return (
    batch.signal === entry.signal &&
    !leavesAlone(entry, limits) &&
    batch.rawBytes + entry.rawLength <= limits.max_bytes &&
    batch.items + entry.items <= limits.max_items
  );
}

/** Nothing more can join. */
export function isFull(batch: ExportBatch, limits: BatchLimits): boolean {
  return (
    batch.rawBytes >= limits.max_bytes ||
    batch.items >= limits.max_items ||
    (batch.entries.length === 1 && leavesAlone(batch.entries[0]!, limits))
  );
}

/** Large enough that waiting for more gains nothing; it still takes what is already there. */
export function isWorthSending(batch: ExportBatch, limits: BatchLimits): boolean {
  return batch.rawBytes >= limits.passthrough_bytes;
}
