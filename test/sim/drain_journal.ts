// What one exporter sent and what it was told, over all lives of the agent, and the rules for sending: nothing twice that
// was accepted, nothing before the time that was asked for, nothing faster than back-off allows. Invariant: it knows
// requests and answers alone, never what the drain loop thinks of them.

import type { ExportBatch, Outcome } from '../../exporters/exporter.ts';
import type { DrainModel } from './drain_model.ts';
import type { ExporterOptions } from './drain_options.ts';
import type { World } from './machine.ts';
import { type InvariantNumber, Violation } from './violation.ts';

/** MAX_ASKED_WAIT_MS of the drain loop's README: nobody may silence an exporter for longer. */
const ASKED_MAX_MS = 3_600_000;
/** Requests that may be refused in a row without waiting: halves, neighbours, several in flight. */
const REFUSED_AT_ONCE_MAX = 150;
const EPSILON_MS = 0.001;
const JITTER_SAMPLES_MIN = 8;
/** So little chance leaves about once in 10^8 runs. */
const JITTER_SPREAD_MIN = 0.05;

interface Failing {
  /** "Not now" in a row. */
  tries: number;
  told_ms: number;
  notBefore_ms: number;
  readonly asked: boolean;
  readonly life: number;
}

export class DrainJournal {
  readonly options: ExporterOptions;
  /** Life in which each entry was accepted last, as far as the exporter was told. */
  readonly told = new Map<number, number>();
  /** Waits as a share of what back-off says before jitter. */
  readonly jitter: number[] = [];
  /** Until then the destination asked for patience. */
  patience_ms = 0;
  requests = 0;
  duplicates = 0;
  partials = 0;
  readonly #world: World;
  readonly #model: DrainModel;
  /** By the ids of the batch. */
  readonly #failing = new Map<string, Failing>();
  readonly #underWay = new Set<Sending>();
  /** Per shard: refusals since anything was accepted. */
  readonly #refused = new Map<string, { count: number; since_ms: number }>();
  /** Committed offset per shard when this life began: what is below was done with. */
  readonly #begun = new Map<string, number>();
  #begun_ms = 0;
  /** In this life, per shard. */
  readonly #sent_bytes = new Map<string, number>();
  #life = 0;
  #stopped = false;
  #loops = 0;

  constructor(world: World, model: DrainModel, options: ExporterOptions) {
    this.#world = world;
    this.#model = model;
    this.options = options;
  }

  get life(): number {
    return this.#life;
  }

  /** A new agent has opened its groups. */
  begin(sources: readonly { readonly name: string; committed(): number }[]): void {
    this.#life += 1;
    this.#stopped = false;
    this.#loops = sources.length;
    this.#underWay.clear();
    this.#failing.clear();
    this.#refused.clear();
    this.#sent_bytes.clear();
    this.#begun_ms = this.#world.clock.time_ms;
    for (const source of sources) this.#begun.set(source.name, source.committed());
  }

  /** The agent says that it is done: from here on nothing may be sent. */
  stopped(): void {
    this.#stopped = true;
  }

