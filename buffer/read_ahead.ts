// Decompressing ahead of a reader: with the frame that it stands before, the next ones that its window holds. A frame by
// itself would wait for a thread each time; three at a time keep the threads busy. Invariant: what is handed out was intact.

import { unpack } from './compression.ts';
import { FRAME_HEADER_BYTES, type FrameHeader, isPacked, readFrameHeader } from './frame.ts';
import type { Codec } from './ports/codec.ts';
import { bodyIntact, type Window } from './scan.ts';

/** As many as a commit compresses at a time; a large entry is a frame, so more would be much memory. */
const FRAMES = 3;
/** Frames beyond are not decompressed ahead. */
const AHEAD_MAX_BYTES = 256 * 1024;

export class ReadAhead {
  readonly #codec: Codec;
  /** By file position of the frame. */
  readonly #bodies = new Map<number, Buffer>();

  constructor(codec: Codec) {
    this.#codec = codec;
  }

  /** The body of the frame at `position` if it is there by now; it is the caller's then. */
  take(position: number): Buffer | undefined {
    const body = this.#bodies.get(position);
    if (body) this.#bodies.delete(position);
    return body;
  }

  clear(): void {
    this.#bodies.clear();
  }

  /** The body of the intact frame at `position`, and the next ones for later; undefined where it does not hold what it says. */
  async unpack(window: Window, position: number, header: FrameHeader): Promise<Buffer | undefined> {
    this.#bodies.clear();
    const positions = [position];
    const unpacking = [unpack(this.#codec, bodyOf(window, position, header))];
    for (let at = endOf(position, header); unpacking.length < FRAMES; ) {
      const next = headerAt(window, at);
      if (!next || !isPacked(next) || next.bodyBytes > AHEAD_MAX_BYTES) break;
      if (!bodyIntact(window, at, next)) break;
      positions.push(at);
      unpacking.push(unpack(this.#codec, bodyOf(window, at, next)));
      at = endOf(at, next);
    }
    const bodies = await Promise.all(unpacking);
    for (const [index, body] of bodies.entries()) {
      if (index > 0 && body) this.#bodies.set(positions[index]!, body);
    }
    return bodies[0];
  }
}

/** Unlike the scan's it passes over a newer frame: that is for whoever reaches it. */
function headerAt(window: Window, position: number): FrameHeader | undefined {
  if (window.available(position) < FRAME_HEADER_BYTES) return undefined;
  return readFrameHeader(
    window.block!.memory.subarray(0, window.length),
    position - window.start,
    window.key,
  );
}

function endOf(position: number, header: FrameHeader): number {
  return position + FRAME_HEADER_BYTES + header.bodyBytes;
}

function bodyOf(window: Window, position: number, header: FrameHeader): Buffer {
  const at = position - window.start + FRAME_HEADER_BYTES;
  return window.block!.memory.subarray(at, at + header.bodyBytes);
}
