// One run: a workload drawn from the seed against one log through crashes and faults, checked after every step and after
// every recovery. Invariant: all that happens follows from seed and steps.

import type { FileSystem } from '../../buffer/ports/file_system.ts';
import { TENURE_ms } from '../../buffer/tenure.ts';
import { audit, checkAccounts, checkDisk, checkRecovered, newTrack, type ShardTrack } from './checks.ts';
import { Consumers } from './consumers.ts';
import { World } from './machine.ts';
import { ShardModel } from './model.ts';
import { Operator } from './operator.ts';
import { deriveOptions, type RunOptions } from './options.ts';
import { Payloads } from './payload.ts';
import { Producers } from './producers.ts';
import { SeededRandom } from './random.ts';
import { GROUPS, openSubject, STREAM, type Subject } from './subject.ts';
import { flipLive, harmAtRest, toggleFault } from './trouble.ts';
import { Violation } from './violation.ts';

/** Of virtual time: a slow disk may take a minute for each of many operations. */
const WAIT_MAX_ms = 3_600_000;

const STEP_WEIGHTS = [
  ['append', 38],
  ['pass', 12],
  ['read', 20],
  ['settle', 6],
  ['flush', 4],
  ['retain', 3],
  ['reopen', 3],
  ['audit', 2],
  ['ask', 4],
  ['trouble', 5],
  ['jump', 2],
  ['seek', 2],
  ['reset', 1],
  ['forget', 1],
  ['rename', 1],
  ['intrude', 1],
  ['freeze', 1],
  ['flip', 1],
  ['dispossess', 1],
] as const;
type StepName = (typeof STEP_WEIGHTS)[number][0];
const WEIGHTS_TOTAL = STEP_WEIGHTS.reduce((sum, [, weight]) => sum + weight, 0);

export interface RunSettings {
  readonly seed: number;
  readonly steps: number;
  readonly trace?: boolean;
  /** Set instead of what the seed says. */
  readonly options?: Partial<RunOptions>;
  /** Steps to leave out; the others do what they would have done. */
  readonly without?: ReadonlySet<number>;
  /** Puts a bug between the log and its disk. */
  readonly plant?: (fileSystem: FileSystem) => FileSystem;
}

export class Run {
  readonly seed: number;
  readonly options: RunOptions;
  readonly world: World;
  /** How often the log was opened, and how often after a crash. */
  readonly #openings = { opened: 0, recoveries: 0 };
  /** Steps begun. */
  steps = 0;
  readonly #steps: number;
  readonly #without: ReadonlySet<number>;
  /** Every step has chance of its own, so that one that is left out changes nothing for the others. */
  readonly #workload: SeededRandom;
  #random: SeededRandom;
  /** Of every life of the log anew, where the options say `either`. */
  readonly #ways: SeededRandom;
  readonly #payloads: Payloads;
  readonly #plant: (fileSystem: FileSystem) => FileSystem;
  readonly #tracks: ShardTrack[] = [];
  #subject: Subject | undefined;
  readonly #producers: Producers;
  readonly #consumers: Consumers;
  readonly #operator: Operator;
  /** How many shards take appends. */
  #shards: number;
  /** Crashes before the log was last opened. */
  #crashesSeen = 0;
  /** Whether the disk may say no at present. */
  #broken = false;

  constructor(settings: RunSettings) {
    const random = new SeededRandom(settings.seed);
    this.seed = settings.seed;
    this.#plant = settings.plant ?? ((fileSystem) => fileSystem);
    this.#steps = settings.steps;
    this.options = { ...deriveOptions(random.fork('options')), ...settings.options };
    this.#without = settings.without ?? new Set();
    this.#workload = random.fork('workload');
    this.#random = this.#workload.fork('opening');
    this.#ways = random.fork('ways');
    this.#payloads = new Payloads(settings.seed);
    this.world = new World(settings.seed, settings.trace);
    this.#shards = this.options.shards;
    this.#producers = new Producers(this.options, this.#tracks, this.#payloads);
    const { acks } = this.options;
    this.#consumers = new Consumers(this.world, this.#random, this.#tracks, WAIT_MAX_ms, acks);
    this.#operator = new Operator(this.world, this.#tracks, this.#consumers, WAIT_MAX_ms);
  }