  sending(batch: ExportBatch, body: Buffer): Sending {
    const ids = this.#model.idsOf(body);
    this.requests += 1;
    if (this.#stopped) this.#fail(2, `sends ${ids[0]} after it was stopped`);
    if (ids.length !== batch.entries.length)
      this.#fail(3, `${ids.length} of ${batch.entries.length} in a body`);
    for (const id of ids) this.#checkEntry(id);
    this.#checkRate(ids, body.length);
    const key = `${ids[0]} ${ids.length}`;
    this.#checkWait(key);
    const sending = new Sending(this, this.#life, batch, body, ids, key);
    this.#underWay.add(sending);
    const may = this.#loops * this.options.config.max_in_flight;
    if (this.#underWay.size > may) this.#fail(13, `${this.#underWay.size} requests under way, ${may} may be`);
    return sending;
  }

  settled(sending: Sending, outcome: Outcome): void {
    this.#underWay.delete(sending);
    if (sending.life !== this.#life) return;
    const shard = this.#model.entries.get(sending.ids[0] ?? -1)?.shard ?? '';
    if (outcome.kind === 'retry') {
      this.#later(sending.key, outcome.after_ms);
      return;
    }
    this.#failing.delete(sending.key);
    if (outcome.kind === 'rejected') {
      this.#refusedBy(shard);
      return;
    }
    if (outcome.kind === 'partial') this.partials += 1;
    this.#refused.delete(shard);
    for (const id of sending.ids) this.told.set(id, this.#life);
  }

  /** Two agents that fail together must not come back together. */
  checkJitter(): void {
    if (this.jitter.length < JITTER_SAMPLES_MIN) return;
    const spread = Math.max(...this.jitter) - Math.min(...this.jitter);
    if (spread < JITTER_SPREAD_MIN) this.#fail(14, 'backs off without jitter');
  }

  #checkEntry(id: number): void {
    const entry = this.#model.entries.get(id)!;
    this.#model.owe(entry, this.#world.clock.time_ms);
    const before = this.told.get(id);
    if (before === this.#life) this.#fail(2, `sends entry ${id} again, which was accepted`);
    if (before !== undefined) this.duplicates += 1;
    if (entry.offset < (this.#begun.get(entry.shard) ?? 0)) {
      this.#fail(6, `sends ${entry.shard}-${entry.offset}, which was committed before it began`);
    }
  }

  /** A second's worth at once, and one request that is larger than what is left. */
  #checkRate(ids: readonly number[], bytes: number): void {
    const rate = this.options.config.rate_limit_bytes_per_s;
    const shard = this.#model.entries.get(ids[0] ?? -1)?.shard;
    if (rate === 0 || shard === undefined) return;
    const before = this.#sent_bytes.get(shard) ?? 0;
    this.#sent_bytes.set(shard, before + bytes);
    const may = rate + ((this.#world.clock.time_ms - this.#begun_ms) * rate) / 1000;
    if (before > may) this.#fail(13, `${shard}: ${before + bytes} bytes were sent where ${may} may be`);
  }

  #checkWait(key: string): void {
    const failing = this.#failing.get(key);
    if (!failing || failing.life !== this.#life) return;
    const now_ms = this.#world.clock.time_ms;
    if (now_ms < failing.notBefore_ms - EPSILON_MS) {
      const early_ms = Math.round(failing.notBefore_ms - now_ms);
      this.#fail(
        14,
        `asks again ${early_ms} ms too early${failing.asked ? ', which it was asked not to' : ''}`,
      );
    }
    const { rate_limit_bytes_per_s, retry } = this.options.config;
    if (failing.asked || rate_limit_bytes_per_s > 0) return;
    const ratio = (now_ms - failing.told_ms) / this.#interval_ms(failing.tries - 1);
    this.jitter.push(ratio);
    if (ratio > 1 + retry.randomization_factor + EPSILON_MS) this.#fail(14, `waits ${ratio} times too long`);
  }

  #later(key: string, after_ms: number | undefined): void {
    const told_ms = this.#world.clock.time_ms;
    const tries = this.#failing.get(key)?.tries ?? 0;
    const asked_ms = Math.min(after_ms ?? 0, ASKED_MAX_MS);
    const least_ms = this.#interval_ms(tries) * (1 - this.options.config.retry.randomization_factor);
    const notBefore_ms = told_ms + Math.max(asked_ms, least_ms);
    this.patience_ms = Math.max(this.patience_ms, told_ms + asked_ms);
    this.#failing.set(key, {
      tries: tries + 1,
      told_ms,
      notBefore_ms,
      asked: asked_ms > 0,
      life: this.#life,
    });
  }

  /** Before jitter, after so many failures. */
  #interval_ms(tries: number): number {
    const { initial_interval_ms, max_interval_ms, multiplier } = this.options.config.retry;
    return Math.min(initial_interval_ms * multiplier ** Math.min(tries, 100), max_interval_ms);
  }

  #refusedBy(shard: string): void {
    const now_ms = this.#world.clock.time_ms;
    const refused = this.#refused.get(shard) ?? { count: 0, since_ms: now_ms };
    refused.count += 1;
    this.#refused.set(shard, refused);
    const { initial_interval_ms, randomization_factor } = this.options.config.retry;
    const waits = (now_ms - refused.since_ms) / (initial_interval_ms * (1 - randomization_factor));
    if (refused.count > REFUSED_AT_ONCE_MAX + 2 * waits) {
      this.#fail(14, `${refused.count} requests were refused within ${now_ms - refused.since_ms} ms`);
    }
  }

  #fail(invariant: InvariantNumber, message: string): void {
    this.#model.fail(new Violation(invariant, `${this.options.id} ${message}`));
  }

  /** The log's memory must not change under a request. */
  changed(sending: Sending): void {
    this.#fail(3, `the bytes of entry ${sending.ids[0]} changed while they were sent`);
  }
}

/** One request that is under way. */
export class Sending {
  readonly life: number;
  readonly ids: readonly number[];
  readonly key: string;
  readonly #journal: DrainJournal;
  readonly #batch: ExportBatch;
  readonly #body: Buffer;

  constructor(
    journal: DrainJournal,
    life: number,
    batch: ExportBatch,
    body: Buffer,
    ids: readonly number[],
    key: string,
  ) {
    this.#journal = journal;
    this.life = life;
    this.#batch = batch;
    this.#body = body;
    this.ids = ids;
    this.key = key;
  }

  settled(outcome: Outcome): void {
    let at = 0;
    for (const { payload } of this.#batch.entries) {
      if (this.#body.compare(payload, 0, payload.length, at, at + payload.length) !== 0) {
        this.#journal.changed(this);
        break;
      }
      at += payload.length;
    }
    this.#journal.settled(this, outcome);
  }
}
