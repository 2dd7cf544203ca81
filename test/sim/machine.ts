// The machine a log runs on: disk, clock, faults, and one process at a time. Invariant: the world moves only inside
// `drive`, and a promise that nothing can settle any more is a hang, not a wait.

import { type Life, SimClock } from './clock.ts';
import { Disk } from './disk.ts';
import { Faults } from './faults.ts';
import { type Machine, SimProcess } from './file_system.ts';
import { SeededRandom } from './random.ts';
import { Trace } from './trace.ts';
import { Violation } from './violation.ts';

export type Driven<T> = { state: 'done'; value: T } | { state: 'failed'; error: unknown } | { state: 'died' };

/** Whoever looks at the machine from outside lives on when it stops. */
const OUTSIDE: Life = { dead: false };

export class World implements Machine {
  readonly disk: Disk;
  readonly clock = new SimClock();
  readonly faults = new Faults();
  readonly locks = new Map<string, Life>();
  readonly random: SeededRandom;
  readonly trace: Trace;
  process: SimProcess;
  readonly #fate: SeededRandom;
  crashes = 0;
  /** The owner before the present one, which lives on although its lock was dropped. */
  #former: SimProcess | undefined;

  constructor(seed: number, keepTrace = false, disk = new Disk()) {
    this.disk = disk;
    const random = new SeededRandom(seed);
    this.random = random.fork('disk');
    this.#fate = random.fork('fate');
    this.trace = new Trace(keepTrace);
    this.process = new SimProcess(this);
  }

  /** Lets the world run until `promise` settles, the process dies, or `limit_ms` of virtual time are over (a hang). */
  async drive<T>(what: string, promise: Promise<T>, limit_ms: number): Promise<Driven<T>> {
    let outcome: Driven<T> | undefined;
    promise.then(
      (value) => {
        outcome = { state: 'done', value };
      },
      (error: unknown) => {
        outcome = { state: 'failed', error };
      },
    );
    const { clock } = this;
    const until_ms = clock.time_ms + limit_ms;
    const { life } = this.process;
    const ended = await clock.runUntil(() => outcome !== undefined || life.dead || clock.time_ms > until_ms);
    const settled = outcome as Driven<T> | undefined;
    if (settled) return settled;
    if (life.dead) return { state: 'died' };
    const why = ended ? `within ${limit_ms} ms of virtual time` : 'and nothing is left that could end it';
    throw new Violation(14, `${what} did not end ${why}`);
  }

  /** Lets `span_ms` of virtual time pass. */
  async pass(span_ms: number): Promise<void> {
    let over = false;
    this.clock.plan(span_ms, OUTSIDE, () => {
      over = true;
    });
    const { life } = this.process;
    await this.clock.runUntil(() => over || life.dead);
  }

  /** Ends the process if it still lives; `power`: and the machine with it. A new process is there afterwards. */
  crash(power: boolean): void {
    this.process.die();
    this.faults.strike(power ? 'power_cut' : 'kill', this.process.diedWhile);
    if (power) this.disk.powerCut({ pick: (options) => this.#fate.integer(options) });
    else this.disk.processDied();
    if (power) this.#former?.die();
    this.crashes += 1;
    this.trace.event(power ? 'POWER CUT' : 'KILLED');
    this.process = new SimProcess(this);
  }

  /**
   * The lock of the process is dropped, and it is stopped for `span_ms`; another takes its place. The machine goes on as
   * that one's; `die` is for whoever is done with the first.
   */
  dispossess(span_ms: number): SimProcess {
    const former = this.process;
    this.#former?.die();
    former.life.frozenUntil_ms = this.clock.time_ms + span_ms;
    former.diesAt = Number.MAX_SAFE_INTEGER;
    this.locks.clear();
    this.#former = former;
    this.process = new SimProcess(this);
    this.faults.strike('lock_dropped', former.recovering ? 'recovering' : 'idle');
    this.trace.event('LOCK DROPPED');
    return former;
  }

  /** Whether an owner lives that has lost its lock. */
  get haunted(): boolean {
    return this.#former?.life.dead === false;
  }

  /** After an orderly end. */
  restart(): void {
    this.process.die();
    this.process = new SimProcess(this);
  }
}
