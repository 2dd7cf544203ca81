// The agent itself: opens the log, wires receivers to streams and streams to exporters, and takes it all down again.
// Invariant: nothing is taken in before everything behind it runs, and nothing behind it stops before intake has.

import { randomUUID } from 'node:crypto';
import {
  type FileSystem,
  Log,
  type LogOptions,
  type RetentionOptions,
  type Stream,
  systemClock,
  systemRandom,
} from '../buffer/index.ts';
import { HoldfastError } from '../config/error.ts';
import type { Logger } from '../config/logger.ts';
import type { Signal } from '../otlp/signal.ts';
import { ConnectionLimit } from '../receivers/connection_limit.ts';
import type { Endpoint, Receiver } from '../receivers/receiver.ts';
import { type Condition, healthRoute } from './admin/health.ts';
import { type AdminServer, startAdminServer } from './admin/server.ts';
import { authenticatorsOf } from './auth/authenticators.ts';
import { credentialsOf } from './auth/credentials.ts';
import { type Descriptors, descriptorsNow, type Shares, shareOut } from './descriptors.ts';
import { findOrphans } from './orphans.ts';
import { Outlet } from './outlet.ts';
import { ReceiverIntake } from './pipeline.ts';
import type { AgentConfig } from './schema/agent_config.ts';
import { priorityOf, type RetentionConfig } from './schema/retention.ts';
import type { Totals } from './summary.ts';
import { metricsSource } from './telemetry/collect.ts';
import { createMetrics, METRICS_CONTENT_TYPE } from './telemetry/metrics.ts';
import { ReceiverCounters } from './telemetry/receiver_counters.ts';

export interface AgentOptions {
  readonly config: AgentConfig;
  readonly version: string;
  readonly logger: Logger;
  /** Default: the real one. */
  readonly fileSystem?: FileSystem;
}

export interface Agent {
  /** Where each receiver listens really, by its id. */
  readonly endpoints: ReadonlyMap<string, readonly Endpoint[]>;
  /** `host:port` of /metrics and of each health_check by its id. */
  readonly admin: ReadonlyMap<string, string>;
  condition(): Condition;
  totals(): Totals;
  /** Stops intake, answers what is in flight, ends what is being sent, commits; what is left when `deadline` aborts is cut off. */
  stop(deadline: AbortSignal): Promise<void>;
}

