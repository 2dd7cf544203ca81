// Applies retention: at its interval, when room is needed, and on demand. Invariant: one run at a time, and nothing of it
// rejects: what cannot be done now is reported and tried again.

import { FillRate } from './fill_rate.ts';
import type { LogParts } from './log_parts.ts';
import type { Timer } from './ports/clock.ts';
import { consumedBelow, decideRetention, type GroupView, type RetentionPolicy } from './retention.ts';
import type { Shard } from './shard.ts';
import type { SealWhen } from './upkeep.ts';

export interface RetainerOptions {
  readonly directory: string;
  readonly parts: LogParts;
  readonly policy: RetentionPolicy;
  readonly interval_ms: number;
  /** Of every stream on disk, opened or not. */
  shards(): readonly Shard[];
  groupViews(shard: Shard): GroupView[];
  /** Makes durable how long the log has been open: what ages count. */
  saveRunning(): Promise<void>;
}

const SAVE_RUNNING_MS = 60_000;

export class Retainer {
  readonly #options: RetainerOptions;
  readonly #fillRate = new FillRate();
  #timer: Timer | undefined;
  #run: Promise<void> | undefined;
  #saved_ms = 0;
  #stopped = false;

  constructor(options: RetainerOptions) {
    this.#options = options;
  }

  /** Begins to run at the interval. @throws what the disk says about its free space */
  async start(): Promise<void> {
    await this.#measure();
    this.#arm();
  }

  /** A call that comes while it runs waits for that run. */
  run(): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    this.#run ??= this.#retain().finally(() => {
      this.#run = undefined;
    });
    return this.#run;
  }

  /** Does what retention must not meet half done: runs of retention wait for it. */
  async exclusively<T>(work: () => Promise<T>): Promise<T> {
    while (this.#run) await this.#run;
    const done = work();
    const settled = done.then(
      () => {},
      () => {},
    );
    this.#run = settled.finally(() => {
      this.#run = undefined;
    });
    return done;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#run;
  }

  /** Until a disk limit is met at the pace of the last minutes, ms; undefined when the log does not grow. */
  get timeToFull_ms(): number | undefined {
    return this.#fillRate.timeToFull_ms(this.#options.parts.budget.room_bytes);
  }

  #arm(): void {
    if (this.#stopped) return;
    this.#timer = this.#options.parts.clock.setTimer(() => {
      void this.run().finally(() => this.#arm());
    }, this.#options.interval_ms);
  }

  async #retain(): Promise<void> {
    try {
      await this.#measure();
      await this.#removeOldest();
    } catch (error) {
      const { report } = this.#options.parts;
      report('warn', 'retention was interrupted; trying again', { error: String(error) });
    }
  }

  async #measure(): Promise<void> {
    const { directory, parts } = this.#options;
    parts.budget.measured(await parts.fileSystem.freeSpace(directory));
    this.#fillRate.sample(parts.clock.monotonic(), parts.budget.room_bytes);
  }

  async #removeOldest(): Promise<void> {
    const { parts, policy } = this.#options;
    const { budget } = parts;
    const shards = this.#options.shards();
    const { pressed, refused_bytes } = budget.takePressure();
    const seal = pressed ? this.#sealWhen(shards) : 'idle';
    for (const shard of shards) {
      const consumed = consumedBelow([...shard.offsets.groups.values()]);
      await this.#try(shard, () => shard.upkeep.tidy(consumed, seal));
    }
    const views = shards.map((shard) => ({
      segments: shard.upkeep.segmentViews(),
      groups: this.#options.groupViews(shard),
      priority: shard.priority,
      overflow_bytes: shard.upkeep.takeOverflow_bytes(),
    }));
    // Whose turn it is not leaves room to be made to the other log, and looks again when an append asks.
    const mine = budget.takeTurn();
    try {
      const overflow_bytes = mine ? budget.overflow_bytes(refused_bytes) : Number.NEGATIVE_INFINITY;
      const pressure = mine ? budget.pressure(refused_bytes) : undefined;
      const removals = decideRetention(views, policy, overflow_bytes, pressure);
      for (const [index, shard] of shards.entries()) {
        const own = removals.filter((removal) => removal.shard === index);
        if (own.length > 0) await this.#try(shard, () => shard.upkeep.remove(own));
      }
    } finally {
      if (mine) budget.endTurn();
    }
    const { forceDeleteAfter_ms, keepConsumed, maxAge_ms } = policy;
    const aged = [forceDeleteAfter_ms, keepConsumed?.age_ms, maxAge_ms].some((age) => age !== undefined);
    const limited = views.some((view) => view.groups.some((group) => group.maxLag_ms !== undefined));
    if (aged || limited) await this.#saveRunning();
  }

  /** A shard whose files refuse keeps no other one from giving back its room. */
  async #try(shard: Shard, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const fields = { shard: shard.id, error: String(error) };
      this.#options.parts.report('warn', 'retention of a shard was interrupted; trying again', fields);
    }
  }

  /** The active segment is never removed, so where room is needed it has to end early. */
  #sealWhen(shards: readonly Shard[]): SealWhen {
    const removable = shards.some((shard) => shard.segments[0]?.sealed);
    const { parts, policy } = this.#options;
    const mustDrop = policy.whenFull === 'drop_oldest' && parts.budget.pressure() !== undefined;
    return mustDrop && !removable ? 'holds_data' : 'consumed';
  }

  async #saveRunning(): Promise<void> {
    const running_ms = this.#options.parts.running_ms();
    if (running_ms - this.#saved_ms < SAVE_RUNNING_MS) return;
    this.#saved_ms = running_ms;
    await this.#options.saveRunning();
  }
}