  /** @throws Violation */
  async execute(): Promise<void> {
    await this.#open(true);
    for (let step = 0; step < this.#steps; step++) {
      this.steps = step + 1;
      if (this.#without.has(step)) continue;
      this.#random = this.#workload.fork(`step ${step}`);
      this.#consumers.random = this.#random.fork('consumers');
      await this.#step(step);
      await this.#recoverIfDead();
      this.#check();
    }
    this.#random = this.#workload.fork('finish');
    await this.#finish();
    this.world.disk.release();
  }

  get counts() {
    return { ...this.#producers.counts, ...this.#openings };
  }

  /** Entries that consumers got. */
  get read_entries(): number {
    return this.#consumers.read_entries;
  }

  async #step(step: number): Promise<void> {
    const random = this.#random;
    const { options, world } = this;
    if (random.chance(options.crashRate)) this.#doom();
    if (world.process.life.dead) return;
    const name = this.#draw(random.next());
    world.trace.event(`STEP ${step} ${name}`);
    if (name === 'append') this.#producers.append(this.#subject!, random);
    else if (name === 'pass') await world.pass(random.pick([0.1, 1, 5, 50, 2_000, 8_000]));
    else if (name === 'read') await this.#read();
    else if (name === 'settle') await this.#settle();
    else if (name === 'flush') await this.#flush();
    else if (name === 'retain') await this.#retain();
    else if (name === 'reopen') await this.#reopen();
    else if (name === 'audit') await this.#audit();
    else if (name === 'ask') this.#producers.ask();
    else if (name === 'trouble' && options.faults) this.#toggle();
    else if (name === 'dispossess') await this.#dispossess();
    else if (name === 'jump' && options.clockJumps) this.#jump();
    else if (name === 'flip' && options.flips) flipLive(world, random, this.#tracks);
    else await this.#operate(name);
  }

  /** The lock is dropped while the process is stopped; a second owner has come by the time at which it goes on. */
  async #dispossess(): Promise<void> {
    // A disk that cannot be read does not tell that there is another.
    if (this.#broken || this.options.flips) return;
    const random = this.#random;
    const { world } = this;
    const first = this.#subject!;
    for (let batches = random.integer(3); batches > 0; batches--) this.#producers.append(first, random);
    await world.pass(random.pick([0, 0.05, 0.5]));
    if (world.process.life.dead) return;
    const span_ms = random.pick([TENURE_ms, 5_000, 60_000]);
    const woken_ms = world.clock.time_ms + span_ms;
    const former = world.dispossess(span_ms);
    this.#forgetLife();
    await this.#open();
    if (this.#broken) return;
    this.#producers.append(this.#subject!, random);
    await world.pass(Math.max(0, woken_ms - world.clock.time_ms));
    if (!former.life.dead) await this.#operator.fenced(first, former, this.#broken);
    former.die();
  }

  async #operate(name: StepName): Promise<void> {
    const subject = this.#subject!;
    const broken = this.#broken;
    if (name === 'seek') await this.#operator.seek(subject, this.#random, broken);
    else if (name === 'reset') await this.#operator.reset(subject, this.#random, broken);
    else if (name === 'forget') await this.#operator.forget(subject, this.#random, broken);
    else if (name === 'rename') await this.#operator.rename(subject, broken);
    else if (name === 'intrude') await this.#operator.intrude(broken);
    else if (name === 'freeze') await this.#operator.freeze(this.#random.pick([1, 500, 60_000]), broken);
  }

  #draw(roll: number): StepName {
    let sum = 0;
    for (const [name, weight] of STEP_WEIGHTS) {
      sum += weight;
      if (roll * WEIGHTS_TOTAL < sum) return name;
    }
    return 'pass';
  }

  async #settle(): Promise<void> {
    await this.world.drive('durable', this.#producers.settled(), WAIT_MAX_ms);
  }

  async #read(): Promise<void> {
    const name = this.#random.pick(GROUPS);
    const index = this.#random.integer(this.#subject!.shards.length);
    await this.#consumers.read(this.#subject!, name, index, this.#broken);
  }

