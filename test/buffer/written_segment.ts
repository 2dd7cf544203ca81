// A segment as commits leave it, with the place of every frame: what recovery and scan are tested on.

import { BlockPool } from '../../buffer/block_pool.ts';
import { Chain } from '../../buffer/chain.ts';
import { FRAME_HEADER_BYTES, readOffset } from '../../buffer/frame.ts';
import type { FrameKey } from '../../buffer/frame_key.ts';

/** Under which all of it is sealed. */
export const KEY: FrameKey = { header: 0xdeadbeef, body: 0x01020304 };

export interface FramePlace {
  readonly position: number;
  readonly bytes: number;
  readonly from: number;
  readonly to: number;
}

export interface WrittenSegment {
  readonly bytes: Buffer;
  readonly base: number;
  readonly end: number;
  readonly frames: readonly FramePlace[];
}

/** One commit for each list of batches; a batch is a list of entries. The watermark of a commit is where it begins. */
export function writeSegment(
  base: number,
  commits: readonly (readonly (readonly Uint8Array[])[])[],
): WrittenSegment {
  const chain = new Chain(new BlockPool(0), 1, KEY);
  const parts: Buffer[] = [];
  let end = base;
  for (const batches of commits) {
    chain.reset(end);
    for (const batch of batches) chain.appendBatch(batch, 1_700_000_000_000 + end, end);
    chain.seal();
    for (const block of chain.blocks) parts.push(Buffer.from(block.memory.subarray(0, block.used)));
    end = chain.end;
  }
  const bytes = Buffer.concat(parts);
  return { bytes, base, end, frames: placesOf(bytes) };
}

/** Where the frames of undamaged bytes stand. */
export function placesOf(bytes: Buffer): FramePlace[] {
  const frames: FramePlace[] = [];
  for (let position = 0; position < bytes.length; ) {
    const length = FRAME_HEADER_BYTES + bytes.readUInt32LE(position + 4);
    const from = readOffset(bytes, position + 8);
    frames.push({ position, bytes: length, from, to: from + bytes.readUInt16LE(position + 16) });
    position += length;
  }
  return frames;
}

/** The frame that holds the byte at `position`. */
export function frameOf(frames: readonly FramePlace[], position: number): FramePlace {
  return frames.findLast((frame) => frame.position <= position)!;
}
