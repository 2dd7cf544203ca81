// Where reading may begin, said in the words of a user, and the offset that this means in one shard. Invariant: the
// offset lies between the log start and the high watermark, whatever is removed or appended meanwhile.

import { unpack } from './compression.ts';
import { OffsetOutOfRange } from './errors.ts';
import { EntryCursor, FRAME_HEADER_BYTES, type FrameHeader, isPacked } from './frame.ts';
import { errorCode, type File } from './ports/file_system.ts';
import { findNextFrame, loadFrame, Window } from './scan.ts';
import type { Segment } from './segment.ts';
import type { Shard } from './shard.ts';

/**
 * The oldest entry that is kept; the next one to come; an offset; the first entry appended at that wall-clock time or
 * later; behind the `skip` oldest entries; before the `last` newest ones.
 */
export type Place =
  | 'earliest'
  | 'latest'
  | number
  | { readonly time_ms: number }
  | { readonly skip: number }
  | { readonly last: number };

/** @throws OffsetOutOfRange where an offset is given that is not kept, or a count or time that is none */
export async function resolvePlace(shard: Shard, place: Place): Promise<number> {
  const { highWatermark, logStart } = shard;
  if (place === 'earliest') return logStart;
  if (place === 'latest') return highWatermark;
  if (typeof place === 'number') {
    if (Number.isInteger(place) && place >= logStart && place <= highWatermark) return place;
    throw new OffsetOutOfRange(shard.id, place, logStart, highWatermark);
  }
  if ('skip' in place) return behindOldest(shard, counted(shard, place.skip));
  if ('last' in place) {
    const kept = highWatermark - logStart - shard.ledger.ranges.count(logStart, highWatermark);
    return behindOldest(shard, Math.max(0, kept - counted(shard, place.last)));
  }
  if (!Number.isFinite(place.time_ms)) {
    throw new OffsetOutOfRange(shard.id, place.time_ms, logStart, highWatermark);
  }
  const found = await firstSince(shard, place.time_ms);
  return Math.min(Math.max(found, shard.logStart), shard.highWatermark);
}

function counted(shard: Shard, entries: number): number {
  if (Number.isInteger(entries) && entries >= 0) return entries;
  throw new OffsetOutOfRange(shard.id, entries, shard.logStart, shard.highWatermark);
}

/** The offset of the entry that has `entries` kept ones before it. Damage that nobody has read yet is counted as kept. */
function behindOldest(shard: Shard, entries: number): number {
  let offset = shard.logStart + entries;
  for (const range of shard.ledger.ranges.list) {
    if (range.from > offset) break;
    if (range.to > shard.logStart) offset += range.to - Math.max(range.from, shard.logStart);
  }
  return Math.min(offset, shard.highWatermark);
}

async function firstSince(shard: Shard, time_ms: number): Promise<number> {
  const limit = shard.highWatermark;
  for (const segment of [...shard.segments]) {
    if (segment.lastTimestamp < time_ms || segment.bytes === 0) continue;
    if (segment.firstTimestamp >= time_ms) return segment.base;
    const found = await searchSegment(shard, segment, time_ms);
    if (found !== undefined) return found;
  }
  return limit;
}

async function searchSegment(shard: Shard, segment: Segment, time_ms: number): Promise<number | undefined> {
  try {
    return await searchFile(shard, segment, time_ms);
  } catch (error) {
    // Retention was faster, at any read: the descriptor may have been closed to make room.
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function searchFile(shard: Shard, segment: Segment, time_ms: number): Promise<number | undefined> {
  const file = await shard.parts.fileSystem.open(shard.segmentPath(segment), 'read');
  const window = new Window(shard.parts.pool, shard.ledger.key, shard.segmentPath(segment));
  try {
    const from = { file, end: segment.bytes };
    let position = await pointSince(window, from, segment, time_ms);
    for (;;) {
      const { header, bodyIntact } = await loadFrame(window, from, position);
      // Retention was faster, and another segment is written over this one.
      if (header && header.baseOffset >= segment.end) return undefined;
      if (header && bodyIntact) {
        const offset = await entrySince(shard, window, position, header, time_ms);
        if (offset !== undefined) return offset;
        position += FRAME_HEADER_BYTES + header.bodyBytes;
      } else {
        const next = await findNextFrame(window, from, position + 1, segment.base, segment.end);
        if (next === undefined) return undefined;
        position = next;
      }
      if (position >= segment.bytes) return undefined;
    }
  } finally {
    window.release();
    await file.close();
  }
}

/** The last point whose frame is older: by halving, so that a time costs a few reads. */
async function pointSince(
  window: Window,
  from: { readonly file: File; readonly end: number },
  segment: Segment,
  time_ms: number,
): Promise<number> {
  let low = 0;
  let high = segment.points.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const { header } = await loadFrame(window, from, segment.points[middle]!.position);
    // Where a frame is damaged it cannot be asked: all of the left half is looked at.
    if (header && header.timestamp < time_ms) low = middle + 1;
    else high = middle;
  }
  return segment.points[low - 1]?.position ?? 0;
}

async function entrySince(
  shard: Shard,
  window: Window,
  position: number,
  header: FrameHeader,
  time_ms: number,
): Promise<number | undefined> {
  const at = position - window.start + FRAME_HEADER_BYTES;
  const { memory } = window.block!;
  if (!isPacked(header)) return timeSince(memory, at, header.bodyBytes, header, time_ms);
  const raw = await unpack(shard.parts.codec, memory.subarray(at, at + header.bodyBytes));
  return raw && timeSince(raw, 0, raw.length, header, time_ms);
}

function timeSince(
  memory: Buffer,
  at: number,
  bytes: number,
  header: FrameHeader,
  time_ms: number,
): number | undefined {
  const entries = new EntryCursor();
  entries.open(memory, at, bytes);
  for (let offset = header.baseOffset; entries.next(); offset++) {
    if (header.timestamp + entries.timeDelta_ms >= time_ms) return offset;
  }
  return undefined;
}