  async #flush(): Promise<void> {
    const name = this.#random.pick(GROUPS);
    const subject = this.#subject!;
    const committed = subject.shards.map((shard) => subject.groups[name].committed(shard));
    const flushed = await this.world.drive('flush', subject.groups[name].flush(), WAIT_MAX_ms);
    if (flushed.state === 'failed' && !this.#broken) throw new Violation(14, `flush: ${flushed.error}`);
    if (flushed.state !== 'done') return;
    for (const [index, next] of committed.entries()) {
      const track = this.#tracks[index]!.groups[name];
      track.durable = Math.max(track.durable, next);
    }
  }

  async #retain(): Promise<void> {
    await this.world.drive('retain', this.#subject!.log.retain(), WAIT_MAX_ms);
  }

  async #audit(): Promise<void> {
    const audited = await this.world.drive('audit', audit(this.#subject!, this.#tracks), WAIT_MAX_ms);
    if (audited.state !== 'failed') return;
    if (audited.error instanceof Violation || !this.#broken) throw audited.error;
  }

  async #reopen(): Promise<void> {
    if (!(await this.#close())) return;
    if (this.options.shards > 1) this.#shards = this.#random.between(1, this.options.shards + 1);
    if (this.options.flips && !this.#broken && this.#random.chance(0.7)) {
      harmAtRest(this.world, this.#random, this.#tracks);
    }
    await this.#open();
  }

  /** False where the process died meanwhile. */
  async #close(): Promise<boolean> {
    this.#producers.ask();
    this.#consumers.closeAll();
    const { groups, shards } = this.#subject!;
    const committed = shards.map((shard) => GROUPS.map((name) => groups[name].committed(shard)));
    const closed = await this.world.drive('close', this.#subject!.log.close(), WAIT_MAX_ms);
    if (closed.state === 'died') return false;
    if (closed.state === 'failed' && !this.#broken) throw new Violation(14, `close: ${closed.error}`);
    await this.world.pass(10);
    if (this.world.process.life.dead) return false;
    if (this.#producers.waiting > 0) throw new Violation(14, 'the log is closed and somebody still waits');
    if (this.world.process.handles !== 0) {
      throw new Violation(13, `the log is closed with ${this.world.process.handles} open files`);
    }
    if (closed.state === 'done') {
      for (const [index, track] of this.#tracks.entries()) {
        for (const [at, name] of GROUPS.entries()) track.groups[name].durable = committed[index]![at]!;
      }
    }
    this.#forgetLife();
    this.world.restart();
    return true;
  }

  #doom(): void {
    const { crashes } = this.options;
    if (crashes === 'none') return;
    const { process } = this.world;
    const within = this.#random.pick([0, 3, 10, 40]);
    // Also between two operations, with nothing under way or with commits that have just begun.
    if (within === 0) process.die();
    else process.diesAt = process.operations + this.#random.between(1, within);
    process.diesAfterEffect = this.#random.chance(0.5);
  }

  #toggle(): void {
    this.#broken = toggleFault(this.world, this.#random);
  }

  #jump(): void {
    this.world.clock.jump_ms +=
      this.#random.pick([-1, 1]) * this.#random.pick([1_000, 3_600_000, 315_360_000_000]);
  }

  #forgetLife(): void {
    this.#subject = undefined;
    this.#consumers.forget();
    this.#producers.forget();
  }

  async #recoverIfDead(): Promise<void> {
    if (!this.world.process.life.dead) return;
    this.#forgetLife();
    this.#crash();
    await this.#open();
  }

  #crash(): void {
    const { crashes } = this.options;
    this.world.crash(crashes === 'power' || (crashes === 'both' && this.#random.chance(0.6)));
  }

  async #open(first = false): Promise<void> {
    const random = this.#random;
    for (let attempt = 0; ; attempt++) {
      if (!first && this.options.crashes !== 'none' && random.chance(0.25)) {
        this.world.process.diesAt = random.between(1, 40);
      }
      const opened = await this.world.drive('open', this.#openSubject(), WAIT_MAX_ms);
      if (opened.state === 'done') {
        this.#subject = opened.value;
        this.#trackNewShards(opened.value.shards.length);
        this.world.process.recovering = false;
        break;
      }
      if (opened.state === 'failed') {
        if (!this.#broken)
          throw new Violation(14, `the log does not open on a healthy disk: ${stack(opened.error)}`);
        await this.world.pass(10);
        if (!this.world.process.life.dead && this.world.process.handles !== 0) {
          throw new Violation(13, `opening failed and left ${this.world.process.handles} open files`);
        }
        if (attempt >= 3) this.#heal();
        this.world.restart();
      } else this.#crash();
    }
    this.#openings.opened += 1;
    if (this.world.crashes > this.#crashesSeen) this.#openings.recoveries += 1;
    this.#crashesSeen = this.world.crashes;
    checkRecovered(this.#subject!, this.#tracks, this.#broken, this.world.haunted);
    await this.#audit();
    await this.#recoverIfDead();
  }

  #openSubject(): Promise<Subject> {
    const options = { ...this.options, shards: this.#shards };
    if (options.commitWay === 'either') options.commitWay = this.#ways.pick(['append', 'direct'] as const);
    return openSubject(this.world, options, this.#plant(this.world.process));
  }

  #trackNewShards(count: number): void {
    while (this.#tracks.length < count) {
      const model = new ShardModel(`${STREAM}/${this.#tracks.length}`, this.#payloads);
      this.#tracks.push(newTrack(model));
    }
  }

  #heal(): void {
    this.world.faults.heal();
    this.world.disk.capacity_bytes = Number.MAX_SAFE_INTEGER;
    this.#broken = false;
  }

  #check(): void {
    this.#consumers.tidy();
    checkAccounts(this.#subject!, this.#tracks, this.options, this.#producers.waiting);
  }

  /** All is well again: everything is delivered, a new entry passes, and the next life finds what this one left. */
  async #finish(): Promise<void> {
    this.world.trace.event('FINISH');
    this.#heal();
    this.world.process.diesAt = Number.MAX_SAFE_INTEGER;
    this.#producers.ask();
    await this.#settle();
    await this.#canary();
    await this.#consumers.drain(this.#subject!);
    this.#check();
    await this.#audit();
    checkDisk(
      this.#subject!,
      this.world.disk,
      !this.options.faults &&
        !this.options.flips &&
        this.options.crashes === 'none' &&
        this.world.faults.struck.lock_dropped === 0,
    );
    await this.#close();
    this.world.process.diesAt = Number.MAX_SAFE_INTEGER;
    await this.#openLast();
    await this.#consumers.drain(this.#subject!);
    this.#check();
    await this.#close();
  }

  async #openLast(): Promise<void> {
    const opened = await this.world.drive('open', this.#openSubject(), WAIT_MAX_ms);
    if (opened.state !== 'done') throw new Violation(14, 'the log does not open after an orderly end');
    this.#subject = opened.value;
    checkRecovered(this.#subject, this.#tracks, false);
    await this.#audit();
  }

  async #canary(): Promise<void> {
    const until_ms = this.world.clock.time_ms + WAIT_MAX_ms;
    const { counts } = this.#producers;
    const before = counts.acknowledged;
    while (counts.acknowledged === before) {
      if (this.world.clock.time_ms > until_ms) throw new Violation(14, 'nothing can be appended any more');
      this.#producers.append(this.#subject!, this.#random);
      this.#producers.ask();
      await this.#settle();
      await this.#consumers.drain(this.#subject!);
      await this.world.pass(250);
    }
  }
}

function stack(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
