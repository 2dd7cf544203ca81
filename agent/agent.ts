// The agent itself: opens the log, wires receivers to streams and streams to exporters, and takes it all down again.
// Invariant: nothing is taken in before everything behind it runs, and nothing behind it stops before intake has.

import { type FileSystem, type Stream, systemClock, systemRandom } from '../buffer/index.ts';
import { nodeFileSystem } from '../buffer/ports/node_file_system.ts';
import type { Logger } from '../config/logger.ts';
import type { Signal } from '../otlp/signal.ts';
import { ConnectionLimit } from '../receivers/connection_limit.ts';
import type { Endpoint, Receiver } from '../receivers/receiver.ts';
import { Admin } from './admin/admin.ts';
import type { Condition } from './admin/health.ts';
import { authenticatorsOf } from './auth/authenticators.ts';
import { credentialsOf } from './auth/credentials.ts';
import { type Descriptors, descriptorsNow, type Shares, shareOut } from './descriptors.ts';
import { Logs } from './logs.ts';
import { Outlet, type OutletStream } from './outlet.ts';
import { ReceiverIntake } from './pipeline.ts';
import { reasonOf } from './reason.ts';
import type { AgentConfig } from './schema/agent_config.ts';
import { priorityOf } from './schema/retention.ts';
import type { Totals } from './summary.ts';
import { recordAgent } from './telemetry/collect.ts';
import type { RecordMetric } from './telemetry/metrics.ts';
import { ReceiverCounters } from './telemetry/receiver_counters.ts';
import { workerLogs } from './workers/ground.ts';
import { adoptedBy, diskFor, type Place } from './workers/place.ts';
import { sharingOf } from './workers/sharing.ts';

export interface AgentOptions {
  readonly config: AgentConfig;
  readonly version: string;
  readonly logger: Logger;
  /** Default: the real one. */
  readonly fileSystem?: FileSystem;
  /** Of a worker; whoever started it serves /metrics and health. Default: this agent is the whole process. */
  readonly place?: Place;
}

export interface Agent {
  /** Where each receiver listens really, by its id. */
  readonly endpoints: ReadonlyMap<string, readonly Endpoint[]>;
  /** `host:port` of /metrics and of each health_check by its id. */
  readonly admin: ReadonlyMap<string, string>;
  condition(): Condition | Promise<Condition>;
  totals(): Totals | Promise<Totals>;
  /** Stops intake, answers what is in flight, ends what is being sent, commits; what is left when `deadline` aborts is cut off. */
  stop(deadline: AbortSignal): Promise<void>;
}

/** An agent in this thread, which knows at once. */
export interface LocalAgent extends Agent {
  condition(): Condition;
  totals(): Totals;
  /** Reads all its counters. */
  record(record: RecordMetric): void;
}

