// Whether two secrets are the same, in a time that tells nothing of where they differ or how long they are.

import { createHash, timingSafeEqual } from 'node:crypto';

export type Digest = Buffer;

export function digestOf(secret: string): Digest {
  return createHash('sha256').update(secret).digest();
}

export function isSame(one: Digest, other: Digest): boolean {
  return timingSafeEqual(one, other);
}
