// The logs that an agent has open: its own, and those of workers that do not run any more, which it only drains.
// Invariant: entries are taken into its own alone; a stream has one place in each log that holds it.

import { type FileSystem, type Lock, Log, SharedDisk, type Stream } from '../buffer/index.ts';
import { OPEN_FILES_MIN } from '../buffer/ports/bounded_files.ts';
import type { Logger } from '../config/logger.ts';
import { logOptions } from './log_options.ts';
import { findOrphans } from './orphans.ts';
import type { OutletStream } from './outlet.ts';
import { reasonOf } from './reason.ts';
import type { AgentConfig } from './schema/agent_config.ts';
import { priorityOf } from './schema/retention.ts';
import { logDirectory, takeGround } from './workers/ground.ts';
import type { Place } from './workers/place.ts';

export interface OpenLog {
  readonly log: Log;
  /** The number of the worker whose log it is, where there are several logs; offsets are told apart by it. */
  readonly worker: string | undefined;
}

export interface LogsOptions {
  readonly config: AgentConfig;
  readonly place: Place;
  /** Files that may be open, of all logs together. */
  readonly maxOpen: number;
  readonly fileSystem: FileSystem;
  readonly logger: Logger;
}

export class Logs {
  readonly all: readonly OpenLog[];
  readonly #options: LogsOptions;
  readonly #ground: Lock | undefined;

  private constructor(all: readonly OpenLog[], options: LogsOptions, ground: Lock | undefined) {
    this.all = all;
    this.#options = options;
    this.#ground = ground;
  }

  /** @throws what `Log.open` throws; nothing is left open then */
  static async open(options: LogsOptions): Promise<Logs> {
    const { place, config, fileSystem } = options;
    const opened: OpenLog[] = [];
    let ground: Lock | undefined;
    try {
      opened.push(await openLog(place.worker, options));
      // Threads have it taken for them by the main thread, which outlives each of them.
      if (place.count === 1 && place.adopted.length > 0) {
        ground = await takeGround(fileSystem, config.buffer.directory);
      }
      for (const log of place.adopted) {
        opened.push(await openLog(log, options));
        options.logger.info('draining the log of a worker that does not run any more', { log });
      }
      return new Logs(opened, options, ground);
    } catch (error) {
      await closeAll(opened, ground).catch(() => {});
      throw error;
    }
  }

  get own(): Log {
    return this.all[0]!.log;
  }

  get used_bytes(): number {
    return this.all.reduce((sum, { log }) => sum + log.stats().used_bytes, 0);
  }

  /** What keeps shards from taking entries, one line each. */
  problems(): string[] {
    return this.all.flatMap(({ log, worker }) => {
      const of = log === this.own ? '' : ` of log ${worker}`;
      return [...log.failures()].map(([shard, failure]) => `${shard}${of}: ${reasonOf(failure)}`);
    });
  }

  /** The streams that receivers feed, by name; made where they are missing. */
  async intakeStreams(): Promise<Map<string, Stream>> {
    const { receivers, buffer } = this.#options.config;
    const streams = new Map<string, Stream>();
    for (const name of receivers.flatMap((receiver) => [...receiver.streams.values()])) {
      const priority = priorityOf(name, buffer.retention);
      streams.set(name, await this.own.stream(name, { shards: buffer.shards, priority }));
    }
    return streams;
  }

  /**
   * What each exporter drains, by its group: its streams in every log, and those that no receiver feeds any more but which
   * it has not consumed. Reports groups that nobody names.
   * @param fed of `intakeStreams`
   */
  async drainedStreams(fed: ReadonlyMap<string, Stream>): Promise<Map<string, OutletStream[]>> {
    const { config, logger } = this.#options;
    const drained = new Map<string, OutletStream[]>(config.exporters.map(({ group }) => [group, []]));
    for (const { log, worker } of this.all) {
      const configured = log === this.own ? fed : await this.#existing(log, fed);
      const leftovers = await findOrphans({ log, config, configured, logger });
      for (const { group, streams, id } of config.exporters) {
        const own = streams.flatMap(({ name }) => configured.get(name) ?? []);
        const left = leftovers.get(group) ?? [];
        for (const { name } of left) {
          logger.info('draining a stream that no receiver feeds any more', { stream: name, exporter: id });
        }
        drained.get(group)!.push(...[...own, ...left].map((stream) => ({ stream, worker })));
      }
    }
    return drained;
  }

  /** Each is closed whatever becomes of the others. @throws AggregateError */
  close(): Promise<void> {
    return closeAll(this.all, this.#ground);
  }

  async #existing(log: Log, fed: ReadonlyMap<string, Stream>): Promise<Map<string, Stream>> {
    const { retention } = this.#options.config.buffer;
    const streams = new Map<string, Stream>();
    for (const name of log.streamNames()) {
      if (fed.has(name)) streams.set(name, await log.stream(name, { priority: priorityOf(name, retention) }));
    }
    return streams;
  }
}

async function openLog(number: number, options: LogsOptions): Promise<OpenLog> {
  const { config, place, maxOpen, fileSystem, logger } = options;
  const mine = 1 + place.adopted.length;
  const several = place.count > 1 || mine > 1;
  const share = {
    directory: logDirectory(config.buffer.directory, number),
    logs: place.count,
    maxOpen: Math.max(OPEN_FILES_MIN, Math.floor(maxOpen / mine)),
    disk: several ? new SharedDisk(place.disk, number) : undefined,
  };
  const own = logger.with({ component: 'buffer', ...(mine > 1 ? { log: number } : {}) });
  const log = await Log.open({ ...logOptions(config.buffer, share, own), fileSystem });
  const { way, reason } = log.stats().commitWay;
  if (reason === undefined) own.debug('how commits are written', { way });
  else own.info('commits are appended and synced', { reason });
  return { log, worker: several ? String(number) : undefined };
}

async function closeAll(logs: readonly OpenLog[], ground: Lock | undefined): Promise<void> {
  const closed = await Promise.allSettled(logs.map(({ log }) => log.close()));
  await ground?.release();
  const failures = closed.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  if (failures.length > 0) throw new AggregateError(failures, failures.map(reasonOf).join('; '));
}
