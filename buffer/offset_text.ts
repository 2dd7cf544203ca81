// An offset as text, `stream/shard-offset`, for logs, command lines and other programs. Invariant: there is one text for
// each offset, and what is parsed gives the same text again.

import { InvalidOffset } from './errors.ts';
import { isStreamName } from './names.ts';

export interface OffsetName {
  readonly stream: string;
  readonly shard: number;
  readonly offset: number;
}

const SHARD_AND_OFFSET = /^(0|[1-9]\d{0,8})-(0|[1-9]\d{0,15})$/;

/** @param shard the shard, or its id (`stream/index`) */
export function offsetText(shard: { readonly id: string } | string, offset: number): string {
  return `${typeof shard === 'string' ? shard : shard.id}-${offset}`;
}

/** @throws InvalidOffset */
export function parseOffset(text: string): OffsetName {
  const slash = text.lastIndexOf('/');
  const stream = text.slice(0, Math.max(0, slash));
  const match = SHARD_AND_OFFSET.exec(text.slice(slash + 1));
  const offset = Number(match?.[2]);
  if (!match || !isStreamName(stream) || !Number.isSafeInteger(offset)) throw new InvalidOffset(text);
  return { stream, shard: Number(match[1]), offset };
}
