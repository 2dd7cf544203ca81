// `buffer.retention`: what is kept beyond, or given up below, what the disk budget says. Invariant: with nothing written here
// nothing unconsumed is lost.

import * as z from 'zod';
import { streamGlob } from '../../buffer/index.ts';
import { durationMs, section, sizeBytes } from '../../config/fields.ts';

const MIB = 2 ** 20;

const streamPattern = () =>
  z.string().refine(isGlob, 'a pattern of stream names, such as "logs.*" or "traces.**"');

export const retentionSchema = section({
  /** The disk budget of each shard of each stream, so that one of them cannot take all of max_size. */
  max_shard_size: sizeBytes({ min: MIB }).optional(),
  /** Segments of each shard that stay whatever else is said, the active one included. */
  min_segments: z.number().int().min(0).max(10_000).default(0),
  /** Keeps what every exporter has delivered, as far back as a replay is to reach; it gives way where room is needed. */
  keep_consumed: section({
    age: durationMs({ min: 1_000 }).optional(),
    /** Of each shard. */
    size: sizeBytes({ min: 1 }).optional(),
  }).optional(),
  /** Removes what is older though it was never delivered, whatever protects it. */
  force_delete_after: durationMs({ min: 1_000 }).optional(),
  /** Which streams are shed first under drop_oldest: pattern → number, the lowest first; the last pattern that matches counts. */
  priority: z.record(streamPattern(), z.number().int().min(-1_000).max(1_000)).optional(),
});

export type RetentionConfig = z.output<typeof retentionSchema>;

/** The priority of a stream, 0 where no pattern matches. */
export function priorityOf(stream: string, { priority = {} }: RetentionConfig): number {
  const matching = Object.entries(priority).filter(([pattern]) => streamGlob(pattern)(stream));
  return matching.at(-1)?.[1] ?? 0;
}

function isGlob(pattern: string): boolean {
  try {
    streamGlob(pattern);
    return true;
  } catch {
    return false;
  }
}
