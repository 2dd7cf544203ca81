// One run of the drain simulation: clients, one to three exporters and their backends, a disk, and what may happen to each,
// drawn from the seed and checked after every step and every recovery. Invariant: all follows from seed and steps.

import type { FileSystem } from '../../buffer/ports/file_system.ts';
import type { DrainConfig } from '../../exporters/drain/config.ts';
import { Backend, type Mood, moods } from './backend.ts';
import { Clients, isCanary } from './clients.ts';
import { DrainChecks, droppedIn, newWatched, type Watched } from './drain_checks.ts';
import { type ExporterBug, simulatedExporter } from './drain_exporter.ts';
import { CommitHistory } from './drain_history.ts';
import { DrainJournal } from './drain_journal.ts';
import { DrainModel, type ModelEntry } from './drain_model.ts';
import { DrainOperator } from './drain_operator.ts';
import { type DrainOptions, deriveDrainOptions } from './drain_options.ts';
import { type DrainSubject, makeHeadStart, openDrainSubject } from './drain_subject.ts';
import { World } from './machine.ts';
import { Payloads } from './payload.ts';
import { SeededRandom } from './random.ts';
import { toggleFault } from './trouble.ts';
import { Violation } from './violation.ts';

const WAIT_MAX_MS = 3_600_000;
/** What a stop may take beyond its deadline: a request and the last write of offsets are left behind after a while. */
const STOP_GRACE_MS = 1_000;
/** The end of a run: as long as a destination may ask for, and then some. */
const FINISH_MAX_MS = 3 * 3_600_000;

export interface DrainSettings {
  readonly seed: number;
  readonly steps: number;
  readonly trace?: boolean;
  /** Set instead of what the seed says. */
  readonly options?: Partial<DrainOptions>;
  /** Puts a bug between the log and its disk, the loop and its exporter, or into what the loop is told to do. */
  readonly plant?: {
    readonly fileSystem?: ((inner: FileSystem) => FileSystem) | undefined;
    /** Once in every life. */
    readonly exporter?: (() => ExporterBug) | undefined;
    readonly config?: ((config: DrainConfig) => DrainConfig) | undefined;
  };
}

export class DrainRun {
  readonly seed: number;
  readonly options: DrainOptions;
  readonly world: World;
  readonly backends: readonly Backend[];
  readonly watched: readonly Watched[];
  readonly #plant: NonNullable<DrainSettings['plant']>;
  readonly #steps: number;
  readonly #random: SeededRandom;
  readonly #backOff: SeededRandom;
  readonly #model: DrainModel;
  readonly #clients: Clients;
  readonly #operator: DrainOperator;
  readonly #checks: DrainChecks;
  #subject: DrainSubject | undefined;
  readonly #history = new CommitHistory();
  #recoveries = 0;
  #broken = false;
  /** Nothing fails any more. */
  #ending = false;
  /** Since when the disk is well and the agent runs, ms of virtual time. */
  #wellSince_ms = 0;

