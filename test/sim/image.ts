// The bytes of a simulated file. Copies of a disk share them until one of them writes, and what nobody looks at any more is
// used again: a run makes and drops hundreds, and left to the garbage collector, which counts their bytes, they would cost
// more than the log does. Invariant: bytes with more than one user never change, and all behind what was written is zero.

import { hash } from 'node:crypto';

export class Image {
  readonly bytes: Buffer;
  #users = 1;
  /** Of the first `#digested` bytes, for as long as nobody writes. */
  #digest = '';
  #digested = -1;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** For one user more. */
  share(): Image {
    this.#users += 1;
    return this;
  }

  /** One user less. */
  drop(): void {
    this.#users -= 1;
    if (this.#users === 0) giveBack(this.bytes);
  }

  /** A digest of the first `length` bytes. */
  digest(length: number): string {
    if (this.#digested !== length) {
      this.#digest = hash('sha1', this.bytes.subarray(0, length), 'base64');
      this.#digested = length;
    }
    return this.#digest;
  }

  /** The same bytes for this user alone, to be written to, with room for `room`; takes the place of this one. */
  own(room: number): Image {
    const { bytes } = this;
    this.#digested = this.#users === 1 ? -1 : this.#digested;
    if (this.#users === 1 && bytes.length >= room) return this;
    let size = SIZE_MIN_bytes;
    while (size < room || size < bytes.length) size *= 2;
    const own = free.get(size)?.pop() ?? Buffer.allocUnsafeSlow(size);
    bytes.copy(own);
    if (size > bytes.length) own.fill(0, bytes.length);
    this.drop();
    return new Image(own);
  }
}

const SIZE_MIN_bytes = 512;
/** By the power of two that is their size. */
const free = new Map<number, Buffer[]>();
const FREE_MAX = 64;
const NOTHING = Buffer.alloc(0);

export function emptyImage(): Image {
  return new Image(NOTHING);
}

function giveBack(bytes: Buffer): void {
  if (bytes.length === 0) return;
  const images = free.get(bytes.length);
  if (!images) free.set(bytes.length, [bytes]);
  else if (images.length < FREE_MAX) images.push(bytes);
}
