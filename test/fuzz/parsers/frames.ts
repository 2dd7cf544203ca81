// What segments are made of, for the fuzzers that damage them: a few commits of batches, and checksums put right again, so that
// a mutation gets past them.

import { crc32 } from 'node:zlib';
import { FRAME_HEADER_BYTES, findMagic, readFrameHeader } from '../../../buffer/frame.ts';
import type { FrameKey } from '../../../buffer/frame_key.ts';
import { writeSegment } from '../../buffer/written_segment.ts';
import type { SeededRandom } from '../../sim/random.ts';

export const BASE = 1_000;

const entry = (bytes: number): Buffer => Buffer.alloc(bytes, `entry of ${bytes} bytes `);

/** Small ones, a batch over several frames, and one with an empty entry and frames inside its bytes. */
export function segments(): Buffer[] {
  const small = writeSegment(BASE, [[[entry(3), entry(40)]], [[entry(200)], [entry(0)]], [[entry(1)]]]).bytes;
  const spanning = writeSegment(BASE, [
    [[entry(9)]],
    [[entry(40_000), entry(40_000), entry(100)]],
    [[entry(5)]],
  ]).bytes;
  const within = writeSegment(BASE, [[[small, entry(7)]], [[entry(8)]]]).bytes;
  return [small, within, spanning, Buffer.alloc(0)];
}

/**
 * Repeats a frame or exchanges two, as a disk that loses its way does; with `forge` also changes a field of a header and mostly
 * makes the checksums right again, which takes the key.
 */
export function mutateFrames(input: Buffer, random: SeededRandom, key: FrameKey, forge: boolean): Buffer {
  const copy = Buffer.from(input);
  const places: number[] = [];
  for (let at = findMagic(copy, 0); at !== -1; at = findMagic(copy, at + 1)) places.push(at);
  if (places.length === 0) return copy;
  const at = random.pick(places);
  const header = readFrameHeader(copy, at, key);
  if (!header) return copy;
  const end = at + FRAME_HEADER_BYTES + header.bodyBytes;
  const kind = random.integer(forge ? 5 : 2);
  if (kind === 0) return Buffer.concat([copy.subarray(0, at), copy.subarray(at, end), copy.subarray(at)]);
  if (kind === 1) return Buffer.concat([copy.subarray(0, at), copy.subarray(end), copy.subarray(at, end)]);
  const field = random.pick([
    [3, 1],
    [4, 4],
    [8, 4],
    [8, 1],
    [12, 4],
    [16, 2],
    [18, 4],
    [24, 4],
    [28, 4],
    [40, 1],
    [44, 1],
  ] as const);
  const [offset, bytes] = field;
  if (at + offset + bytes > copy.length) return copy;
  const value = random.pick([
    0,
    1,
    2,
    3,
    0x7f,
    0x80,
    0xff,
    0xffff,
    0x7fffffff,
    0xffffffff,
    random.integer(5_000),
  ]);
  copy.writeUIntLE(value % 2 ** (8 * bytes), at + offset, bytes);
  if (random.chance(0.8)) reseal(copy, at, key);
  return copy;
}

function reseal(bytes: Buffer, at: number, key: FrameKey): void {
  const body = at + FRAME_HEADER_BYTES;
  const length = bytes.readUInt32LE(at + 4);
  bytes.writeUInt32LE((crc32(bytes.subarray(body, body + length)) ^ key.body) >>> 0, at + 32);
  bytes.writeUInt32LE((crc32(bytes.subarray(at, at + 36)) ^ key.header) >>> 0, at + 36);
}
