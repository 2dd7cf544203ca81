// The key of a log: 64 bits of chance made with it, by which the checksums of its frames are changed (XOR). Bytes that came
// from outside can be a perfect frame, but not a frame of this log, since nobody outside knows the key. Invariant: a key
// never changes and is never all zero; all zero stands for "no key", which is what logs before there were keys have.

import type { Random } from './ports/random.ts';

export interface FrameKey {
  /** XORed into the checksum of each header, and of each body. */
  readonly header: number;
  readonly body: number;
}

export const NO_KEY: FrameKey = { header: 0, body: 0 };
const KEY_BYTES = 8;

export function makeKey(random: Random): FrameKey {
  const part = (): number => Math.floor(random.next() * 0xffffffff) + 1;
  return { header: part(), body: part() };
}

export function readKey(source: Buffer, at: number): FrameKey {
  return { header: source.readUInt32LE(at), body: source.readUInt32LE(at + 4) };
}

export function writeKey(target: Buffer, at: number, key: FrameKey): void {
  target.writeUInt32LE(key.header, at);
  target.writeUInt32LE(key.body, at + 4);
}

/** 16 hexadecimal digits, the bytes in the order in which they stand in a ledger. */
export function formatKey(key: FrameKey): string {
  const bytes = Buffer.alloc(KEY_BYTES);
  writeKey(bytes, 0, key);
  return bytes.toString('hex');
}

/** `undefined`, as in the owner file of a log without a key, gives none. */
export function parseKey(text: string | undefined): FrameKey {
  return text === undefined ? NO_KEY : readKey(Buffer.from(text, 'hex'), 0);
}
