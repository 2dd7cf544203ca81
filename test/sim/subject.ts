// The log under test in one life, and the reading of all of it. Invariant: it is reached by its public face alone, but for
// the reader of the audit, which must not leave a group behind.

import type { Group } from '../../buffer/group.ts';
import { Log } from '../../buffer/log.ts';
import { zstdInLine } from '../../buffer/ports/codec.ts';
import type { FileSystem } from '../../buffer/ports/file_system.ts';
import { ShardReader } from '../../buffer/reader.ts';
import type { Shard } from '../../buffer/shard.ts';
import type { Stream } from '../../buffer/stream.ts';
import type { World } from './machine.ts';
import { mayLag, type RunOptions } from './options.ts';

export const DIRECTORY = '/data/log';
export const STREAM = 'traces.otlp';
export const GROUPS = ['file/a', 'otlp_http/b'] as const;
/** What the second one is called for a moment, and by a crash for longer. */
export const RENAMED = 'otlp_http/renamed';
export type GroupName = (typeof GROUPS)[number];

export interface Subject {
  readonly log: Log;
  readonly stream: Stream;
  readonly shards: readonly Shard[];
  readonly groups: Readonly<Record<GroupName, Group>>;
}

/** Opens the log, its stream and its groups, to be appended to unless the options say `direct`; lets go of everything where that fails. */
export async function openSubject(
  world: World,
  options: RunOptions,
  fileSystem: FileSystem = world.process,
): Promise<Subject> {
  const log = await Log.open({
    directory: DIRECTORY,
    fileSystem,
    clock: world.clock.of(world.process.life),
    // A fixed key: drawing one would move every other choice that a seed stands for.
    random: { next: () => 0.75 },
    report: (level, message, fields) => world.trace.note(`  ${level}: ${message} ${JSON.stringify(fields)}`),
    // Points close by, so that readers begin in the middle of segments, and of blocks.
    segment: { maxBytes: options.segment_bytes, maxAge_ms: options.segmentAge_ms, indexInterval_bytes: 4096 },
    retention: {
      maxSize_bytes: options.maxSize_bytes,
      ...(options.maxAge_ms === undefined ? {} : { maxAge_ms: options.maxAge_ms }),
      ...(options.forceDeleteAfter_ms === undefined
        ? {}
        : { forceDeleteAfter_ms: options.forceDeleteAfter_ms }),
      ...(options.keepConsumed_bytes === undefined
        ? {}
        : { keepConsumed: { bytes: options.keepConsumed_bytes } }),
      minSegments: options.minSegments,
      minFreeSpace_bytes: options.minFreeSpace_bytes,
      whenFull: options.whenFull,
      protectUnconsumed: options.protectUnconsumed,
      interval_ms: options.retentionInterval_ms,
    },
    inFlightMax_bytes: options.inFlightMax_bytes,
    offsetsInterval_ms: options.offsetsInterval_ms,
    commit: { way: options.commitWay === 'direct' ? 'direct' : 'append' },
    commitDeadline_ms: options.commitDeadline_ms,
    hotTail_bytes: options.hotTail_bytes,
    codec: zstdInLine,
    ...(options.compressed ? { compression: { codec: 'zstd', level: 1, minBytes: 64 } } : {}),
  });
  try {
    const stream = await log.stream(STREAM, { shards: options.shards });
    if (stream.groupNames().includes(RENAMED)) await stream.renameGroup(RENAMED, GROUPS[1]);
    const a = await stream.group(GROUPS[0]);
    const b = await stream.group(GROUPS[1], {
      protect: options.secondGroupProtects,
      ...(mayLag(options) ? { maxLag: limitsOf(options) } : {}),
    });
    return {
      log,
      stream,
      shards: stream.shards,
      groups: { [GROUPS[0]]: a, [GROUPS[1]]: b } as Subject['groups'],
    };
  } catch (error) {
    await log.close().catch(() => {});
    throw error;
  }
}

function limitsOf({ maxLag_bytes, maxLag_ms }: RunOptions): { bytes?: number; age_ms?: number } {
  return {
    ...(maxLag_bytes === undefined ? {} : { bytes: maxLag_bytes }),
    ...(maxLag_ms === undefined ? {} : { age_ms: maxLag_ms }),
  };
}

/** Reads everything that the shard holds, handing each entry to `each`. */
export async function readAll(
  shard: Shard,
  each: (offset: number, bytes: Uint8Array) => void,
): Promise<{ from: number; end: number }> {
  const from = shard.logStart;
  const end = shard.highWatermark;
  const reader = new ShardReader(shard, from);
  try {
    while (reader.position < end) {
      const batch = await reader.read({ wait_ms: 0 });
      if (!batch) break;
      for (const [index, entry] of batch.entries.entries()) {
        // What was appended meanwhile may have come in part.
        if (batch.offsets[index]! < end) each(batch.offsets[index]!, entry);
      }
      batch.release();
    }
  } finally {
    reader.close();
  }
  return { from, end };
}
