// A segment as commits leave it, with the place of every frame: what recovery and scan are tested on.

import { BlockPool } from '../../buffer/block_pool.ts';
import { Chain } from '../../buffer/chain.ts';
import { FRAME_HEADER_BYTES, readFrameHeader } from '../../buffer/frame.ts';

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
  const chain = new Chain(new BlockPool(0), 1);
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
    const header = readFrameHeader(bytes, position)!;
    const length = FRAME_HEADER_BYTES + header.bodyBytes;
    frames.push({ position, bytes: length, from: header.baseOffset, to: header.baseOffset + header.count });
    position += length;
  }
  return frames;
}

/** The frame that holds the byte at `position`. */
export function frameOf(frames: readonly FramePlace[], position: number): FramePlace {
  return frames.findLast((frame) => frame.position <= position)!;
}
