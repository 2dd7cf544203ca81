// An agent of several worker threads: starts them, gathers what they say, starts again what has died, stops them all.
// Invariants: no entry passes through this thread; what becomes of one worker touches no other.

import { type Lock, SharedDisk } from '../../buffer/index.ts';
import { nodeFileSystem } from '../../buffer/ports/node_file_system.ts';
import type { Logger } from '../../config/logger.ts';
import type { LoadedSource } from '../../config/source.ts';
import type { Endpoint } from '../../receivers/receiver.ts';
import { Admin } from '../admin/admin.ts';
import type { Condition } from '../admin/health.ts';
import { type Agent, adminServersOf, DISK_USED_UP } from '../agent.ts';
import { type Descriptors, descriptorsNow, shareOut } from '../descriptors.ts';
import { reasonOf } from '../reason.ts';
import type { AgentConfig } from '../schema/agent_config.ts';
import type { Totals } from '../summary.ts';
import type { RecordMetric } from '../telemetry/metrics.ts';
import { askAll, mergeConditions, mergeSamples, mergeTotals, Tally } from './gather.ts';
import { takeGround, workerLogs } from './ground.ts';
import type { WorkerState } from './messages.ts';
import { adoptedBy, diskFor, type Place } from './place.ts';
import { portKey } from './sharing.ts';
import { WorkerThread } from './thread.ts';

export interface WorkersOptions {
  readonly config: AgentConfig;
  /** What `config` was read from: each worker reads it for itself. */
  readonly source: LoadedSource;
  readonly version: string;
  readonly logger: Logger;
  /** The file that a thread begins with. Default: the one with the components of this build. */
  readonly entry?: URL;
  /** Of each worker. */
  readonly heapMax_mb?: number;
}

/**
 * What a worker's heap may hold, MB: an agent's is some 20 MB under load and grows with its connections (what it buffers stands
 * outside of it), and one that leaks is to die before it has spent minutes collecting garbage.
 */
