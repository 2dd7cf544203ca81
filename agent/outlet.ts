// Everything behind one exporter: its consumer group on each of its streams, a drain loop per shard, its dead letters and
// its counters. Invariant: an offset is committed only by a drain loop, so stopping here commits nothing by itself.

import assert from 'node:assert';
import type { Clock, Group, Log, Random, Shard, Stream, StreamOptions } from '../buffer/index.ts';
import type { Logger } from '../config/logger.ts';
import type { Credentials } from '../exporters/credentials.ts';
import { DrainLoop } from '../exporters/drain/loop.ts';
import type { DeadLetters, Source } from '../exporters/drain/source.ts';
import { type DrainTelemetry, newDrainTelemetry } from '../exporters/drain/telemetry.ts';
import type { Exporter } from '../exporters/exporter.ts';
import { type Signal, signals } from '../otlp/signal.ts';
import type { ConfiguredExporter } from './schema/agent_config.ts';

/** Holds dead letters on the disk until somebody has looked at them: without a group, retention might take them. */
export const DEAD_LETTER_GROUP = 'dead-letter';

/** A stream to be drained. */
export interface OutletStream {
  readonly stream: Stream;
  /** The number of the worker whose log it is in, where there are several logs. */
  readonly worker: string | undefined;
}

export interface OutletOptions {
  readonly configured: ConfiguredExporter;
  /** The streams of its pipelines, and those left on disk by receivers and workers that are gone. */
  readonly streams: readonly OutletStream[];
  /** Where its dead letters go. */
  readonly log: Log;
  readonly deadLetters: Pick<StreamOptions, 'reserve_bytes' | 'priority'>;
  readonly version: string;
  /** Number of the worker that it runs in; 0 where there is one. */
  readonly worker: number;
  /** For exporters that name some. */
  readonly credentials?: ReadonlyMap<string, Credentials>;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: Random;
}

/** One consumer group's place in one shard, with the names that metrics give it. */
export interface OutletSource extends Source {
  readonly worker: string | undefined;
  readonly stream: string;
  readonly shard: number;
  readonly signal: Signal;
}

export class Outlet {
  readonly id: string;
  readonly telemetry: DrainTelemetry = newDrainTelemetry();
  readonly sources: readonly OutletSource[];
  readonly #exporter: Exporter;
  readonly #loops: readonly DrainLoop[];

  private constructor(
    options: OutletOptions,
    exporter: Exporter,
    sources: OutletSource[],
    deadLetters: DeadLetters,
  ) {
    const { configured, logger, clock, random } = options;
    const { id, drain } = configured;
    this.id = id;
    this.sources = sources;
    this.#exporter = exporter;
    this.#loops = sources.map(
      (source) =>
        new DrainLoop({
          source,
          exporter,
          deadLetters,
          config: drain,
          signal: source.signal,
          clock,
          random,
          logger,
          telemetry: this.telemetry,
        }),
    );
  }

  /** Opens its groups and its dead-letter stream; sends nothing yet. */
  static async open(options: OutletOptions): Promise<Outlet> {
    const { configured, log } = options;
    const { protect, max_lag } = configured.drain;
    const exporter = await exporterOf(options);
    const sources: OutletSource[] = [];
    for (const { stream, worker } of options.streams) {
      const group = await stream.group(configured.group, { protect, start: 'earliest', maxLag: max_lag });
      for (const shard of stream.shards) sources.push(sourceOf(stream, worker, group, shard));
    }
    const letters = await log.stream(configured.deadLetterStream, options.deadLetters);
    await letters.group(DEAD_LETTER_GROUP, { protect: true, start: 'earliest' });
    return new Outlet(options, exporter, sources, deadLettersIn(letters));
  }

  async start(): Promise<void> {
    await this.#exporter.start();
    for (const loop of this.#loops) loop.start();
  }

  /** Ends what is being sent, at the latest when `deadline` aborts, commits what was delivered, lets go of the backend. */
  async stop(deadline: AbortSignal): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.stop(deadline)));
    await this.#exporter.stop();
  }

  /** What needs somebody: a destination that refuses everything, a loop that stands still. */
  warnings(): string[] {
    return this.#loops.flatMap((loop) => {
      const { source, held, heldReason, failed } = loop.state();
      if (failed) return [`${this.id} stands still on ${source} after an internal error; restart the agent`];
      return held ? [`${this.id} is held on ${source}: ${heldReason}`] : [];
    });
  }

  /** Whether any of its streams has this signal. */
  carries(signal: Signal): boolean {
    return this.sources.some((source) => source.signal === signal);
  }

  /** Items given up, over all signals. */
  failedItems(): number {
    return signals.reduce((sum, signal) => sum + this.telemetry.signals[signal].sendFailedItems, 0);
  }

  sentItems(): number {
    return signals.reduce((sum, signal) => sum + this.telemetry.signals[signal].sentItems, 0);
  }

  /** Requests on disk that it has not delivered, and the age of the oldest, ms; of one signal or of all. */
  lag(signal?: Signal): { entries: number; bytes: number; age_ms: number } {
    const lag = { entries: 0, bytes: 0, age_ms: 0 };
    for (const source of this.sources) {
      if (signal !== undefined && source.signal !== signal) continue;
      const { entries, bytes, age_ms } = source.lag();
      lag.entries += entries;
      lag.bytes += bytes;
      lag.age_ms = Math.max(lag.age_ms, age_ms);
    }
    return lag;
  }
}

async function exporterOf({
  configured,
  version,
  worker,
  logger,
  credentials,
}: OutletOptions): Promise<Exporter> {
  const { id, factory, config } = configured;
  const { create } = await factory.load();
  return create(config, { id, version, worker, logger, ...(credentials && { credentials }) });
}

/** Streams are named after their signal: `traces.otlp.edge`. */
export function signalOf(stream: string): Signal | undefined {
  const head = stream.split('.', 1)[0];
  return signals.find((signal) => signal === head);
}

function sourceOf(stream: Stream, worker: string | undefined, group: Group, shard: Shard): OutletSource {
  const signal = signalOf(stream.name);
  assert(signal, 'every stream that an exporter drains is named after a signal');
  return {
    name: worker === undefined ? shard.id : `${shard.id} of log ${worker}`,
    worker,
    stream: stream.name,
    shard: shard.index,
    signal,
    reader: () => group.reader(shard),
    committed: () => group.committed(shard),
    commit(next) {
      const durable = group.commit(shard, next);
      // Not durable is no harm: it is written with the next commit, and until then delivered again after a crash.
      durable.catch(() => {});
      return durable;
    },
    flush: () => group.flush(),
    lag: () => group.lag(shard),
  };
}

function deadLettersIn(stream: Stream): DeadLetters {
  return {
    async append(entry) {
      const shard = stream.shardOf(0);
      await shard.durable(shard.append([entry]));
    },
  };
}
