// What people do while an agent runs: start a second one on the same directory, read the dead letters and let them go.
// Invariant: whoever looks is never the reason that a promise is broken.

import { DEAD_LETTER_GROUP } from '../../agent/outlet.ts';
import type { FileSystem } from '../../buffer/ports/file_system.ts';
import type { DrainChecks, Watched } from './drain_checks.ts';
import type { DrainOptions } from './drain_options.ts';
import { type DrainSubject, intrude, lettersOf } from './drain_subject.ts';
import { SimProcess } from './file_system.ts';
import type { World } from './machine.ts';
import { Violation } from './violation.ts';

export class DrainOperator {
  readonly #world: World;
  readonly #options: DrainOptions;
  readonly #wait_ms: number;

  constructor(world: World, options: DrainOptions, wait_ms: number) {
    this.#world = world;
    this.#options = options;
    this.#wait_ms = wait_ms;
  }

  /** Starts a second agent on the same directory; `troubled`: the disk may say no. */
  async intrude(plant: (fileSystem: FileSystem) => FileSystem, troubled: boolean): Promise<void> {
    const world = this.#world;
    const intruder = new SimProcess(world);
    const parts = { world, options: this.#options, fileSystem: plant(intruder) };
    const opened = await world.drive('a second owner', intrude(parts), this.#wait_ms);
    if (opened.state === 'done' && opened.value) throw new Violation(10, 'a second owner was let in');
    if (opened.state === 'failed' && !troubled) throw opened.error;
    intruder.die();
  }

  /** Reads the dead letters and lets them go: until then they take up room. */
  async takeLetters(subject: DrainSubject, watched: readonly Watched[], checks: DrainChecks): Promise<void> {
    const work = async (): Promise<void> => {
      for (const each of watched) {
        await checks.readLetters(subject, each);
        const letters = await subject.log.stream(lettersOf(each.index));
        const group = await letters.group(DEAD_LETTER_GROUP);
        await group.commit(letters.shards[0]!, letters.shards[0]!.highWatermark);
      }
    };
    const looked = await this.#world.drive('looking at dead letters', work(), this.#wait_ms);
    if (looked.state === 'failed') throw looked.error;
  }
}
