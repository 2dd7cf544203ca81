// What comes of a compressed body: the protobuf bytes to check, and the form to keep.

import type { Codec } from '../../../otlp/entry.ts';

export interface Decompressed {
  /** Valid until the next body is decompressed: to be looked at in the same turn. */
  readonly bytes: Buffer;
  /** What is kept: the compressed form where it can be sent on as it is, else `bytes`. */
  readonly stored: Buffer;
  /** Of `stored`. */
  readonly codec: Codec;
}

export function keepPlain(bytes: Buffer): Decompressed {
  return { bytes, stored: bytes, codec: 'identity' };
}
