// The consumer groups of a run: readers that read with odd limits, commit now and then, hold batches for a while, and check
// all they are given. Invariant: between two reads of one group no entry that it is owed goes missing.

import type { Batch, Reader } from '../../buffer/batch.ts';
import type { ShardTrack } from './checks.ts';
import type { World } from './machine.ts';
import type { SeededRandom } from './random.ts';
import { GROUPS, type GroupName, type Subject } from './subject.ts';
import { Violation } from './violation.ts';

interface Held {
  readonly batch: Batch;
  readonly copies: Buffer[];
}

const HELD_MAX = 3;
const DRAIN_ROUNDS_MAX = 100_000;

export class Consumers {
  /** Entries read. */
  read_entries = 0;
  /** Chance, of the step that is under way. */
  random: SeededRandom;
  readonly #world: World;
  readonly #tracks: readonly ShardTrack[];
  readonly #wait_ms: number;
  /** Whether the second group acknowledges entries one by one. */
  readonly #acks: boolean;
  readonly #readers = new Map<string, Reader>();
  #held: Held[] = [];

  constructor(
    world: World,
    random: SeededRandom,
    tracks: readonly ShardTrack[],
    wait_ms: number,
    acks: boolean,
  ) {
    this.#world = world;
    this.random = random;
    this.#tracks = tracks;
    this.#wait_ms = wait_ms;
    this.#acks = acks;
  }

  /** Reads once. False where nothing came; `troubled`: the disk may say no. */
  async read(subject: Subject, name: GroupName, index: number, troubled: boolean): Promise<boolean> {
    const random = this.random;
    const reader = this.#reader(subject, name, index);
    const limits = {
      wait_ms: random.pick([0, 0, 3]),
      maxEntries: random.pick([1, 7, 8192]),
      maxBytes: random.pick([1, 2_000, 1024 * 1024]),
    };
    const read = await this.#world.drive('read', reader.read(limits), this.#wait_ms);
    if (read.state === 'failed') {
      if (!troubled) throw new Violation(14, `a read failed on a healthy disk: ${read.error}`);
      if (random.chance(0.3)) this.close(name, index);
      return false;
    }
    if (read.state === 'died' || !read.value) return false;
    this.#delivered(subject, name, index, read.value);
    return true;
  }

  /** Every group gets all there is and commits it. */
  async drain(subject: Subject): Promise<void> {
    for (const name of GROUPS) {
      for (const [index, shard] of subject.shards.entries()) {
        const track = this.#tracks[index]!.groups[name];
        this.#reader(subject, name, index);
        const lag = (): number => subject.groups[name].lag(shard).entries;
        for (let round = 0; lag() > 0; round++) {
          if (round > DRAIN_ROUNDS_MAX) throw new Violation(14, `${shard.id} ${name}: the lag does not end`);
          const came = await this.read(subject, name, index, false);
          if (track.position > subject.groups[name].committed(shard)) {
            this.commit(subject, name, index, track.position);
          }
          if (!came && track.position >= shard.highWatermark) break;
        }
        if (lag() > 0) throw new Violation(14, `${shard.id} ${name}: ${lag()} entries cannot be delivered`);
      }
    }
  }

  commit(subject: Subject, name: GroupName, index: number, next: number): void {
    const track = this.#tracks[index]!.groups[name];
    const { moves } = track;
    track.max = Math.max(track.max, next);
    track.ever = Math.max(track.ever, next);
    subject.groups[name].commit(subject.shards[index]!, next).then(
      () => {
        if (track.moves === moves) track.durable = Math.max(track.durable, next);
      },
      () => {},
    );
  }

  /** What was handed out stays as it is until it is given back. */
  releaseHeld(atLeast = 0): void {
    if (this.#held.length <= atLeast) return;
    for (const { batch, copies } of this.#held.splice(0)) {
      const same = copies.every((copy, index) => copy.equals(batch.entries[index]!));
      if (!same) throw new Violation(3, 'the bytes of a batch changed before it was released');
      batch.release();
    }
  }

  /** Gives back what is held when it is much. */
  tidy(): void {
    this.releaseHeld(HELD_MAX);
  }

  closeAll(): void {
    this.releaseHeld();
    for (const reader of this.#readers.values()) reader.close();
    this.#readers.clear();
  }

  /** The process that they lived in is gone. */
  forget(): void {
    this.#readers.clear();
    this.#held = [];
  }

  #delivered(subject: Subject, name: GroupName, index: number, batch: Batch): void {
    const shard = subject.shards[index]!;
    const { model, groups } = this.#tracks[index]!;
    const track = groups[name];
    const present = new Set<number>();
    for (const [at, entry] of batch.entries.entries()) {
      const offset = batch.offsets[at]!;
      if (offset >= shard.highWatermark) throw new Violation(5, `${shard.id}: ${offset} was read too early`);
      if (offset < track.position) throw new Violation(4, `${shard.id} ${name}: ${offset} was read twice`);
      model.read(offset, entry);
      present.add(offset);
    }
    model.delivered(Math.max(track.position, shard.logStart), batch.next, present);
    this.read_entries += present.size;
    track.position = batch.next;
    if (this.random.chance(0.2)) {
      this.#held.push({ batch, copies: batch.entries.map((entry) => Buffer.from(entry)) });
    } else batch.release();
    if (this.#acks && name === GROUPS[1]) this.#ack(subject, index, batch);
    else if (this.random.chance(0.7)) this.commit(subject, name, index, batch.next);
  }

  /** Acknowledges some of the batch, from its end to its beginning or the other way; now and then an old one as well. */
  #ack(subject: Subject, index: number, batch: Batch): void {
    const { random } = this;
    const name = GROUPS[1];
    const shard = subject.shards[index]!;
    const { model, groups } = this.#tracks[index]!;
    const track = groups[name];
    const group = subject.groups[name];
    const before = group.committed(shard);
    const owed = model.owed(before, batch.next).filter((offset) => !track.acknowledged.has(offset));
    if (random.chance(0.5)) owed.reverse();
    for (const offset of owed) {
      if (random.chance(0.15)) continue;
      track.acknowledged.add(offset);
      group.ack(shard, offset);
    }
    const committed = group.committed(shard);
    const passed = model
      .owed(Math.max(before, shard.logStart), committed)
      .find((offset) => !track.acknowledged.has(offset));
    // Damage that a reader came upon is passed: nobody can be given it any more.
    if (passed !== undefined && model.flips === 0) {
      throw new Violation(6, `${shard.id}: committed ${committed}, ${passed} was not acknowledged`);
    }
    track.max = Math.max(track.max, committed);
    track.ever = Math.max(track.ever, committed);
  }

  #reader(subject: Subject, name: GroupName, index: number): Reader {
    const key = `${name} ${index}`;
    let reader = this.#readers.get(key);
    if (!reader) {
      const shard = subject.shards[index]!;
      reader = subject.groups[name].reader(shard);
      this.#tracks[index]!.groups[name].position = subject.groups[name].committed(shard);
      this.#readers.set(key, reader);
    }
    return reader;
  }

  /** A reader that is opened next begins with what is committed. */
  close(name: GroupName, index: number): void {
    const key = `${name} ${index}`;
    this.#readers.get(key)?.close();
    this.#readers.delete(key);
  }
}
