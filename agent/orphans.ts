// Consumer groups on disk that the configuration no longer names. Invariant: they keep what they protect, and are
// reported, until the user writes `buffer.orphans: release`.

import type { Log, Stream } from '../buffer/index.ts';
import type { Logger } from '../config/logger.ts';
import { DEAD_LETTER_GROUP, signalOf } from './outlet.ts';
import type { AgentConfig } from './schema/agent_config.ts';
import { priorityOf } from './schema/retention.ts';

export interface OrphanOptions {
  readonly log: Log;
  readonly config: AgentConfig;
  /** All streams that the configuration names, by name, opened. */
  readonly configured: ReadonlyMap<string, Stream>;
  readonly logger: Logger;
}

/**
 * Reports orphaned groups, and finds the streams that no receiver feeds any more but a configured exporter still has to
 * drain: what was acknowledged is delivered, whatever happened to the receiver's name.
 * @returns those streams by the exporter's group
 */
export async function findOrphans(options: OrphanOptions): Promise<ReadonlyMap<string, readonly Stream[]>> {
  const { log, config, configured } = options;
  const leftovers = new Map<string, Stream[]>();
  for (const name of log.streamNames()) {
    if (signalOf(name) === undefined) continue;
    const fed = configured.get(name);
    const stream = fed ?? (await log.stream(name, { priority: priorityOf(name, config.buffer.retention) }));
    for (const group of stream.groupNames()) {
      if (group === DEAD_LETTER_GROUP) continue;
      const exporter = config.exporters.find((each) => each.group === group);
      if (fed && exporter?.streams.some((each) => each.name === name)) continue;
      if (exporter && !fed) leftovers.set(group, [...(leftovers.get(group) ?? []), stream]);
      else await orphaned(stream, group, options);
    }
  }
  return leftovers;
}

async function orphaned(stream: Stream, name: string, { config, logger }: OrphanOptions): Promise<void> {
  const release = config.buffer.orphans === 'release';
  const group = await stream.group(name, { protect: !release });
  const lag = stream.shards.map((shard) => group.lag(shard));
  const entries = lag.reduce((sum, each) => sum + each.entries, 0);
  const bytes = lag.reduce((sum, each) => sum + each.bytes, 0);
  logger.warn(
    release
      ? 'a group that no exporter names was released: it keeps nothing on disk any more'
      : 'a group on disk that no exporter names keeps its data; buffer.orphans: release gives the disk back',
    { stream: stream.name, group: name, lag_entries: entries, lag_bytes: bytes },
  );
}