  constructor(settings: DrainSettings) {
    const { seed, steps } = settings;
    const random = new SeededRandom(seed).fork('drain');
    this.seed = seed;
    this.#steps = steps;
    this.#plant = settings.plant ?? {};
    this.options = { ...deriveDrainOptions(random.fork('options')), ...settings.options };
    this.#random = random.fork('workload');
    this.#backOff = random.fork('back-off');
    this.#model = new DrainModel(new Payloads(seed));
    this.world = new World(seed, settings.trace);
    this.#clients = new Clients(this.world, this.options, this.#model, this.#random);
    this.#operator = new DrainOperator(this.world, this.options, WAIT_MAX_MS);
    this.#checks = new DrainChecks(this.options, this.#model, () => this.world.clock.time_ms);
    this.watched = this.options.exporters.map((exporter, index) =>
      newWatched(index, new DrainJournal(this.world, this.#model, exporter), (entry) =>
        this.#isPoison(entry, index),
      ),
    );
    this.backends = this.options.exporters.map(({ id }, index) => this.#backend(id, index, random.fork(id)));
  }

  /** @throws Violation */
  async execute(): Promise<void> {
    // Age deletes what is not delivered: so that there is some.
    if (this.options.maxAge_ms !== undefined) this.backends[0]!.become('dead');
    if (this.options.headStart > 0) await this.#before();
    await this.#open();
    for (let step = 0; step < this.#steps; step++) {
      await this.#step();
      await this.#recoverIfDead();
      await this.#check();
    }
    await this.#finish();
  }

  get counts() {
    return { ...this.#clients.counts, recoveries: this.#recoveries };
  }

  get requests(): number {
    return this.watched.reduce((sum, { journal }) => sum + journal.requests, 0);
  }

  #backend(name: string, index: number, random: SeededRandom): Backend {
    return new Backend({
      name,
      clock: this.world.clock,
      random,
      read: (body) => {
        const ids = this.#model.idsOf(body);
        return { ids, poisoned: ids.some((id) => this.#isPoison(this.#model.entries.get(id)!, index)) };
      },
      event: (line) => this.world.trace.event(line),
    });
  }

  /** Told by the id alone, so that backend and judge agree. */
  #isPoison(entry: ModelEntry, index: number): boolean {
    const share = this.options.exporters[index]!.poison;
    const hash = Math.imul(entry.id + 1, 0x9e3779b1 + 2 * index) >>> 0;
    return !isCanary(entry) && hash / 2 ** 32 < share;
  }

  async #step(): Promise<void> {
    const { options, world } = this;
    const random = this.#random;
    const roll = random.next();
    if (roll < 0.4) this.#clients.append(this.#subject!);
    else if (roll < 0.58) await world.pass(random.pick([0.1, 5, 200, 1_000, 5_000, 30_000, 150_000]));
    else if (roll < 0.6) await world.pass(random.pick([600_000, 3_600_000]));
    else if (roll < 0.79) this.#turn();
    else if (roll < 0.82) await this.#settle();
    else if (roll < 0.86) await this.#reopen();
    else if (roll < 0.91) this.#doom();
    else if (roll < 0.93) await world.drive('retain', this.#subject!.log.retain(), WAIT_MAX_MS);
    else if (options.faults && roll < 0.96) this.#toggle();
    else if (roll >= 0.99) await this.#operator.intrude((inner) => this.#planted(inner), this.#broken);
    else if (options.clockJumps) this.#jump();
  }

  async #before(): Promise<void> {
    const { world } = this;
    const parts = { world, options: this.options, fileSystem: world.process };
    const made = await world.drive('a head start', makeHeadStart(parts), WAIT_MAX_MS);
    if (made.state === 'failed') throw made.error;
    world.restart();
  }

  #jump(): void {
    const { clock, trace } = this.world;
    clock.jump_ms += this.#random.pick([-1, 1]) * this.#random.pick([1_000, 3_600_000, 315_360_000_000]);
    trace.event(`JUMP ${clock.jump_ms}`);
  }

  #planted(inner: FileSystem): FileSystem {
    return this.#plant.fileSystem?.(inner) ?? inner;
  }

  async #settle(): Promise<void> {
    await this.world.drive('durable', this.#clients.settled(), WAIT_MAX_MS);
  }

