// What must hold whatever the disk, the clock and the callers do. Invariant: what is found broken poisons its shard, and
// nothing else: a shard that does not understand itself must neither write nor hand out anything.

import { HoldfastError } from '../config/error.ts';

/** A mistake of ours, not of the disk or the caller. The shard takes and gives nothing until the log is opened again. */
export class InvariantBroken extends HoldfastError {
  constructor(what: string, cause?: unknown) {
    super(
      'HF_BUFFER_INVARIANT_BROKEN',
      `${what}; this must never happen: open the log again, and report it with what verify says`,
      false,
      { cause },
    );
  }
}

/** Two texts, joined only where it does not hold: this stands in paths that run for every frame. */
export function invariant(holds: boolean, where: string, what: string): asserts holds {
  if (!holds) throw new InvariantBroken(`${where}: ${what}`);
}

/** Whether an error says that the program is wrong, rather than the world. */
export function isBroken(error: unknown): boolean {
  return error instanceof InvariantBroken || error instanceof TypeError || error instanceof ReferenceError;
}
