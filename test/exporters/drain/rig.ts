// A drain loop between a log in memory and a scripted destination, in simulated time. Time stands still while anything
// can happen without it, and then jumps to the next timer.

import type { Batch, Reader, ReadLimits } from '../../../buffer/batch.ts';
import type { Lag } from '../../../buffer/lag.ts';
import type { Clock, Timer } from '../../../buffer/ports/clock.ts';
import type { Random } from '../../../buffer/ports/random.ts';
import type { LogFields } from '../../../config/logger.ts';
import type { DrainConfig } from '../../../exporters/drain/config.ts';
import { DrainLoop } from '../../../exporters/drain/loop.ts';
import type { DeadLetters, Source } from '../../../exporters/drain/source.ts';
import { newDrainTelemetry } from '../../../exporters/drain/telemetry.ts';
import type { ExportBatch, Exporter, Outcome } from '../../../exporters/exporter.ts';
import { type Codec, decodeEntry, encodeEntryHeader } from '../../../otlp/entry.ts';
import type { Signal } from '../../../otlp/signal.ts';
import { tellingLogger } from '../../config/telling_logger.ts';

export class SimulatedClock implements Clock {
  time_ms = 0;
  #timers: { at: number; callback: () => void }[] = [];

  now(): number {
    return 1_700_000_000_000 + this.time_ms;
  }
  monotonic(): number {
    return this.time_ms;
  }
  setTimer(callback: () => void, delay_ms: number): Timer {
    const timer = { at: this.time_ms + Math.max(0, delay_ms), callback };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }
  soon(callback: () => void): void {
    this.setTimer(callback, 0);
  }
  get timers(): number {
    return this.#timers.length;
  }
  get next_ms(): number | undefined {
    return this.#timers.length === 0 ? undefined : Math.min(...this.#timers.map((timer) => timer.at));
  }
  /** Fires the earliest timer; false when there is none. */
  jump(): boolean {
    let first = this.#timers[0];
    for (const timer of this.#timers) if (timer.at < first!.at) first = timer;
    if (first === undefined) return false;
    this.#timers = this.#timers.filter((other) => other !== first);
    this.time_ms = Math.max(this.time_ms, first.at);
    first.callback();
    return true;
  }
}

export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = state;
      t = Math.imul(t ^ (t >>> 15), t | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    },
  };
}

/** A shard in memory. Entries in `lost` are never read, as damage on a disk has it. */
export class MemoryLog implements Source {
  readonly name = 'traces.test/0';
  readonly entries: Uint8Array[] = [];
  readonly commits: number[] = [];
  readonly lost = new Set<number>();
  readonly beforeCommit: ((next: number) => void)[] = [];
  leased = 0;
  readFailures = 0;
  /** Reads that gave something. */
  reads = 0;
  flushed = 0;
  closed = false;
  #committed = 0;
  #position = 0;
  #waiting: (() => void) | undefined;