/** Resolves when everything listens. @throws HoldfastError saying what cannot be opened or listened on; nothing is left open. */
export async function startAgent(options: AgentOptions): Promise<LocalAgent> {
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

class RunningAgent implements LocalAgent {
  readonly endpoints = new Map<string, readonly Endpoint[]>();
  readonly #options: AgentOptions;
  readonly #admin: Admin;
  readonly #counters = new Map<string, ReceiverCounters>();
  readonly #outlets: Outlet[] = [];
  readonly #receivers: Receiver[] = [];
  readonly #shares: Shares;
  #logs: Logs | undefined;
  #ready = false;
  #stopped: Promise<void> | undefined;

  constructor(options: AgentOptions) {
    const { config, logger, version, place } = options;
    this.#options = options;
    this.#shares = place
      ? sharesOf(config, place.descriptors, 0)
      : sharesOf(config, descriptorsNow(), adminServersOf(config));
    const connectionsMax = this.#shares.admin;
    this.#admin = new Admin({ config, logger, version, connectionsMax });
  }

  get admin(): ReadonlyMap<string, string> {
    return this.#admin.addresses;
  }

  async start(): Promise<void> {
    const { config, logger, fileSystem = nodeFileSystem } = this.#options;
    const place = this.#options.place ?? (await placeAlone(config, fileSystem));
    const opening = Logs.open({ config, place, maxOpen: this.#shares.log, fileSystem, logger });
    // While the disk is waited for. What cannot be loaded is told where it is asked for again.
    void Promise.allSettled(config.exporters.map(({ factory }) => factory.load()));
    this.#logs = await opening;
    const fed = await this.#logs.intakeStreams();
    await this.#openOutlets(this.#logs, await this.#logs.drainedStreams(fed), place);
    if (!this.#options.place) {
      await this.#admin.serve({
        condition: () => this.condition(),
        record: (record) => this.record(record),
      });
    }
    for (const outlet of this.#outlets) await outlet.start();
    await this.#startReceivers(fed, place);
    this.#ready = true;
  }

  async #openOutlets(
    logs: Logs,
    drained: ReadonlyMap<string, readonly OutletStream[]>,
    place: Place,
  ): Promise<void> {
    const { config, logger, version } = this.#options;
    const credentials = credentialsOf(config.authenticators, logger);
    for (const configured of config.exporters) {
      this.#outlets.push(
        await Outlet.open({
          configured,
          streams: drained.get(configured.group) ?? [],
          log: logs.own,
          deadLetters: {
            reserve_bytes: config.buffer.dead_letter_reserve,
            priority: priorityOf(configured.deadLetterStream, config.buffer.retention),
          },
          version,
          worker: place.worker,
          credentials,
          logger: logger.with({ component: configured.id }),
          clock: systemClock,
          random: systemRandom,
        }),
      );
    }
  }

  async #startReceivers(streams: ReadonlyMap<string, Stream>, place: Place): Promise<void> {
    const { config, logger } = this.#options;
    const connections = new ConnectionLimit(this.#shares.receivers);
    logger.debug('connections that fit the limit of open files', { connections: this.#shares.receivers });
    const authenticators = authenticatorsOf(config.authenticators, logger);
    for (const { id, factory, config: own, streams: names } of config.receivers) {
      const counters = new ReceiverCounters();
      this.#counters.set(id, counters);
      const mine = new Map<Signal, Stream>([...names].map(([signal, name]) => [signal, streams.get(name)!]));
      const { create } = await factory.load();
      const receiver = create(own, {
        id,
        logger: logger.with({ component: id }),
        connections,
        authenticators,
        ...(place.count > 1 ? { sharing: sharingOf(place, id) } : {}),
      });
      this.#receivers.push(receiver);
      await receiver.start(new ReceiverIntake({ streams: mine, counters }));
      this.endpoints.set(id, receiver.endpoints);
      for (const { protocol, address } of receiver.endpoints)
        logger.info('listening', { component: id, protocol, address });
    }
  }

  condition(): Condition {
    const warnings = this.#outlets.flatMap((outlet) => outlet.warnings());
    const { buffer } = this.#options.config;
    if (this.#logs && this.#logs.used_bytes >= buffer.max_size) warnings.push(DISK_USED_UP);
    return { ready: this.#ready, problems: this.#logs?.problems() ?? [], warnings };
  }

  record(record: RecordMetric): void {
    if (!this.#logs) return;
    recordAgent(
      {
        receivers: this.#counters,
        outlets: this.#outlets,
        logs: this.#logs.all,
        workers: this.#options.place?.count ?? 1,
      },
      record,
    );
  }

  totals(): Totals {
    const received = [...this.#counters.values()];
    return {
      received_items: received.reduce((sum, counters) => sum + counters.accepted(), 0),
      refused_items: received.reduce((sum, counters) => sum + counters.refused(), 0),
      disk_bytes: this.#logs?.used_bytes ?? 0,
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
    await all([this.#logs?.close() ?? Promise.resolve()]);
    await all([this.#admin.close()]);
    if (failures.length > 0) throw new AggregateError(failures, failures.map(reasonOf).join('; '));
  }
}

export const DISK_USED_UP = 'the disk budget is used up';

export function adminServersOf({ healthChecks, metrics }: AgentConfig): number {
  return healthChecks.length + (metrics ? 1 : 0);
}

function sharesOf(config: AgentConfig, descriptors: Descriptors | undefined, adminServers: number): Shares {
  const { buffer, exporters } = config;
  const sends = exporters.map(({ drain, streams }) => drain.max_in_flight * streams.length * buffer.shards);
  return shareOut(descriptors ?? { limit: Number.POSITIVE_INFINITY, used: 0 }, {
    adminServers,
    sends: sends.reduce((sum, each) => sum + each, 0),
  });
}

/** Of an agent without workers: it drains what workers have left behind. */
async function placeAlone({ buffer }: AgentConfig, fileSystem: FileSystem): Promise<Place> {
  const onDisk = await workerLogs(fileSystem, buffer.directory);
  return {
    worker: 0,
    count: 1,
    adopted: adoptedBy(0, 1, onDisk),
    disk: diskFor(1, onDisk),
    descriptors: undefined,
    ports: {},
    isAlone: true,
  };
}