const HEAP_MB_MAX = 512;
/** In the build the file ends in .js, and nothing rewrites a URL. */
const ENTRY = new URL(`./worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

/** Resolves when all workers listen. @throws HoldfastError what keeps one of them from it; nothing is left running */
export async function startWorkers(options: WorkersOptions): Promise<Agent> {
  const workers = new Workers(options);
  try {
    await workers.start();
    return workers;
  } catch (error) {
    await workers.stop(AbortSignal.abort()).catch((failure: unknown) => {
      options.logger.error('stopping after a failed start failed too', { error: String(failure) });
    });
    throw error;
  }
}

interface Member {
  readonly thread: WorkerThread;
  readonly tally: Tally;
}

class Workers implements Agent {
  readonly endpoints = new Map<string, readonly Endpoint[]>();
  readonly #options: WorkersOptions;
  readonly #admin: Admin;
  readonly #members: Member[] = [];
  readonly #ports: Record<string, number> = {};
  #ground: Lock | undefined;
  #ready = false;
  #stopped: Promise<void> | undefined;

  constructor(options: WorkersOptions) {
    const { config, logger, version } = options;
    this.#options = options;
    const none = { limit: Number.POSITIVE_INFINITY, used: 0 };
    const { admin } = shareOut(descriptorsNow() ?? none, { adminServers: adminServersOf(config), sends: 0 });
    this.#admin = new Admin({ config, logger, version, connectionsMax: admin });
  }

  get admin(): ReadonlyMap<string, string> {
    return this.#admin.addresses;
  }

  async start(): Promise<void> {
    const { config } = this.#options;
    const { directory } = config.buffer;
    await this.#admin.serve({
      condition: () => this.condition(),
      record: (record) => this.#record(record),
    });
    const onDisk = await workerLogs(nodeFileSystem, directory);
    const disk = diskFor(config.workers, onDisk);
    const descriptors = this.#descriptors();
    for (let worker = 0; worker < config.workers; worker++) {
      const adopted = adoptedBy(worker, config.workers, onDisk);
      this.#members.push(this.#member({ worker, count: config.workers, adopted, disk, descriptors }));
    }
    // The first one alone: it finds out whether the directory and the ports can be had, and which ports 0 means.
    const [first, ...others] = this.#members.map(({ thread }) => thread);
    await first!.start();
    this.#ground = await takeGround(nodeFileSystem, directory);
    await Promise.all(others.map((thread) => thread.start()));
    this.#ready = true;
  }

  async condition(): Promise<Condition> {
    const states = await this.#states();
    const each = states.map(
      (state, worker) => state?.condition ?? this.#members[worker]!.thread.trouble ?? 'it does not answer',
    );
    const { problems, ready, warnings } = mergeConditions(each);
    const isUsedUp = this.#totals().disk_bytes >= this.#options.config.buffer.max_size;
    return {
      ready: this.#ready && ready,
      problems: this.#ready ? problems : [],
      warnings: isUsedUp ? [...warnings, DISK_USED_UP] : warnings,
    };
  }

  async totals(): Promise<Totals> {
    await this.#states();
    return this.#totals();
  }

  stop(deadline: AbortSignal): Promise<void> {
    this.#stopped ??= this.#stop(deadline);
    return this.#stopped;
  }

  async #stop(deadline: AbortSignal): Promise<void> {
    this.#ready = false;
    const ends = await Promise.allSettled(this.#members.map(({ thread }) => thread.stop(deadline)));
    ends.push(...((await Promise.allSettled([this.#ground?.release(), this.#admin.close()])) as typeof ends));
    const failures = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []));
    if (failures.length > 0) throw new AggregateError(failures, failures.map(reasonOf).join('; '));
  }

  #member(fixed: Omit<Place, 'isAlone' | 'ports'>): Member {
    const { entry = ENTRY, heapMax_mb = HEAP_MB_MAX, logger, source, version } = this.#options;
    const { worker, disk, adopted } = fixed;
    const tally = new Tally();
    const thread = new WorkerThread({
      worker,
      entry,
      logger: logger.with({ worker }),
      heapMax_mb,
      start: () => {
        // The first one is ready before any other is started.
        const isAlone = worker === 0 && !this.#ground;
        return { source, version, place: { ...fixed, ports: { ...this.#ports }, isAlone } };
      },
      onReady: (endpoints) => {
        if (worker === 0) this.#listens(endpoints);
      },
      onDeath: () => {
        tally.died();
        for (const log of [worker, ...adopted]) SharedDisk.abandon(disk, log);
      },
    });
    return { thread, tally };
  }

  /** Where the others are to listen, and where the first one is to again. */
  #listens(endpoints: readonly (readonly [string, readonly Endpoint[]])[]): void {
    for (const [receiver, each] of endpoints) {
      this.endpoints.set(receiver, each);
      for (const { protocol, address } of each) {
        const port = /:(\d+)$/.exec(address)?.[1];
        if (port !== undefined) this.#ports[portKey(receiver, protocol)] = Number(port);
      }
    }
  }

  /** Of each worker, in order; undefined where there is none. */
  #states(): Promise<(WorkerState | undefined)[]> {
    return askAll(this.#members.map(({ thread, tally }) => ({ ask: () => thread.ask(), tally })));
  }

  /** By what was heard last. */
  #totals(): Totals {
    return mergeTotals(this.#members.map(({ tally }) => tally.totals));
  }

  async #record(record: RecordMetric): Promise<void> {
    await this.#states();
    for (const { name, value, labels } of mergeSamples(this.#members.map(({ tally }) => tally.samples))) {
      record(name, value, labels);
    }
    for (const [worker, { thread }] of this.#members.entries()) {
      const labels = { worker: String(worker) };
      record('holdfast_worker_up', thread.trouble === undefined ? 1 : 0, labels);
      record('holdfast_worker_restarts_total', thread.restarts, labels);
    }
  }

  /** What one worker may open: what is left by the admin servers, divided. */
  #descriptors(): Descriptors | undefined {
    const now = descriptorsNow();
    if (!now) return undefined;
    const { config } = this.#options;
    const adminServers = adminServersOf(config);
    const { admin } = shareOut(now, { adminServers, sends: 0 });
    return { limit: Math.floor((now.limit - now.used - admin * adminServers) / config.workers), used: 0 };
  }
}
