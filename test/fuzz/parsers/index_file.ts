// buffer/segment.ts: the index beside a sealed segment.

import { crc32 } from 'node:zlib';
import { decodeIndex, encodeIndex, Segment } from '../../../buffer/segment.ts';
import type { SeededRandom } from '../../sim/random.ts';
import { type Parser, promise } from '../parser.ts';

const BASE = 7;
const BYTES = 5_000_000;

function index(points: number): Buffer {
  const segment = new Segment(BASE);
  segment.end = 900;
  segment.bytes = BYTES;
  segment.firstTimestamp = 1_700_000_000_000;
  segment.lastTimestamp = 1_700_000_001_000;
  segment.lastRunning_ms = 17;
  for (let at = 0; at < points; at++)
    segment.points.push({ offset: BASE + 100 * at, position: 1_000_000 * at });
  return encodeIndex(segment);
}

export const indexParser: Parser = {
  name: 'index',
  promise: 'a segment that fits its file, or nothing; never throws',
  seeds: [index(0), index(1), index(5)],
  mutate,
  check(input) {
    const segment = decodeIndex(input, BASE, BYTES);
    if (!segment) return 'refused';
    promise(segment.base === BASE && segment.bytes === BYTES && segment.sealed, 'it is of another file');
    promise(segment.points.length * 16 <= input.length, 'points that do not stand there');
    for (const offset of [0, BASE, segment.end, Number.MAX_SAFE_INTEGER]) {
      const point = segment.pointBefore(offset);
      promise(Number.isFinite(point.position) && point.position >= 0, `a point at ${point.position}`);
    }
    return 'accepted';
  },
};

/** Any field, with the checksum made right again. */
function mutate(input: Buffer, random: SeededRandom): Buffer {
  const copy = Buffer.from(input);
  if (copy.length < 64) return copy;
  const at = 4 * random.integer(copy.length >> 2);
  copy.writeUInt32LE(random.pick([0, 1, 0x7fffffff, 0xffffffff, random.integer(1_000)]), at);
  copy.writeUInt32LE(crc32(copy.subarray(64), crc32(copy.subarray(0, 60))), 60);
  return copy;
}
