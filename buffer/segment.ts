// One segment as the shard knows it, and the index file beside a sealed one. The index is a hint that a checksum guards:
// without it, or where it does not fit the data, the segment is scanned. FORMAT.md, "Index".

import { crc32 } from 'node:zlib';
import { readOffset, writeOffset } from './frame.ts';

/** Where a frame begins that holds or precedes an offset. */
export interface IndexPoint {
  readonly offset: number;
  readonly position: number;
}

/** One point for about so many bytes of data, unless the log says otherwise (`segment.indexInterval_bytes`). */
export const INDEX_INTERVAL_BYTES = 1024 * 1024;
const INDEX_HEADER_BYTES = 64;
const INDEX_MAGIC = Buffer.from('HFIX', 'latin1').readUInt32LE(0);
export const INDEX_VERSION = 1;
const POINT_BYTES = 16;

export class Segment {
  readonly base: number;
  /** Offset behind the last durable entry. */
  end: number;
  /** Durable bytes of the file: readers go no further. */
  bytes = 0;
  sealed = false;
  /** This process wrote and sealed it without an error: once it is done with, its file may be written over. */
  reusable = false;
  /** A reader brought or brings it into the page cache: others take it from there. */
  cached = false;
  /** ms since the Unix epoch; 0 while empty. */
  firstTimestamp = 0;
  lastTimestamp = 0;
  /** Running time of the log when the last entry was appended, ms: what ages count (no clock jump deletes data). */
  lastRunning_ms = 0;
  readonly points: IndexPoint[] = [];

  constructor(base: number) {
    this.base = base;
    this.end = base;
  }

  /** Notes where a frame begins, at most one point per interval. */
  addPoint(offset: number, position: number, interval_bytes: number): void {
    const last = this.points[this.points.length - 1];
    if (!last || position - last.position >= interval_bytes) this.points.push({ offset, position });
  }

  /** The last point at or before `offset`; the segment's start where there is none. */
  pointBefore(offset: number): IndexPoint {
    let low = 0;
    let high = this.points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.points[middle]!.offset <= offset) low = middle + 1;
      else high = middle;
    }
    return this.points[low - 1] ?? { offset: this.base, position: 0 };
  }
}

/** Of segments in order, the one that holds `offset` or else the first one after it. */
export function segmentAtOrAfter(segments: readonly Segment[], offset: number): Segment | undefined {
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (segments[middle]!.end > offset) high = middle;
    else low = middle + 1;
  }
  return segments[low];
}

export function encodeIndex(segment: Segment): Buffer {
  const index = Buffer.alloc(INDEX_HEADER_BYTES + segment.points.length * POINT_BYTES);
  index.writeUInt32LE(INDEX_MAGIC, 0);
  index.writeUInt16LE(INDEX_VERSION, 4);
  writeOffset(index, segment.base, 8);
  writeOffset(index, segment.end, 16);
  writeOffset(index, segment.bytes, 24);
  writeOffset(index, segment.firstTimestamp, 32);
  writeOffset(index, segment.lastTimestamp, 40);
  writeOffset(index, Math.round(segment.lastRunning_ms), 48);
  index.writeUInt32LE(segment.points.length, 56);
  let at = INDEX_HEADER_BYTES;
  for (const point of segment.points) {
    writeOffset(index, point.offset, at);
    writeOffset(index, point.position, at + 8);
    at += POINT_BYTES;
  }
  index.writeUInt32LE(indexChecksum(index), 60);
  return index;
}

/** The version of an index that is whole, or undefined: where magic, version and checksum stand is the same in all versions. */
export function indexVersion(index: Buffer): number | undefined {
  if (index.length < INDEX_HEADER_BYTES || index.readUInt32LE(0) !== INDEX_MAGIC) return undefined;
  return indexChecksum(index) === index.readUInt32LE(60) ? index.readUInt16LE(4) : undefined;
}

/** The sealed segment that the index describes, or undefined unless it is whole and fits the base and size of the data. */
export function decodeIndex(index: Buffer, base: number, bytes: number): Segment | undefined {
  if (indexVersion(index) !== INDEX_VERSION) return undefined;
  const points = index.readUInt32LE(56);
  if (index.length !== INDEX_HEADER_BYTES + points * POINT_BYTES) return undefined;
  if (readOffset(index, 8) !== base || readOffset(index, 24) !== bytes) return undefined;
  const segment = new Segment(base);
  segment.end = readOffset(index, 16);
  segment.bytes = bytes;
  segment.sealed = true;
  segment.firstTimestamp = readOffset(index, 32);
  segment.lastTimestamp = readOffset(index, 40);
  segment.lastRunning_ms = readOffset(index, 48);
  for (let point = 0, at = INDEX_HEADER_BYTES; point < points; point++, at += POINT_BYTES) {
    segment.points.push({ offset: readOffset(index, at), position: readOffset(index, at + 8) });
  }
  return segment;
}

function indexChecksum(index: Buffer): number {
  return crc32(index.subarray(INDEX_HEADER_BYTES), crc32(index.subarray(0, 60)));
}
