// buffer/recovery.ts with scan.ts and frame.ts: what a segment holds, whatever stands in it. Four bytes say what is known
// beforehand (watermark and next base, relative), the rest is the segment.

import { BlockPool } from '../../../buffer/block_pool.ts';
import { NewerFormat } from '../../../buffer/errors.ts';
import { bodyMatches, EntryCursor, FRAME_HEADER_BYTES, readFrameHeader } from '../../../buffer/frame.ts';
import type { File } from '../../../buffer/ports/file_system.ts';
import { type RecoveredSegment, recoverSegment } from '../../../buffer/recovery.ts';
import { MemoryFile } from '../../buffer/memory_file_system.ts';
import { KEY } from '../../buffer/written_segment.ts';
import { type Parser, promise, refusedAs, type Verdict } from '../parser.ts';
import { BASE, mutateFrames, segments } from './frames.ts';

const HEAD_BYTES = 4;
const INPUT_MAX_BYTES = 128 * 1024;
/** One window for all of it, and another for a frame that ends behind it, per frame. */
const READS_PER_KIB = 60;

const heads = ['00000000', '02000000', '00004000', '03000400', 'ffff0000'].map((hex) =>
  Buffer.from(hex, 'hex'),
);

export const segmentParser: Parser = {
  name: 'segment',
  promise:
    'recover(recover(x)) = recover(x); no offset twice; what it keeps is intact; a bounded number of reads',
  seeds: heads.flatMap((head) => segments().map((segment) => Buffer.concat([head, segment]))),
  mutate: (input, random) =>
    Buffer.concat([
      input.subarray(0, HEAD_BYTES),
      mutateFrames(input.subarray(HEAD_BYTES), random, KEY, true),
    ]),
  inputMax_bytes: INPUT_MAX_BYTES,
  allocationMax_bytes: 2 * 1024 * 1024,
  shortRun: 300,
  async check(input): Promise<Verdict> {
    const bytes = input.subarray(HEAD_BYTES);
    let first: RecoveredSegment;
    try {
      first = await recover(input, bytes);
    } catch (error) {
      return refusedAs(error, NewerFormat);
    }
    const { segment } = first;
    promise(segment.bytes + first.tail_bytes === bytes.length, 'bytes are neither kept nor cut');
    promise(segment.end >= BASE && Number.isSafeInteger(segment.end), `an end at ${segment.end}`);
    checkRanges(first);
    checkEntries(bytes, first);
    // Opened again with what the account knows by then, of what was not cut off. (`store` looks at the whole log.)
    const second = await recover(input, bytes.subarray(0, segment.bytes), segment.end);
    promise(
      second.segment.end === segment.end,
      `the end was ${segment.end}, now it is ${second.segment.end}`,
    );
    promise(second.segment.bytes <= segment.bytes, 'what was cut off is back');
    return 'accepted';
  },
};

async function recover(input: Buffer, bytes: Buffer, durable = 0): Promise<RecoveredSegment> {
  const head = Buffer.alloc(HEAD_BYTES);
  input.copy(head, 0, 0, HEAD_BYTES);
  const next = head.readUInt16LE(2);
  let left = READS_PER_KIB * (1 + bytes.length / 1024);
  const file = new MemoryFile(bytes);
  const bounded: File = Object.assign(Object.create(file) as File, {
    read(into: Uint8Array, position: number) {
      left -= 1;
      promise(left > 0, 'reads without end');
      return file.read(into, position);
    },
  });
  const known = {
    base: BASE,
    nextBase: next === 0 ? undefined : BASE + next,
    watermark: Math.max(durable, BASE + head.readUInt16LE(0)),
  };
  return recoverSegment(
    { ...known, path: '/segment', file: bounded, size: bytes.length, key: KEY },
    new BlockPool(0),
  );
}

function checkRanges({ segment, ranges }: RecoveredSegment): void {
  for (const { from, to } of ranges) promise(from >= BASE && from < to, `a range from ${from} to ${to}`);
  const sorted = ranges.toSorted((a, b) => a.from - b.from);
  for (const [index, { to }] of sorted.entries()) {
    const next = sorted[index + 1]?.from ?? Number.POSITIVE_INFINITY;
    promise(to <= next, `offset ${next} is given up twice`);
    promise(to <= segment.end, `${to} is given up, and ${segment.end} is the end`);
  }
}

/** From each point of the index on, frames are read as a reader does. */
function checkEntries(bytes: Buffer, { segment }: RecoveredSegment): void {
  const cursor = new EntryCursor();
  for (const { position, offset } of segment.points) {
    const header = readFrameHeader(bytes, position, KEY);
    promise(header?.baseOffset === offset, `no frame of ${offset} at ${position}`);
    const body = position + FRAME_HEADER_BYTES;
    promise(body + header.bodyBytes <= bytes.length, 'a frame beyond the end');
    promise(bodyMatches(bytes, body, header), 'a body that is not intact');
    cursor.open(bytes, body, header.bodyBytes);
    for (let entries = 0; cursor.next(); entries++) {
      promise(entries <= header.bodyBytes, 'entries without end');
      promise(cursor.start >= body && cursor.end >= cursor.start, 'an entry that begins before its frame');
      promise(cursor.end <= body + header.bodyBytes, 'an entry that ends behind its frame');
    }
  }
}
