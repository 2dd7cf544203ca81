// What people do to a log that runs: move groups, forget and rename them, start a second agent on the directory, stop the
// process for a while. Invariant: before each act the expectation is widened to all that a crash within it may leave.

import { OwnerPresent } from '../../buffer/errors.ts';
import { Log } from '../../buffer/log.ts';
import type { Place } from '../../buffer/place.ts';
import type { ShardTrack } from './checks.ts';
import type { Consumers } from './consumers.ts';
import { SimProcess } from './file_system.ts';
import type { World } from './machine.ts';
import type { SeededRandom } from './random.ts';
import { DIRECTORY, GROUPS, type GroupName, RENAMED, type Subject } from './subject.ts';
import { Violation } from './violation.ts';

/** Of virtual time, on a disk without faults: how soon the second is told that there is a first. */
const REFUSED_WITHIN_ms = 1_000;

export class Operator {
  readonly #world: World;
  readonly #tracks: readonly ShardTrack[];
  readonly #consumers: Consumers;
  readonly #wait_ms: number;

  constructor(world: World, tracks: readonly ShardTrack[], consumers: Consumers, wait_ms: number) {
    this.#world = world;
    this.#tracks = tracks;
    this.#consumers = consumers;
    this.#wait_ms = wait_ms;
  }

  /** Moves one group on one shard, `troubled`: the disk may say no. */
  async seek(subject: Subject, random: SeededRandom, troubled: boolean): Promise<void> {
    const name = random.pick(GROUPS);
    const shard = random.pick(subject.shards);
    const { logStart, highWatermark } = shard;
    const place = random.pick<Place>([
      'earliest',
      'latest',
      logStart + random.integer(highWatermark - logStart + 1),
      { skip: random.integer(5) },
      { last: random.integer(5) },
    ]);
    await this.#move(subject, name, [shard.index], troubled, () => subject.groups[name].seek(shard, place));
  }

  async reset(subject: Subject, random: SeededRandom, troubled: boolean): Promise<void> {
    const name = random.pick(GROUPS);
    const place = random.pick<Place>(['earliest', 'latest', { last: 3 }]);
    await this.#move(subject, name, all(subject), troubled, () => subject.groups[name].reset(place));
  }

  /** Forgets a group and makes it anew: it begins with the oldest entry that is kept. */
  async forget(subject: Subject, random: SeededRandom, troubled: boolean): Promise<void> {
    const name = random.pick(GROUPS);
    for (const track of this.#tracks) track.unprotected = true;
    await this.#move(subject, name, all(subject), troubled, async () => {
      const { options } = subject.groups[name];
      try {
        await subject.stream.forgetGroup(name);
      } finally {
        await subject.stream.group(name, options);
      }
    });
  }

  /** There and back: what was committed stays. */
  async rename(subject: Subject, troubled: boolean): Promise<void> {
    const renamed = async (): Promise<void> => {
      try {
        await subject.stream.renameGroup(GROUPS[1], RENAMED);
      } finally {
        await subject.stream.renameGroup(RENAMED, GROUPS[1]);
      }
    };
    const driven = await this.#world.drive('rename', renamed(), this.#wait_ms);
    if (driven.state === 'failed' && !troubled) throw new Violation(14, `rename: ${driven.error}`);
  }

  /** A second process on the directory is refused, soon, and leaves nothing open. */
  async intrude(troubled: boolean): Promise<void> {
    const world = this.#world;
    const other = new SimProcess(world);
    const opening = Log.open({
      directory: DIRECTORY,
      fileSystem: other,
      clock: world.clock.of(other.life),
      random: { next: () => 0.25 },
    });
    const began_ms = world.clock.time_ms;
    const driven = await world.drive('a second owner', opening, this.#wait_ms);
    const took_ms = world.clock.time_ms - began_ms;
    const { handles } = other;
    other.die();
    // The lock was free once the owner died, so the other one may have come far.
    if (driven.state === 'died') return;
    if (driven.state === 'done') throw new Violation(10, 'a second process opened a log that is open');
    if (troubled) return;
    if (!(driven.error instanceof OwnerPresent)) throw new Violation(10, `refused with ${driven.error}`);
    if (took_ms > REFUSED_WITHIN_ms) throw new Violation(10, `refused after ${took_ms} ms`);
    if (handles !== 0) throw new Violation(13, `refused, and left ${handles} open files`);
  }

  /** The process is stopped for `span_ms`; the lock is its own meanwhile. */
  async freeze(span_ms: number, troubled: boolean): Promise<void> {
    const { clock, process } = this.#world;
    process.life.frozenUntil_ms = clock.time_ms + span_ms;
    await this.intrude(troubled);
    await this.#world.pass(span_ms);
  }

  /** A process that goes on after another has taken the directory promises nothing, writes nothing, and can be ended. */
  async fenced(subject: Subject, former: SimProcess, troubled: boolean): Promise<void> {
    const world = this.#world;
    const promised = async (): Promise<boolean> => {
      const shard = subject.shards[0]!;
      try {
        await shard.durable(shard.append([Buffer.from('from an owner that was')]));
        return true;
      } catch {
        return false;
      }
    };
    const driven = await world.drive('an append of the first owner', promised(), this.#wait_ms);
    if (driven.state === 'died' || troubled) return;
    if (driven.state === 'done' && driven.value) {
      throw new Violation(10, 'an owner whose place another took still acknowledges');
    }
    const closed = await world.drive('the end of the first owner', subject.log.close(), this.#wait_ms);
    if (closed.state === 'died') return;
    if (former.handles !== 0) throw new Violation(13, `the first owner left ${former.handles} open files`);
  }

  /** An act after which the committed offsets are what the log says, and within which they are anything between. */
  async #move(
    subject: Subject,
    name: GroupName,
    indices: readonly number[],
    troubled: boolean,
    act: () => Promise<unknown>,
  ): Promise<void> {
    for (const index of indices) {
      const track = this.#tracks[index]!.groups[name];
      const { logEnd } = subject.shards[index]!;
      this.#consumers.close(name, index);
      track.moves += 1;
      // A log start whose account is not durable yet goes back with a crash, and a group made anew begins there.
      track.durable = 0;
      track.max = Math.max(track.max, logEnd);
      track.ever = Math.max(track.ever, logEnd);
    }
    const driven = await this.#world.drive('move', act(), this.#wait_ms);
    if (driven.state === 'failed' && !troubled) throw new Violation(14, `move: ${driven.error}`);
    if (driven.state !== 'done') return;
    for (const index of indices) {
      const track = this.#tracks[index]!.groups[name];
      track.max = subject.groups[name].committed(subject.shards[index]!);
      track.durable = track.max;
    }
  }
}

function all(subject: Subject): number[] {
  return [...subject.shards.keys()];
}