  append(...entries: Uint8Array[]): void {
    this.entries.push(...entries);
    this.#waiting?.();
  }
  reader(): Reader {
    return {
      read: (limits = {}) => this.#read(limits),
      seek: (offset) => {
        this.#position = offset;
      },
      close: () => {
        this.closed = true;
      },
    };
  }
  async #read(limits: ReadLimits): Promise<Batch | undefined> {
    await Promise.resolve();
    if (this.readFailures > 0) {
      this.readFailures -= 1;
      throw new Error('EIO');
    }
    while (this.#position >= this.entries.length) {
      if (limits.signal?.aborted) return undefined;
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
        limits.signal?.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    const first = this.#position;
    const taken: Uint8Array[] = [];
    const offsets: number[] = [];
    let bytes = 0;
    while (this.#position < this.entries.length && taken.length < (limits.maxEntries ?? 8192)) {
      if (this.lost.has(this.#position)) {
        this.#position += 1;
        // Once, with nothing in it, as a reader may say it too.
        if (taken.length === 0 && !this.lost.has(this.#position)) break;
        continue;
      }
      const entry = this.entries[this.#position]!;
      if (taken.length > 0 && bytes + entry.length > (limits.maxBytes ?? 2 ** 20)) break;
      // Copied, so that a view used after its release shows.
      taken.push(Uint8Array.from(entry));
      offsets.push(this.#position);
      bytes += entry.length;
      this.#position += 1;
    }
    this.leased += 1;
    this.reads += 1;
    let holders = 1;
    return {
      entries: taken,
      offsets,
      first,
      next: this.#position,
      timestamp: 0,
      bytes,
      retain: () => {
        holders += 1;
      },
      release: () => {
        if (holders === 0) throw new Error('released twice');
        holders -= 1;
        if (holders > 0) return;
        this.leased -= 1;
        for (const entry of taken) entry.fill(0xee);
      },
    };
  }
  committed(): number {
    return this.#committed;
  }
  commit(next: number): Promise<void> {
    if (next <= this.#committed) throw new Error(`commit went back: ${next} after ${this.#committed}`);
    for (const check of this.beforeCommit) check(next);
    this.#committed = next;
    this.commits.push(next);
    return Promise.resolve();
  }
  async flush(): Promise<void> {
    this.flushed += 1;
  }
  lag(): Lag {
    return { entries: this.entries.length - this.#committed, bytes: 0, age_ms: 0 };
  }
}

export interface EntryShape {
  readonly signal?: Signal;
  readonly codec?: Codec;
  readonly items?: number;
  readonly rawLength?: number;
}

/** An entry whose payload is its number. */
export function entryOf(id: number, shape: EntryShape = {}): Uint8Array {
  const payload = Buffer.from(`<${id}>`);
  const header = encodeEntryHeader(
    shape.signal ?? 'traces',
    shape.codec ?? 'identity',
    shape.items ?? 1,
    shape.rawLength ?? payload.length,
  );
  return Buffer.concat([header, payload]);
}

export function idOf(payload: Uint8Array): number {
  const match = /^<(\d+)>$/.exec(Buffer.from(payload).toString('latin1'));
  if (match === null)
    throw new Error(`memory used after its release: ${Buffer.from(payload).toString('hex')}`);
  return Number(match[1]);
}

export const idsOf = (batch: ExportBatch): number[] => batch.entries.map((entry) => idOf(entry.payload));

export interface Request {
  readonly ids: number[];
  readonly at_ms: number;
  readonly number: number;
}

/** May answer at once, or later by a promise. */
export type Script = (request: Request, signal: AbortSignal) => Outcome | Promise<Outcome>;

export const delivered: Outcome = { kind: 'delivered' };
export const rejected = (reason = 'HTTP 400', tooLarge = false): Outcome => ({
  kind: 'rejected',
  reason,
  tooLarge,
});
export const retry = (after_ms?: number): Outcome => ({
  kind: 'retry',
  reason: 'HTTP 503',
  ...(after_ms === undefined ? {} : { after_ms }),
});

export const defaultConfig: DrainConfig = {
  retry: {
    initial_interval_ms: 5_000,
    max_interval_ms: 30_000,
    multiplier: 1.5,
    randomization_factor: 0.5,
    max_elapsed_time_ms: 0,
  },
  timeout_ms: 10_000,
  batch: { max_bytes: 2 ** 20, max_items: 8_192, passthrough_bytes: 65_536, flush_timeout_ms: 200 },
  max_in_flight: 1,
  rate_limit_bytes_per_s: 0,
  on_rejected: 'auto',
  protect: true,
  max_lag: {},
};

export class Rig {
  readonly clock = new SimulatedClock();
  readonly log = new MemoryLog();
  readonly telemetry = newDrainTelemetry();
  readonly requests: Request[] = [];
  /** Ids in the order of their delivery. */
  readonly delivered: number[] = [];
  readonly deadLetters: number[] = [];
  readonly lines: { level: string; message: string; fields: LogFields }[] = [];
  readonly loop: DrainLoop;
  deadLetterFailures = 0;
  undecodable = 0;

  constructor(script: Script, config: Partial<DrainConfig> = {}, seed = 1) {
    const exporter: Exporter = {
      start: async () => {},
      stop: async () => {},
      send: async (batch, signal) => {
        const request = { ids: idsOf(batch), at_ms: this.clock.time_ms, number: this.requests.length };
        this.requests.push(request);
        const outcome = await script(request, signal);
        // The views are valid until `send` settles.
        idsOf(batch);
        if (outcome.kind === 'delivered' || outcome.kind === 'partial') this.delivered.push(...request.ids);
        return outcome;
      },
    };
    const deadLetters: DeadLetters = {
      append: async (entry) => {
        await Promise.resolve();
        if (this.deadLetterFailures > 0) {
          this.deadLetterFailures -= 1;
          throw new Error('HF_LOG_FULL');
        }
        try {
          this.deadLetters.push(idOf(decodeEntry(entry).payload));
        } catch {
          this.undecodable += 1;
        }
      },
    };
    this.loop = new DrainLoop({
      exporter,
      source: this.log,
      deadLetters,
      config: { ...defaultConfig, ...config },
      signal: 'traces',
      clock: this.clock,
      random: seededRandom(seed),
      logger: tellingLogger((level, message, fields) => this.lines.push({ level, message, fields })),
      telemetry: this.telemetry,
    });
  }

  /** Lets everything happen that can happen without time passing. */
  async settle(): Promise<void> {
    for (let i = 0; i < 3; i += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Lets time pass until `done`; throws after so many timers that it never will be. */
  async until(done: () => boolean, jumps = 5_000): Promise<void> {
    for (let i = 0; i < jumps; i += 1) {
      await this.settle();
      if (done()) return;
      this.clock.jump();
    }
    throw new Error(`it never happened: ${JSON.stringify(this.loop.state())}`);
  }

  /** Lets `ms` pass. */
  async pass(ms: number): Promise<void> {
    const end_ms = this.clock.time_ms + ms;
    await this.settle();
    while ((this.clock.next_ms ?? Number.POSITIVE_INFINITY) <= end_ms) {
      this.clock.jump();
      await this.settle();
    }
    this.clock.time_ms = end_ms;
  }

  async drained(): Promise<void> {
    await this.until(() => this.log.committed() === this.log.entries.length);
  }

  async stop(deadline_ms = 0): Promise<void> {
    const deadline = new AbortController();
    if (deadline_ms === 0) deadline.abort();
    else this.clock.setTimer(() => deadline.abort(), deadline_ms);
    let stopped = false;
    void this.loop.stop(deadline.signal).then(() => {
      stopped = true;
    });
    await this.until(() => stopped);
  }
}

export const ids = (count: number, from = 0): number[] => Array.from({ length: count }, (_, i) => from + i);