  /** One backend has a new mood; half of them get well. */
  #turn(): void {
    const random = this.#random;
    const mood: Mood = random.chance(0.5) ? 'healthy' : random.pick(moods);
    random.pick(this.backends).become(mood);
  }

  #toggle(): void {
    this.#broken = toggleFault(this.world, this.#random);
    this.#wellSince_ms = this.world.clock.time_ms;
  }

  #doom(): void {
    if (this.options.crashes === 'none') return;
    this.world.process.diesAt = this.world.process.operations + this.#random.between(1, 40);
    this.world.process.diesAfterEffect = this.#random.chance(0.5);
  }

  async #reopen(): Promise<void> {
    if (await this.#close(this.#random.pick([0, 1_000, 15_000]))) await this.#open();
  }

  /** An orderly end with so much patience for what is under way. False where the process died meanwhile. */
  async #close(deadline_ms: number): Promise<boolean> {
    const { world } = this;
    const { life } = world.process;
    const deadline = new AbortController();
    world.clock.after(deadline_ms, life, () => deadline.abort());
    const began_ms = world.clock.time_ms;
    const stops = Promise.all(this.#subject!.outlets.map((outlet) => outlet.stop(deadline.signal)));
    const stopped = await world.drive('stop', stops, WAIT_MAX_MS);
    if (stopped.state === 'failed') throw stopped.error;
    const took_ms = world.clock.time_ms - began_ms;
    if (!this.#broken && took_ms > deadline_ms + STOP_GRACE_MS) {
      throw new Violation(14, `stopping took ${took_ms} ms, the deadline was ${deadline_ms}`);
    }
    if (stopped.state === 'died') return false;
    for (const { journal } of this.watched) journal.stopped();
    const closed = await world.drive('close', this.#subject!.log.close(), WAIT_MAX_MS);
    if (closed.state === 'died') return false;
    if (closed.state === 'failed' && !this.#broken) throw new Violation(14, `close: ${closed.error}`);
    await world.pass(10);
    if (life.dead) return false;
    this.#model.check();
    // What was committed is on disk now, however short ago it was.
    if (closed.state === 'done') this.#remember(true);
    this.#forgetLife();
    world.restart();
    return true;
  }

  #forgetLife(): void {
    for (const watched of this.watched) {
      if (this.#subject) watched.droppedBefore += droppedIn(this.#subject, watched);
    }
    this.#subject = undefined;
    this.#history.ended(this.world.clock.time_ms);
    this.#clients.forget();
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

  async #open(): Promise<void> {
    const { world } = this;
    for (let attempt = 0; ; attempt++) {
      const mayDie = this.#recoveries > 0 && !this.#ending && this.options.crashes !== 'none';
      if (mayDie && this.#random.chance(0.2)) {
        world.process.diesAt = this.#random.between(1, 60);
      }
      const opened = await world.drive('open', this.#openSubject(), WAIT_MAX_MS);
      if (opened.state === 'done') {
        this.#subject = opened.value;
        break;
      }
      if (opened.state === 'failed') {
        if (!this.#broken)
          throw new Violation(14, `the log does not open on a healthy disk: ${opened.error}`);
        if (attempt >= 3) this.#heal();
        world.restart();
      } else this.#crash();
    }
    this.#recoveries += 1;
    this.#wellSince_ms = world.clock.time_ms;
    this.#checkRecovered();
    await this.#start();
    await this.#recoverIfDead();
  }

  async #openSubject(): Promise<DrainSubject> {
    const { world } = this;
    const { exporter, config } = this.#plant;
    const bug = exporter?.();
    return openDrainSubject({
      world,
      options: this.options,
      fileSystem: this.#planted(world.process),
      random: this.#backOff,
      factory: (index) => simulatedExporter(world, this.backends[index]!, this.watched[index]!.journal, bug),
      config: (each) => config?.(each.config) ?? each.config,
    });
  }

  #checkRecovered(): void {
    const subject = this.#subject!;
    for (const shard of subject.shards) this.#model.recovered(shard.id, shard.highWatermark);
    for (const watched of this.watched) watched.journal.begin(subject.outlets[watched.index]!.sources);
    this.#history.check(subject.outlets, this.options.offsetsInterval_ms);
    this.#remember(true);
    this.#model.check();
  }

  async #start(): Promise<void> {
    const subject = this.#subject!;
    const work = async (): Promise<void> => {
      for (const watched of this.watched) await this.#checks.recovered(subject, watched);
    };
    const checked = await this.world.drive('reading dead letters', work(), WAIT_MAX_MS);
    if (checked.state === 'failed' && (checked.error instanceof Violation || !this.#broken))
      throw checked.error;
    if (checked.state === 'died') return;
    await Promise.all(subject.outlets.map((outlet) => outlet.start()));
  }

  #heal(): void {
    this.world.faults.heal();
    this.world.disk.capacity_bytes = Number.MAX_SAFE_INTEGER;
    this.#broken = false;
    this.#wellSince_ms = this.world.clock.time_ms;
  }

  async #check(): Promise<void> {
    this.#model.check();
    const subject = this.#subject!;
    this.#checks.health(subject, this.backends);
    await this.#checkCommitted();
    if (!this.#broken) {
      for (const watched of this.watched) {
        this.#checks.prompt(subject, watched, this.backends[watched.index]!, this.#wellSince_ms);
      }
    }
    this.#remember();
    this.#model.check();
  }

  async #checkCommitted(): Promise<void> {
    const subject = this.#subject!;
    const work = async (): Promise<void> => {
      for (const watched of this.watched) await this.#checks.committed(subject, watched);
    };
    const checked = await this.world.drive('reading dead letters', work(), WAIT_MAX_MS);
    if (checked.state === 'failed' && (checked.error instanceof Violation || !this.#broken))
      throw checked.error;
    if (checked.state === 'died') await this.#recoverIfDead();
  }

  /** `durable`: whatever happens now, it is not forgotten. On a disk that fails nobody can say. */
  #remember(durable = false): void {
    if (this.#broken) this.#history.clear();
    else this.#history.remember(this.#subject!.outlets, durable ? undefined : this.world.clock.time_ms);
  }

  async #finish(): Promise<void> {
    this.world.trace.event('FINISH');
    this.#ending = true;
    this.#heal();
    this.world.process.diesAt = Number.MAX_SAFE_INTEGER;
    for (const [index, backend] of this.backends.entries()) {
      backend.become('healthy');
      // Who asked to hold what is refused waits for it to be mended.
      if (this.options.exporters[index]!.config.on_rejected === 'hold') backend.refusesPoison = false;
    }
    await this.#settle();
    await this.#drained();
    await this.#check();
    for (const { journal } of this.watched) journal.checkJitter();
    this.#model.check();
    await this.#close(0);
    await this.#open();
    for (const watched of this.watched) {
      const { requests } = watched.journal;
      const settled = this.#checks.settled(this.#subject!, watched, this.backends[watched.index]!);
      const checked = await this.world.drive('the last check', settled, WAIT_MAX_MS);
      if (checked.state === 'failed') throw checked.error;
      await this.world.pass(5_000);
      if (watched.journal.requests !== requests)
        throw new Violation(6, 'sends again what an orderly stop committed');
    }
    await this.#check();
    await this.#close(0);
  }

  /** A canary now and then: what is refused at the end of the log is judged when something comes after it. */
  async #drained(): Promise<void> {
    const until_ms = this.world.clock.time_ms + FINISH_MAX_MS;
    const passed = new Set<number>();
    for (;;) {
      for (const stream of this.options.streams.keys()) {
        if (passed.has(stream)) continue;
        const canary = this.#clients.appendCanary(this.#subject!, stream);
        await this.#settle();
        if (canary?.owed) passed.add(stream);
        else await this.#operator.takeLetters(this.#subject!, this.watched, this.#checks);
      }
      await this.world.pass(30_000);
      await this.#check();
      const lag = this.#subject!.outlets.reduce((sum, outlet) => sum + outlet.lag().entries, 0);
      if (lag === 0 && passed.size === this.options.streams.length) return;
      if (lag > 0) passed.clear();
      if (this.world.clock.time_ms > until_ms) {
        throw new Violation(14, `all is well again and ${lag} entries are not delivered`);
      }
    }
  }
}