/** Resolves when everything listens. @throws HoldfastError saying what cannot be opened or listened on; nothing is left open. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const agent = new RunningAgent(options);
  try {
    await agent.start();
    return agent;
  } catch (error) {
    await agent.stop(AbortSignal.abort()).catch((failure: unknown) => {
      options.logger.error('stopping after a failed start failed too', { error: String(failure) });
    });
    throw error;
  }
}

class RunningAgent implements Agent {
  readonly endpoints = new Map<string, readonly Endpoint[]>();
  readonly admin = new Map<string, string>();
  readonly #options: AgentOptions;
  readonly #startedAt_ms = Date.now();
  readonly #counters = new Map<string, ReceiverCounters>();
  readonly #outlets: Outlet[] = [];
  readonly #receivers: Receiver[] = [];
  readonly #servers: AdminServer[] = [];
  readonly #shares: Shares;
  #closeMetrics: () => Promise<void> = async () => {};
  #log: Log | undefined;
  #ready = false;
  #stopped: Promise<void> | undefined;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#shares = sharesOf(options.config, descriptorsNow());
  }

  async start(): Promise<void> {
    const { config, logger } = this.#options;
    const { fileSystem } = this.#options;
    this.#log = await Log.open({
      ...logOptions(config, logger),
      files: { maxOpen: this.#shares.log },
      ...(fileSystem ? { fileSystem } : {}),
    });
    const streams = await this.#openStreams(this.#log);
    await this.#openOutlets(this.#log, streams);
    await this.#serveAdmin(this.#log);
    for (const outlet of this.#outlets) await outlet.start();
    await this.#startReceivers(streams);
    this.#ready = true;
  }

  async #openStreams(log: Log): Promise<Map<string, Stream>> {
    const { receivers, buffer } = this.#options.config;
    const streams = new Map<string, Stream>();
    for (const name of receivers.flatMap((receiver) => [...receiver.streams.values()])) {
      const priority = priorityOf(name, buffer.retention);
      streams.set(name, await log.stream(name, { shards: buffer.shards, priority }));
    }
    return streams;
  }

  async #openOutlets(log: Log, streams: ReadonlyMap<string, Stream>): Promise<void> {
    const { config, logger, version } = this.#options;
    const credentials = credentialsOf(config.authenticators, logger);
    const leftovers = await findOrphans({ log, config, configured: streams, logger });
    for (const configured of config.exporters) {
      const leftover = leftovers.get(configured.group) ?? [];
      for (const { name } of leftover) {
        logger.info('draining a stream that no receiver feeds any more', {
          stream: name,
          exporter: configured.id,
        });
      }
      const own = configured.streams.map(({ name }) => streams.get(name)!);
      this.#outlets.push(
        await Outlet.open({
          configured,
          streams: [...own, ...leftover],
          log,
          deadLetters: {
            reserve_bytes: config.buffer.dead_letter_reserve,
            priority: priorityOf(configured.deadLetterStream, config.buffer.retention),
          },
          version,
          credentials,
          logger: logger.with({ component: configured.id }),
          clock: systemClock,
          random: systemRandom,
        }),
      );
    }
  }

  async #serveAdmin(log: Log): Promise<void> {
    const { config, logger, version } = this.#options;
    const condition = (): Condition => this.condition();
    for (const { id, endpoint, path } of config.healthChecks) {
      if (endpoint.kind !== 'tcp') continue;
      const route = healthRoute({ condition, startedAt_ms: this.#startedAt_ms });
      await this.#serve(id, endpoint, new Map([[path, route]]));
    }
    if (!config.metrics) return;
    const source = metricsSource({
      version,
      instanceId: randomUUID(),
      receivers: this.#counters,
      outlets: this.#outlets,
      stats: () => log.stats(),
    });
    const metrics = createMetrics(source);
    this.#closeMetrics = () => metrics.close();
    const page = async () => ({
      status: 200,
      contentType: METRICS_CONTENT_TYPE,
      body: await metrics.render(),
    });
    await this.#serve('service.telemetry.metrics', config.metrics, new Map([['/metrics', page]]));
    logger.debug('metrics are served', { address: this.admin.get('service.telemetry.metrics') });
  }

  async #serve(
    name: string,
    { host, port }: { readonly host: string; readonly port: number },
    routes: Parameters<typeof startAdminServer>[0]['routes'],
  ): Promise<void> {
    const { logger } = this.#options;
    const connectionsMax = this.#shares.admin;
    const server = await startAdminServer({ name, host, port, routes, connectionsMax, logger });
    this.#servers.push(server);
    this.admin.set(name, server.address);
  }

  async #startReceivers(streams: ReadonlyMap<string, Stream>): Promise<void> {
    const { config, logger } = this.#options;
    const connections = new ConnectionLimit(this.#shares.receivers);
    logger.debug('connections that fit the limit of open files', { connections: this.#shares.receivers });
    const authenticators = authenticatorsOf(config.authenticators, logger);
    for (const { id, factory, config: own, streams: names } of config.receivers) {
      const counters = new ReceiverCounters();
      this.#counters.set(id, counters);
      const mine = new Map<Signal, Stream>([...names].map(([signal, name]) => [signal, streams.get(name)!]));
      const receiver = factory.create(own, {
        id,
        logger: logger.with({ component: id }),
        connections,
        authenticators,
      });
      this.#receivers.push(receiver);
      await receiver.start(new ReceiverIntake({ streams: mine, counters }));
      this.endpoints.set(id, receiver.endpoints);
      for (const { protocol, address } of receiver.endpoints)
        logger.info('listening', { component: id, protocol, address });
    }
  }

  condition(): Condition {
    const problems = [...(this.#log?.failures() ?? [])].map(
      ([shard, failure]) => `${shard}: ${reasonOf(failure)}`,
    );
    const warnings = this.#outlets.flatMap((outlet) => outlet.warnings());
    const stats = this.#log?.stats();
    if (stats && stats.used_bytes >= stats.maxSize_bytes) warnings.push('the disk budget is used up');
    return { ready: this.#ready, problems, warnings };
  }

  totals(): Totals {
    const received = [...this.#counters.values()];
    return {
      received_items: received.reduce((sum, counters) => sum + counters.accepted(), 0),
      refused_items: received.reduce((sum, counters) => sum + counters.refused(), 0),
      disk_bytes: this.#log?.stats().used_bytes ?? 0,
      exporters: this.#outlets.map((outlet) => {
        const { entries, age_ms } = outlet.lag();
        return {
          id: outlet.id,
          delivered_items: outlet.sentItems(),
          failed_items: outlet.failedItems(),
          lag_entries: entries,
          lag_age_ms: age_ms,
          held: outlet.telemetry.held > 0,
        };
      }),
    };
  }

  stop(deadline: AbortSignal): Promise<void> {
    this.#stopped ??= this.#stop(deadline);
    return this.#stopped;
  }

  /** Each step runs whatever became of the one before: the log above all must be closed. */
  async #stop(deadline: AbortSignal): Promise<void> {
    this.#ready = false;
    const failures: unknown[] = [];
    const all = async (steps: readonly Promise<void>[]): Promise<void> => {
      for (const result of await Promise.allSettled(steps)) {
        if (result.status === 'rejected') failures.push(result.reason);
      }
    };
    await all(this.#receivers.map((receiver) => receiver.stop(deadline)));
    await all(this.#outlets.map((outlet) => outlet.stop(deadline)));
    await all([this.#log?.close() ?? Promise.resolve()]);
    await all([...this.#servers.map((server) => server.close()), this.#closeMetrics()]);
    if (failures.length > 0) throw new AggregateError(failures, failures.map(reasonOf).join('; '));
  }
}

function sharesOf(config: AgentConfig, descriptors: Descriptors | undefined): Shares {
  const { buffer, exporters, healthChecks, metrics } = config;
  const sends = exporters.map(({ drain, streams }) => drain.max_in_flight * streams.length * buffer.shards);
  return shareOut(descriptors ?? { limit: Number.POSITIVE_INFINITY, used: 0 }, {
    adminServers: healthChecks.length + (metrics ? 1 : 0),
    sends: sends.reduce((sum, each) => sum + each, 0),
  });
}

function logOptions({ buffer }: AgentConfig, logger: Logger): LogOptions {
  const own = logger.with({ component: 'buffer' });
  return {
    directory: buffer.directory,
    report: (level, message, fields) => own[level](message, fields),
    segment: { maxBytes: buffer.segment_size, maxAge_ms: buffer.segment_max_age },
    retention: {
      maxSize_bytes: buffer.max_size,
      ...(buffer.max_age === undefined ? {} : { maxAge_ms: buffer.max_age }),
      minFreeSpace_bytes: buffer.min_free_space,
      whenFull: buffer.when_full,
      protectUnconsumed: buffer.protect_unconsumed,
      interval_ms: buffer.retention_interval,
      ...retentionOptions(buffer.retention),
    },
    inFlightMax_bytes: buffer.in_flight,
    offsetsInterval_ms: buffer.offsets_interval,
    commitDeadline_ms: buffer.commit_deadline,
    durability: buffer.durability,
    commit: {
      way: buffer.commit_way,
      linger_ms: buffer.commit_linger,
      syncInterval_ms: buffer.sync_interval,
    },
    compression: { codec: buffer.compression },
  };
}

function retentionOptions(retention: RetentionConfig): RetentionOptions {
  const { force_delete_after, keep_consumed, max_shard_size, min_segments } = retention;
  return {
    minSegments: min_segments,
    ...(max_shard_size === undefined ? {} : { maxShardSize_bytes: max_shard_size }),
    ...(force_delete_after === undefined ? {} : { forceDeleteAfter_ms: force_delete_after }),
    ...(keep_consumed === undefined ? {} : { keepConsumed: keepOptions(keep_consumed) }),
  };
}

function keepOptions({ age, size }: NonNullable<RetentionConfig['keep_consumed']>) {
  return {
    ...(age === undefined ? {} : { age_ms: age }),
    ...(size === undefined ? {} : { bytes: size }),
  };
}

function reasonOf(failure: unknown): string {
  if (failure instanceof HoldfastError) return failure.message;
  return failure instanceof Error ? `${failure.name}: ${failure.message}` : String(failure);
}
